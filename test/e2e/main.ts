// End-to-end tests on a real cluster: npm run e2e | e2e:long [-- NAME ...], NAME being part of a test file's name.
//
// Brings the cluster and the images up (test/cluster), installs the CRDs and runs the tests. Where no cluster can be
// had it says so and does nothing; in CI that is a failure. In the cluster that KUBECONFIG names nothing is done unless
// SEGNAS_OPERATOR_IMAGE and SEGNAS_TRAINER_IMAGE name images that it can pull.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubectlProgram, program } from "../cluster/build.ts";
import { dockerRuns } from "../cluster/kind.ts";
import { HOME, KUBECONFIG, REPOSITORY, RUN, succeeds, TAG } from "../cluster/machine.ts";

/** The folders of a suite, and how many of their files run at a time: most of the time they wait for pods. */
const SHORT = { short: 3, alone: 1 };
const SUITES = { short: SHORT, long: { ...SHORT, long: 1 } };
/** What the images are made of. */
const SOURCES = ["operator", "searchspace", "trainer", "crds", "setup"];

const [suite, ...names] = process.argv.slice(2) as ["short" | "long", ...string[]];
const kubeconfig = process.env.KUBECONFIG || KUBECONFIG;
const isOwn = kubeconfig === KUBECONFIG;

/** Why there is no cluster here and none can be made. */
function missing(): string | undefined {
  const { SEGNAS_OPERATOR_IMAGE: operator, SEGNAS_TRAINER_IMAGE: trainer } = process.env;
  // Nor is anything to be changed in a cluster that was not meant.
  if (!isOwn && !(operator && trainer))
    return `KUBECONFIG=${kubeconfig} names a cluster that nobody brings images to: say by SEGNAS_OPERATOR_IMAGE and SEGNAS_TRAINER_IMAGE which to use there, or unset KUBECONFIG`;
  if (!isOwn || dockerRuns()) return undefined;
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "KUBECONFIG names no cluster, no Docker engine runs, and a node of its own needs root on Linux";
  if (!existsSync(join(HOME, "bin", "kubelet")) && !succeeds("go", ["version"]))
    return "KUBECONFIG names no cluster, no Docker engine runs, and a node of its own needs Go";
  return undefined;
}

/** Ends this process: in CI tests that are not run are a failure. */
function skip(why: string): never {
  console.error(`e2e: skipped: ${why}.`);
  process.exit(process.env.CI ? 1 : 0);
}

/** Runs a program that what follows needs. */
async function step(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, {
    cwd: REPOSITORY,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });
  const [code] = await once(child, "exit");
  if (code !== 0) skip(`there is no cluster without ${args.slice(0, 2).join(" ")}, which failed`);
}

/** Builds and loads the images that have changed. */
async function bringImages(): Promise<void> {
  const files = globSync(
    SOURCES.map((room) => `${room}/**/*.*`),
    { cwd: REPOSITORY, exclude: ["**/node_modules"] },
  ).sort();
  const hash = createHash("sha256");
  for (const file of [...files, "operator/Dockerfile", "trainer/Dockerfile", "package-lock.json"])
    hash.update(file).update(readFileSync(join(REPOSITORY, file)));
  const [stamp, made] = [join(RUN, `images-${TAG}`), hash.digest("hex")];
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === made) return;
  await step(process.execPath, ["test/cluster/main.ts", "images"]);
  writeFileSync(stamp, made);
}

const runs = Object.entries(SUITES[suite]).flatMap(([folder, concurrency]) => {
  const files = globSync(`test/e2e/${folder}/*.test.ts`, { cwd: REPOSITORY }).filter(
    (file) => names.length === 0 || names.some((name) => file.includes(name)),
  );
  return files.length > 0 ? [{ files, concurrency }] : [];
});
if (runs.length === 0) {
  const folders = Object.keys(SUITES[suite]).join(" and ");
  console.error(
    `e2e: no file in ${folders} has ${names.join(" or ")} in its name (e2e:long has those that take long).`,
  );
  process.exit(1);
}
const why = missing();
if (why) skip(why);
await step(process.execPath, ["test/cluster/main.ts", "up"]);
if (isOwn) await bringImages();
await step(await kubectlProgram(), ["apply", "--server-side", "--force-conflicts", "-f", "crds/"]);
// Once, before several tests ask for it at the same time.
await program("helm");
for (const { files, concurrency } of runs) {
  const tests = spawn(process.execPath, ["--test", `--test-concurrency=${concurrency}`, ...files], {
    cwd: REPOSITORY,
    stdio: "inherit",
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });
  const [code] = await once(tests, "exit");
  process.exitCode ||= code ?? 1;
}
