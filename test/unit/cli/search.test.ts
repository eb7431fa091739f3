// `segnas search` from its manifest to its result, with a trainer that does not train.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ListDocument } from "@segnas/operator/web/page/documents.ts";

const MAIN = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));

const MANIFEST = `apiVersion: segnas.dev/v1alpha1
kind: ArchitectureSearch
metadata: {name: small}
spec:
  maxTrials: 3
  policy: {batchSize: 2}
  dataset: {format: Shapes}
`;

/** Trial 1 fails, the others succeed; with HANG none comes to an end. */
const TRAINER = `
import { writeFileSync } from "node:fs";
if (process.argv.includes("--check") && process.env.REFUSE) console.error("spec.seed: is not mine");
if (process.argv.includes("--check")) process.exit(process.env.REFUSE ? 64 : 0);
process.on("SIGTERM", () => process.exit(75));
process.on("disconnect", () => process.exit(75));
if (process.env.HANG) await new Promise((resolve) => setTimeout(resolve, 60_000));
const { name } = JSON.parse(process.env.SEGNAS_TRIAL);
const failed = name.endsWith("-1");
const metrics = { meanIoU: 0.4, meanAccuracy: 0.5, frequencyWeightedIoU: 0.6 };
const result = failed
  ? { outcome: "Failed", cause: "NonFiniteLoss", message: "The loss was NaN at step 3." }
  : { outcome: "Succeeded", reward: 0.5, metrics, slots: [], parameters: 1000, macs: 5, seconds: 1 };
writeFileSync(process.env.SEGNAS_RESULT, JSON.stringify(result));
process.exit(failed ? 65 : 0);
`;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "segnas-test-"));
  await writeFile(join(folder, "trainer.mjs"), TRAINER);
});
after(() => rm(folder, { recursive: true, force: true }));

function start(args: string[], env: Record<string, string> = {}, manifest = MANIFEST) {
  const child = spawn(process.execPath, [MAIN, "search", "-f", "-", "--trainer", "trainer.mjs", ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  child.stdin.end(manifest);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const outcome = async () => {
    const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  };
  return { child, outcome: outcome() };
}

test("a search runs to its end, says what happened, and is there when it is asked again", async () => {
  const first = await start([]).outcome;
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^small-0 done: reward 0\.500, mIoU 40\.0%/m);
  assert.match(first.stdout, /^small: 3 trials of 3 ended, 2 succeeded, 1 failed$/m);
  assert.match(
    first.stdout,
    /^ {2}small-1: the loss stopped being a finite number: The loss was NaN at step 3\.$/m,
  );
  assert.match(first.stdout, /^policy update 1: entropy \d+\.\d{3}$/m);
  await access(join(folder, ".segnas", "small", "report.html"));

  const again = await start(["--output", "json"]).outcome;
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /^small has ended/);
  const { state, counts } = JSON.parse(again.stdout);
  assert.deepEqual([state, counts.settled], ["Complete", 3]);

  const further = await start(["--output", "json", "--max-trials", "4"]).outcome;
  assert.equal(further.code, 0, further.stderr);
  assert.match(further.stderr, /^small goes on: 3 of 4 trials have ended$/m);
  assert.equal(JSON.parse(further.stdout).counts.settled, 4);
});

test("a folder with other files is one for a new search: nothing is stored there before the check passes", async () => {
  const state = join(folder, "premade");
  await mkdir(state);
  await writeFile(join(state, "notes.txt"), "mine");
  const args = ["--state", state, "--output", "json"];
  const refused = await start(args, { REFUSE: "1" }).outcome;
  assert.deepEqual([refused.code, refused.stderr], [64, "spec.seed: is not mine\n"]);
  assert.deepEqual(await readdir(state), ["notes.txt"]);

  const mended = await start(args, {}, `${MANIFEST}  seed: 99\n`).outcome;
  assert.equal(mended.code, 0, mended.stderr);
  assert.equal(JSON.parse(mended.stdout).state, "Complete");
  await access(join(state, "notes.txt"));
});

test("a signal stops the trials, and the search goes on from there", async () => {
  const state = ["--state", "stopped", "--output", "json"];
  const { child, outcome } = start(state, { HANG: "1" });
  const started = new Promise<void>((resolve) =>
    child.stderr.on("data", (data) => String(data).includes("small-0 started") && resolve()),
  );
  await started;
  child.kill("SIGINT");
  const stopped = await outcome;
  assert.equal(stopped.code, 130);
  assert.match(stopped.stderr, /run the same command again to go on\.\n$/);
  assert.equal(JSON.parse(stopped.stdout).state, "Stopped");

  const resumed = await start(state).outcome;
  assert.equal(resumed.code, 0, resumed.stderr);
  const { counts } = JSON.parse(resumed.stdout);
  assert.deepEqual([counts.succeeded, counts.failed], [2, 1]);
});

test("the page of a search that has ended is served until a signal", async () => {
  const state = ["--state", "ended"];
  assert.equal((await start(state).outcome).code, 0);
  const { child, outcome } = start([...state, "--page", "0"]);
  let said = "";
  await new Promise<void>((resolve) =>
    child.stdout.on("data", (data) => {
      said += data;
      if (said.includes("until Ctrl-C")) resolve();
    }),
  );
  assert.match(said, /^small: 3 trials of 3 ended/m);
  const url = /^Page: (\S+)$/m.exec(said)![1];
  const list = (await (await fetch(`${url}api/searches`)).json()) as ListDocument;
  assert.deepEqual(
    list.searches.map(({ name, state }) => [name, state]),
    [["small", "Complete"]],
  );
  child.kill("SIGINT");
  assert.equal((await outcome).code, 0);
});

test("--log-level logs what happens to standard error, a line of JSON an event", async () => {
  const level = (level: string) => start(["--state", level, "--log-level", level]).outcome;
  const [all, warnings] = [await level("info"), await level("warn")];
  const lines = (text: string) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  const entered = lines(all.stderr).filter(({ message }) => message === "trial entered");
  assert.deepEqual(
    // In the order in which they end.
    entered.map(({ search, trial }) => [search, trial]).sort(),
    [0, 1, 2].map((i) => ["small", `small-${i}`]),
  );
  assert.deepEqual(
    lines(warnings.stderr).map(({ level, trial }) => [level, trial]),
    [["warn", "small-1"]],
  );
  assert.equal(warnings.code, 0);
});
