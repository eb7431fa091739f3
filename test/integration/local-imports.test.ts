// A search on this machine that begins with another's ledger: killed on the way, gone on with, and without the other.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isImported } from "@segnas/operator/ledger/entry.ts";
import { readLedger } from "@segnas/operator/ledger/shards.ts";
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { folderReader } from "@segnas/operator/local/source.ts";
import { verifyFolder } from "@segnas/operator/local/verify.ts";
import { changedCopy, newFolder, options, removeFolder, search, timeless } from "./local-fixtures.ts";

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const root = newFolder();
const first = join(root, "first");
const pretence = { milliseconds: 10, misdeeds: { 3: [65], 6: [1, 1] } };
/** Each of its updates takes a while, so that there is time to kill it between them. */
const SECOND = { maxTrials: 4, policy: { name: "ppo", batchSize: 1, epochs: 6 } };
const TAKEN = 11;

const named = (name: string, spec: object) => ({ ...search(spec), metadata: { name } });

before(async () => {
  const opening = options(first, {}, pretence);
  const local = await openLocalSearch({ ...opening, search: named("first", { maxTrials: 12, retries: 1 }) });
  await local.run(new AbortController().signal);
  await local.close();
});
after(() => removeFolder(root));

/** `segnas search` of a search in root/second, with these in place of what is usual. */
function start(spec: object, args: string[] = [], name = "second") {
  const manifest = join(root, "manifest.json");
  const startingPoints = { search: "first" };
  writeFileSync(manifest, JSON.stringify(named(name, { startingPoints, ...SECOND, ...spec })));
  const command = [
    path("../../cli/main.ts"),
    "search",
    "-f",
    manifest,
    "--trainer",
    path("../long/trainer.ts"),
  ];
  return spawn(process.execPath, [...command, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PRETEND: JSON.stringify(pretence) },
  });
}

async function run(...args: Parameters<typeof start>) {
  const child = start(...args);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const [code] = await once(child, "close");
  return { code, output };
}

const STATE = ["--state", join(root, "second")];

async function entriesIn(folder: string) {
  if (!existsSync(join(folder, "objects.sqlite"))) return [];
  const reader = folderReader(folder);
  const [own] = await reader.list("ArchitectureSearch");
  return own ? (await readLedger(reader, own)).entries : [];
}

test("what does not agree is refused at once, and nothing is made", async () => {
  const refusals: [object, string[], RegExp][] = [
    [
      { seed: 8 },
      STATE,
      /^spec\.seed is 8, but 7 in the search first, which spec\.startingPoints\.search names/,
    ],
    [
      {},
      [...STATE, "--start-from", join(root, "none")],
      /none holds no search; give the right folder with --start-from$/,
    ],
    [
      { startingPoints: { search: "third" } },
      [...STATE, "--start-from", first],
      /holds the search first, not third; give the right folder/,
    ],
  ];
  for (const [spec, args, message] of refusals) {
    const { code, output } = await run(spec, args);
    assert.equal(code, 64, output);
    assert.match(output.trim(), message);
    assert.ok(!existsSync(join(root, "second")));
  }
});

test("killed in the middle of it, it takes over the rest and comes to what an undisturbed search does", async () => {
  // The name of the other search comes from its folder.
  const undisturbed = join(root, "elsewhere", "second");
  const { code, output } = await run({ startingPoints: {} }, ["--state", undisturbed, "--start-from", first]);
  assert.equal(code, 0, output);
  assert.match(output, /^Begins with 11 trials of first, the best of them first-\d+ with reward 0\.\d+$/m);
  for (const moment of [2, 6]) {
    const child = start({}, STATE);
    const exit = once(child, "exit");
    // The folder may be in the making.
    const count = () =>
      entriesIn(join(root, "second")).then(
        ({ length }) => length,
        () => 0,
      );
    while ((await count()) < moment) await wait(20);
    child.kill("SIGKILL");
    await exit;
    const taken = await entriesIn(join(root, "second"));
    assert.ok(taken.length < TAKEN && taken.every(isImported));
    const { findings, notes } = await verifyFolder(join(root, "second"));
    assert.deepEqual(findings, []);
    assert.equal(notes[0], `${taken.length} of ${TAKEN} trials of first are taken over: it was interrupted`);
  }
  const resumed = await run({}, STATE);
  assert.equal(resumed.code, 0, resumed.output);
  const entries = await entriesIn(join(root, "second"));
  assert.equal(entries.length, TAKEN + SECOND.maxTrials);
  assert.deepEqual(timeless(entries), timeless(await entriesIn(undisturbed)));
  const { findings, imported, samples } = await verifyFolder(join(root, "second"));
  assert.deepEqual([findings, imported, samples], [[], TAKEN, SECOND.maxTrials]);
});

test("once all is taken over the other search is needed no more", async () => {
  renameSync(first, join(root, "gone"));
  const { code, output } = await run({ maxTrials: 6 }, STATE);
  assert.equal(code, 0, output);
  assert.deepEqual((await verifyFolder(join(root, "second"))).findings, []);
  assert.equal((await entriesIn(join(root, "second"))).length, TAKEN + 6);
  renameSync(join(root, "gone"), first);
});

test("a changed byte of what was taken over is noticed", async () => {
  const changes: [RegExp, (body: string) => string, RegExp][] = [
    [
      /ledger-0$/,
      (body) => body.replace('\\"source\\":\\"first', '\\"source\\":\\"worst'),
      /entry 0 in .*ledger-0 is not/,
    ],
    [
      /ledger-0$/,
      (body) => body.replace(`"count":${TAKEN}`, '"count":10'),
      /ledger-0 is not as it was written/,
    ],
    [
      /^second$/,
      (body) => body.replace(`"imported":${TAKEN}`, '"imported":10'),
      /the status's imported is not/,
    ],
  ];
  for (const [k, [name, change, finding]] of changes.entries()) {
    const copy = changedCopy(join(root, "second"), join(root, `copy-${k}`), name, change);
    const { findings } = await verifyFolder(copy);
    assert.ok(
      findings.some((sentence) => finding.test(sentence)),
      findings.join("\n"),
    );
  }
});

test("the plan tells what would be taken over, or what is against it", async () => {
  const plan = (spec: object, ...args: string[]) => {
    const manifest = join(root, "plan.json");
    writeFileSync(manifest, JSON.stringify(named("second", { ...SECOND, ...spec })));
    const command = [
      path("../../cli/main.ts"),
      "plan",
      "-f",
      manifest,
      "--no-measure",
      "--start-from",
      first,
    ];
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) =>
      execFile(process.execPath, [...command, ...args], (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      ),
    );
  };
  const told = await plan({});
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stdout, /^Takes over +11 trials of first, the best of them first-\d+/m);
  assert.match(told.stdout, /^Updates +15 updates/m);
  const refused = await plan({ gate: { type: "None" } }, "-o", "json");
  assert.equal(refused.code, 64);
  assert.match(refused.stderr, /^spec\.gate\.type is "None", but "RunningMean" in the search first/);
  assert.equal(JSON.parse(refused.stdout).problems.length, 1);
});
