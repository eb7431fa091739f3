// End-to-end tests on a real cluster: npm run e2e | e2e:long [-- NAME ...], NAME being part of a test file's name.
//
// Brings the cluster and the images up (test/cluster), installs the CRDs and runs the tests. Where no cluster can be
// had it says so and does nothing; in CI that is a failure.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubectlProgram } from "../cluster/build.ts";
import { dockerRuns } from "../cluster/kind.ts";
import { HOME, KUBECONFIG, REPOSITORY, RUN, succeeds } from "../cluster/machine.ts";

/** The folders of a suite, and how many of their files run at a time: most of the time they wait for pods. */
const SUITES = { short: { short: 3, alone: 1 }, long: { long: 1 } };
/** What the images are made of. */
const SOURCES = ["operator", "searchspace", "trainer", "crds", "setup"];

const [suite, ...names] = process.argv.slice(2) as ["short" | "long", ...string[]];
const kubeconfig = process.env.KUBECONFIG || KUBECONFIG;
const isOwn = kubeconfig === KUBECONFIG;

/** Why there is no cluster here and none can be made. */
function missing(): string | undefined {
  if (!isOwn || dockerRuns()) return undefined;
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "KUBECONFIG names no cluster, no Docker engine runs, and a node of its own needs root on Linux";
  if (!existsSync(join(HOME, "bin", "kubelet")) && !succeeds("go", ["version"]))
    return "KUBECONFIG names no cluster, no Docker engine runs, and a node of its own needs Go";
  return undefined;
}

/** Ends this process where the program fails. */
async function step(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, {
    cwd: REPOSITORY,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });
  const [code] = await once(child, "exit");
  if (code !== 0) process.exit(1);
}

/** Images of somebody else's cluster are its owner's to bring there. */
async function bringImages(): Promise<void> {
  const files = globSync(
    SOURCES.map((room) => `${room}/**/*.*`),
    { cwd: REPOSITORY, exclude: ["**/node_modules"] },
  ).sort();
  const hash = createHash("sha256");
  for (const file of [...files, "operator/Dockerfile", "trainer/Dockerfile", "package-lock.json"])
    hash.update(file).update(readFileSync(join(REPOSITORY, file)));
  const [stamp, made] = [join(RUN, "images"), hash.digest("hex")];
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === made) return;
  await step(process.execPath, ["test/cluster/main.ts", "images"]);
  writeFileSync(stamp, made);
}

const why = missing();
if (why) {
  console.error(`e2e: skipped: ${why}.`);
  process.exit(process.env.CI ? 1 : 0);
}
await step(process.execPath, ["test/cluster/main.ts", "up"]);
if (isOwn) await bringImages();
await step(await kubectlProgram(), ["apply", "--server-side", "--force-conflicts", "-f", "crds/"]);
for (const [folder, concurrency] of Object.entries(SUITES[suite])) {
  const files = globSync(`test/e2e/${folder}/*.test.ts`, { cwd: REPOSITORY }).filter(
    (file) => names.length === 0 || names.some((name) => file.includes(name)),
  );
  if (files.length === 0) continue;
  const tests = spawn(process.execPath, ["--test", `--test-concurrency=${concurrency}`, ...files], {
    cwd: REPOSITORY,
    stdio: "inherit",
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });
  const [code] = await once(tests, "exit");
  process.exitCode ||= code ?? 1;
}
