// The ledger as a row of SearchRecords.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConflictError, type SearchRecord, type Store } from "@segnas/operator/api/store.ts";
import { type LedgerEntry, writeEntry } from "@segnas/operator/ledger/entry.ts";
import {
  appendEntry,
  digestOf,
  type Ledger,
  openLedger,
  readLedger,
  writeNotes,
} from "@segnas/operator/ledger/shards.ts";
import { makeSearch } from "../controllers/objects.ts";
import { temporaryStore } from "../local/folder.ts";
import { succeeded } from "./entries.ts";

const search = makeSearch();
const NAME = "search-uid-ledger-0";
const open = (store: Store, holder = "one", held = false) => openLedger(store, search, holder, held);
const append = (store: Store, ledger: Ledger, entry: LedgerEntry, made = entry.index + 1) =>
  appendEntry(store, search, ledger, entry, made);
const shardOf = ({ spec }: SearchRecord) => spec.shard!;

async function change(store: Store, name: string, shard: object, spec = {}): Promise<void> {
  const record = (await store.get("SearchRecord", { namespace: "default", name }))!;
  await store.update<"SearchRecord">({
    ...record,
    spec: { ...record.spec, shard: { ...shardOf(record), ...shard }, ...spec },
  });
}

test("entries come back in order from shards of at most 64 KiB, all but the last of them sealed", async (context) => {
  const store = temporaryStore(context);
  const entries = Array.from({ length: 150 }, (_, n) => succeeded(n, { message: "x".repeat(700) }));
  let ledger = await open(store);
  for (const entry of entries) ledger = await append(store, ledger, entry);
  const shards = await store.list("SearchRecord", "default");
  assert.ok(shards.length > 1);
  for (const shard of shards) assert.ok(JSON.stringify(shard).length <= 64 * 1024);
  assert.deepEqual(
    shards.map(({ metadata }) => metadata.name),
    shards.map((_, k) => `search-uid-ledger-${k}`),
  );
  assert.deepEqual(
    shards.map((shard) => shardOf(shard).sealed),
    shards.map((_, k) => k < shards.length - 1),
  );
  assert.deepEqual((await readLedger(store, search)).entries, entries);
  assert.deepEqual(await readLedger(store, search), ledger);
});

test("a new epoch shuts out who wrote before, and what is noted goes from shard to shard", async (context) => {
  const store = temporaryStore(context);
  const one = await append(store, await open(store), succeeded(0));
  const forgiven = await writeNotes(store, one, { forgiven: 1 });
  const two = await open(store, "two");
  assert.deepEqual(
    [two.last!.spec.shard.epoch, two.last!.spec.shard.forgiven, two.last!.spec.shard.made],
    [2, 1, 1],
  );
  for (const stale of [one, forgiven]) {
    await assert.rejects(append(store, stale, succeeded(1)), ConflictError);
    await assert.rejects(writeNotes(store, stale, { made: 9, reserved: 9 }), ConflictError);
  }
  await assert.rejects(open(store, "one", true), { name: "FencedError" });
  await append(store, two, succeeded(1));
  assert.equal((await readLedger(store, search)).entries.length, 2);
});

test("an epoch begins a shard where the last is sealed", async (context) => {
  const store = temporaryStore(context);
  let ledger = await open(store);
  for (let n = 0; shardOf(ledger.last!).number === 0; n++)
    ledger = await append(store, ledger, succeeded(n, { message: "x".repeat(9000) }));
  const { namespace = "default", name, uid } = ledger.last!.metadata;
  // As after a crash between the two writes; the entry of the second was never there.
  await store.delete("SearchRecord", { namespace, name }, { uid: uid! });
  const again = await open(store, "two");
  assert.deepEqual(
    [shardOf(again.last!).number, shardOf(again.last!).epoch, again.last!.metadata.name],
    [1, 2, "search-uid-ledger-1"],
  );
  assert.equal(again.entries.length, ledger.entries.length - 1);
});

/** Lines that fit each other, as nobody but a faulty program would write them. */
function lines(numbers: number[], index = (n: number) => n) {
  let digest = "search-uid";
  return numbers.map((number) => {
    const entry = writeEntry(succeeded(number, { index: index(number) }));
    digest = digestOf(digest, entry);
    return { entry, digest };
  });
}
const broken: [string, object, RegExp][] = [
  ["a shard that is missing", { number: 1 }, /shard 0 is missing, search-uid-ledger-0 follows/],
  ["a gap", { entries: lines([0, 2]) }, /entry 2 follows a gap \(entry 1 expected\)/],
  ["a double", { entries: lines([0, 1, 1]) }, /entry 1 is there twice \(entry 2 expected\)/],
  ["a trial that is entered twice", { entries: lines([0, 1], () => 0) }, /s-1 is entered twice/],
  [
    "a changed entry",
    { entries: lines([0]).map((line) => ({ ...line, entry: line.entry.replace("0.5", "0.6") })) },
    /entry 0 in search-uid-ledger-0 is not as it was written/,
  ],
  ["a changed note", { made: 7 }, /search-uid-ledger-0 is not as it was written/],
  [
    "another format",
    { format: { ledger: 9, algorithm: 1, segnas: "7.1.0" } },
    /format 9 and policy algorithm 1, segnas .* replays format 5 and algorithm 2: go on with segnas 7\.1\.0/,
  ],
  [
    "another algorithm",
    { format: { ledger: 2, algorithm: 5, segnas: "7.1.0" } },
    /algorithm 5.*go on with segnas 7\.1\.0/,
  ],
  [
    "a format from before there were any",
    { format: undefined },
    /go on with the version of segnas that began the search/,
  ],
];
for (const [what, shard, message] of broken) {
  test(`${what} stops the reading, and is named`, async (context) => {
    const store = temporaryStore(context);
    await append(store, await open(store), succeeded(0));
    await change(store, NAME, shard);
    await assert.rejects(readLedger(store, search), { name: "UserError", message });
  });
}

test("a shard that is not sealed before the next stops the reading", async (context) => {
  const store = temporaryStore(context);
  let ledger = await open(store);
  for (let n = 0; shardOf(ledger.last!).number === 0; n++)
    ledger = await append(store, ledger, succeeded(n, { message: "x".repeat(9000) }));
  await change(store, NAME, { sealed: false });
  await assert.rejects(readLedger(store, search), /search-uid-ledger-0 is not sealed/);
});
