// Prometheus and promtool, where tests find them.
import { run, succeeds } from "./cluster/machine.ts";

/** Why there is no Prometheus here; undefined where there is. In CI Debian's is installed, where that can be done. */
export function noPrometheus(): string | undefined {
  const there = () => ["prometheus", "promtool"].every((program) => succeeds(program, ["--version"]));
  if (there()) return undefined;
  if (!process.env.CI || process.getuid?.() !== 0)
    return "Prometheus and promtool are not here: install Debian's package prometheus";
  run("apt-get", ["update", "-qq"], { shown: true });
  run("apt-get", ["install", "-qq", "--yes", "--no-install-recommends", "prometheus"], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  return undefined;
}
