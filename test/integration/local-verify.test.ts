// `segnas verify` on real folders: an untouched one agrees, and a changed byte is noticed wherever it is.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { openStore } from "@segnas/operator/local/store.ts";
import { verifyFolder } from "@segnas/operator/local/verify.ts";
import { changedCopy, newFolder, options, policyHash, removeFolder } from "./local-fixtures.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const root = newFolder();
const folder = join(root, "search");
const spec = { maxTrials: 14 };
const opening = { ...options(folder, spec, { milliseconds: 10, misdeeds: { 3: [65] } }), snapshotEvery: 4 };
let hash = "";

before(async () => {
  const local = await openLocalSearch(opening);
  await local.run(new AbortController().signal);
  hash = await policyHash(await local.view());
  await local.close();
});
after(() => removeFolder(root));

let copies = 0;
const changed = (name: RegExp, change: (body: string) => string): string =>
  changedCopy(folder, join(root, `copy-${copies++}`), name, change);

test("an untouched search agrees, with its snapshots", async () => {
  const { findings, notes, entries, samples, trials, snapshots, policyUpdates } = await verifyFolder(folder);
  assert.deepEqual([findings, notes], [[], []]);
  assert.deepEqual([entries, samples, trials, policyUpdates], [14, 14, 14, 2]);
  // Of those after 4, 8 and 12 entries the last is not old enough to start from.
  assert.equal(snapshots, 2);
});

test("a search goes on from its snapshot as from all its entries, and without any where they are damaged", async () => {
  for (const damage of [/^$/, /snapshot-\d+-1$/, /snapshot-\d+-0$/]) {
    const copy = join(root, `copy-${copies++}`);
    cpSync(folder, copy, { recursive: true });
    const store = openStore(copy);
    for (const record of await store.list("SearchRecord", "default")) {
      if (!damage.test(record.metadata.name)) continue;
      const chunk = { ...record.spec.chunk!, data: record.spec.chunk!.data.replace(/[A-Y]/, "Z") };
      await store.update<"SearchRecord">({ ...record, spec: { ...record.spec, chunk } });
    }
    store.close();
    const local = await openLocalSearch({ ...opening, stateDir: copy });
    const view = await local.view();
    assert.equal(view.policy.length, 2);
    assert.equal(await policyHash(view), hash);
    await local.close();
  }
});

