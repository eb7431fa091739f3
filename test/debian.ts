// Programs of Debian's that tests drive.
import { run, succeeds } from "./cluster/machine.ts";

/**
 * Why they are not here; undefined where they are. In CI Debian's package is installed, where that can be done.
 * @param name of what is missing, as a sentence begins with it
 */
export function missingPrograms(programs: string[], name: string, debian: string): string | undefined {
  if (programs.every((program) => succeeds(program, ["--version"]))) return undefined;
  if (!process.env.CI || process.getuid?.() !== 0)
    return `${name} not here: install Debian's package ${debian}`;
  run("apt-get", ["update", "-qq"], { shown: true });
  run("apt-get", ["install", "-qq", "--yes", "--no-install-recommends", debian], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  return undefined;
}