const flips: [string, RegExp, (body: string) => string, RegExp][] = [
  [
    "an entry",
    /ledger-0$/,
    (body) => body.replace('\\"gpuSeconds\\":0.', '\\"gpuSeconds\\":1.'),
    /entry \d+ in .*ledger-0 is not as it was written/,
  ],
  [
    "an entry's digest",
    /ledger-0$/,
    (body) => body.replace(/"digest":"./, '"digest":"~'),
    /entry 0 in .*ledger-0 is not/,
  ],
  [
    "a shard's epoch",
    /ledger-0$/,
    (body) => body.replace('"epoch":1', '"epoch":2'),
    /ledger-0 is not as it was written/,
  ],
  [
    "a shard's label",
    /ledger-0$/,
    (body) => body.replace("segnas.dev/ledger", "segnas.dev/ledges"),
    /ledger holds 0: records are missing/,
  ],
  [
    "a chunk",
    /snapshot-\d+-0$/,
    (body) => body.replace(/"data":"./, '"data":"A'),
    /snapshot-\d+-0 is not as it was written/,
  ],
  [
    "a chunk's place",
    /snapshot-\d+-1$/,
    (body) => body.replace('"number":1', '"number":7'),
    /snapshot-\d+-1 is not named as what it holds/,
  ],
  [
    "a manifest",
    /snapshot-\d+$/,
    (body) => body.replace(/"chunks":\["./, '"chunks":["~'),
    /snapshot-\d+ is not as it was written/,
  ],
  [
    "a manifest's kind of JSON",
    /snapshot-\d+$/,
    (body) => body.slice(1),
    /SearchRecord .*snapshot-\d+ is damaged/,
  ],
  [
    "a trial's decision",
    /^quick-5$/,
    (body) => body.replace(/"decisions":\[(\d)/, (_, digit) => `"decisions":[${1 - Number(digit > 0)}`),
    /trial quick-5: spec.decisions is not what/,
  ],
  [
    "a trial's seed",
    /^quick-5$/,
    (body) => body.replace(/"seed":(\d)/, '"seed":9$1'),
    /trial quick-5: spec.seed is not what/,
  ],
  [
    "a trial's reward",
    /^quick-5$/,
    (body) => body.replace(/"reward":"0./, '"reward":"1.'),
    /entry 5 \(quick-5\): not what its trial came to/,
  ],
  [
    "the time of a trial's stage",
    /^quick-5$/,
    (body) => body.replace('"seconds":"0.7"', '"seconds":"0.8"'),
    /entry 5 \(quick-5\): not what its trial came to/,
  ],
  [
    "the search's seed",
    /^quick$/,
    (body) => body.replace('"seed":7', '"seed":8'),
    /not what version 0 of the policy proposes/,
  ],
  [
    "the best reward",
    /^quick$/,
    (body) =>
      body.replace(
        /"best":\{"trial":"quick-(\d+)","index":\d+,"reward":"0/,
        '"best":{"trial":"quick-$1","index":1,"reward":"1',
      ),
    /the status's best is not what the ledger gives/,
  ],
  [
    "the count of what succeeded",
    /^quick$/,
    (body) => body.replace(/"succeeded":1/, '"succeeded":2'),
    /the status's trials is not what the ledger gives/,
  ],
  [
    "the time that was spent",
    /^quick$/,
    (body) => body.replace(/"gpuSeconds":"/, '"gpuSeconds":"9'),
    /the status's gpuSeconds is not what the ledger gives/,
  ],
  [
    "the policy's entropy",
    /^quick$/,
    (body) => body.replace(/"policyEntropy":"/, '"policyEntropy":"9'),
    /the status's policyEntropy is not what the ledger gives/,
  ],
];
for (const [what, name, change, finding] of flips) {
  test(`a change in ${what} is noticed and named`, async () => {
    const { findings } = await verifyFolder(changed(name, change));
    assert.ok(
      findings.some((sentence) => finding.test(sentence)),
      findings.join("\n"),
    );
    assert.match(findings[0]!, /the record of \w+ \S+ is not as it was written/);
  });
}

// Their replay ended with "Cannot read properties of undefined", and what was found already was not told.
for (const [what, name, change] of [
  ["a trial", /^quick-2$/, (body: string) => body.replace('"spec":', '"spdc":')],
  ["the search", /^quick$/, (body: string) => body.replace('"metadata":', '"metadatb":')],
  ["a shard", /ledger-0$/, (body: string) => body.replace('"metadata":', '"metadatb":')],
] as const)
  test(`${what} without a field that all have is named, though nothing can be replayed`, async () => {
    const { findings, notes } = await verifyFolder(changed(name, change));
    assert.equal(findings.length, 1, findings.join("\n"));
    assert.match(findings[0]!, /^the record of \w+ \S+ is not as it was written$/);
    assert.deepEqual(notes, ["what is damaged kept the ledger from being replayed"]);
  });

/** A copy of the folder with a byte of one of its files changed. */
function flippedCopy(from: string, file: string, at: number): string {
  const copy = join(root, `copy-${copies++}`);
  cpSync(from, copy, { recursive: true });
  const bytes = readFileSync(join(copy, file));
  bytes[at]! ^= 4;
  writeFileSync(join(copy, file), bytes);
  return copy;
}

test("a database that SQLite cannot read is a finding", async () => {
  const database = new DatabaseSync(join(folder, "objects.sqlite"), { readOnly: true });
  const roots = database.prepare("SELECT rootpage FROM sqlite_schema").all() as { rootpage: number }[];
  database.close();
  const at = (byte: number) => verifyFolder(flippedCopy(folder, "objects.sqlite", byte));
  assert.deepEqual((await at(0)).findings, ["objects.sqlite: file is not a database"]);
  for (const { rootpage } of roots) {
    const { findings } = await at(4096 * (rootpage - 1));
    assert.deepEqual(findings, ["objects.sqlite: database disk image is malformed"]);
  }
});

// SQLite drops what follows the byte, and opening the database made that last: `verify` then found that all agreed.
test("a changed byte in the log of a killed process is a finding, and a search does not go on from it", async () => {
  const killed = join(root, "killed");
  const local = await openLocalSearch({ ...opening, stateDir: killed });
  await local.run(new AbortController().signal);
  // With a reader the log stays when it is closed, as it does when a process is killed.
  const reader = new DatabaseSync(join(killed, "objects.sqlite"), { readOnly: true });
  reader.exec("BEGIN; SELECT count(*) FROM objects");
  await local.close();
  const whole = join(root, "left");
  cpSync(killed, whole, { recursive: true });
  reader.close();
  const file = "objects.sqlite-wal";
  const log = readFileSync(join(whole, file));
  const frame = 24 + 4096;
  const isOfNow = (at: number) => log.subarray(at + 8, at + 16).equals(log.subarray(16, 24));
  let frames = 0;
  while (isOfNow(32 + frames * frame)) frames++;
  // The last transaction may not have been written wholly.
  for (const at of [20, ...[0.1, 0.3, 0.6].map((part) => 500 + 32 + Math.floor(frames * part) * frame)]) {
    const copy = flippedCopy(whole, file, at);
    const before = readFileSync(join(copy, file));
    for (let i = 0; i < 2; i++) {
      const { findings } = await verifyFolder(copy);
      assert.equal(findings.length, 1);
      assert.match(findings[0]!, /^objects\.sqlite-wal: from byte \d+ on not as it was written, which loses/);
      await assert.rejects(openLocalSearch({ ...opening, stateDir: copy }), {
        name: "UserError",
        message: new RegExp(`: cannot be used for a search \\(${findings[0]}\\); .*truncate -s \\d+ ${copy}`),
      });
    }
    assert.deepEqual(readFileSync(join(copy, file)), before);
  }
  const { findings, entries } = await verifyFolder(whole);
  assert.deepEqual([findings, entries], [[], 14]);
});

// It was refused: another process runs the search. Its lock is free again once there is a copy.
test("a search that runs, or where nothing may be written, is verified as it is", async () => {
  const running = openStore(folder);
  const { findings, entries, search } = await verifyFolder(folder);
  running.close();
  assert.deepEqual([findings, entries, search], [[], 14, "quick"]);
  const bad = changed(/^quick-5$/, (body) => body.replace(/"reward":"0./, '"reward":"1.'));
  const holder = openStore(bad);
  const told = await verifyFolder(bad);
  holder.close();
  assert.deepEqual(told, await verifyFolder(bad));
  const unreadable = flippedCopy(folder, "objects.sqlite", 0);
  const lock = new DatabaseSync(join(unreadable, "lock.sqlite"));
  lock.exec("BEGIN IMMEDIATE");
  assert.deepEqual((await verifyFolder(unreadable)).findings, ["objects.sqlite: file is not a database"]);
  lock.close();
  const before = readdirSync(folder).sort();
  const verifying = verifyFolder(folder);
  let isDone = false;
  const done = verifying.then(() => {
    isDone = true;
  });
  // It takes many turns, and in each a search may begin.
  let opened = 0;
  for (; !isDone; opened++) {
    openStore(folder).close();
    await turn();
  }
  await done;
  assert.ok(opened > 3);
  assert.deepEqual((await verifying).findings, []);
  assert.deepEqual(readdirSync(folder).sort(), before);
});

// It named the copy that it had made, which was gone by then.
test("what cannot be verified is told of the folder that was given", async () => {
  const other = join(root, "other");
  cpSync(folder, other, { recursive: true });
  const database = new DatabaseSync(join(other, "objects.sqlite"));
  database.exec("DROP TABLE objects; CREATE TABLE objects (name TEXT)");
  database.close();
  const message = new RegExp(`^${other}: cannot be used for a search \\(objects.sqlite is another program's`);
  await assert.rejects(verifyFolder(other), { name: "UserError", message });
  const damaged = changed(/^quick$/, (body) => body.slice(1));
  const { search, findings } = await verifyFolder(damaged);
  assert.equal(search, damaged);
  assert.ok(
    findings.includes(`${damaged}: the record of ArchitectureSearch quick is damaged; give its backup`),
  );
});

test("the command says so in a few lines, and ends with 1 where something does not agree", async () => {
  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) =>
      execFile(process.execPath, [MAIN, "verify", ...args], (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      ),
    );
  const good = await run("--state", folder);
  assert.equal(good.code, 0, good.stderr);
  assert.deepEqual(await run("quick", "--state", folder), good);
  assert.match(
    good.stdout,
    /^quick: weights, samples and rewards agree\n {2}14 entries replayed, 2 policy updates\n {2}14 samples made again, 14 trials and 2 snapshots compared\n$/,
  );
  const bad = await run(
    "--state",
    changed(/ledger-0$/, (body) => body.replace('"epoch":1', '"epoch":2')),
    "-o",
    "json",
  );
  assert.equal(bad.code, 1, bad.stderr);
  assert.equal(JSON.parse(bad.stdout).agrees, false);
  for (const [state, message, ...names] of [
    ["", /^--state '': write a folder$/m],
    [root, /holds no search/],
    [folder, /holds the search quick\n$/, "other"],
  ] as const) {
    const wrong = await run("--state", state, ...names);
    assert.equal(wrong.code, 64);
    assert.match(wrong.stderr, message);
  }
});
