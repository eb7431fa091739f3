// The ledger as a row of SearchRecords.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConflictError } from "@segnas/operator/api/store.ts";
import { writeEntry } from "@segnas/operator/ledger/entry.ts";
import { appendEntry, type Ledger, readLedger } from "@segnas/operator/ledger/shards.ts";
import { makeSearch } from "../controllers/objects.ts";
import { temporaryStore } from "../local/folder.ts";
import { succeeded } from "./entries.ts";

const search = makeSearch();
const EMPTY_LEDGER: Ledger = { entries: [], last: undefined };

test("entries come back in order from shards of at most 64 KiB, all but the last of them sealed", async (context) => {
  const store = temporaryStore(context);
  const entries = Array.from({ length: 150 }, (_, n) => succeeded(n, { message: "x".repeat(700) }));
  let ledger = EMPTY_LEDGER;
  for (const entry of entries) ledger = await appendEntry(store, search, ledger, entry);
  const shards = await store.list("SearchRecord", "default");
  assert.ok(shards.length > 1);
  for (const shard of shards) assert.ok(JSON.stringify(shard).length <= 64 * 1024);
  assert.deepEqual(
    shards.map(({ metadata }) => metadata.name),
    shards.map((_, k) => `s-ledger-${k}`),
  );
  assert.deepEqual(
    shards.map(({ spec }) => spec.sealed),
    shards.map((_, k) => k < shards.length - 1),
  );
  assert.deepEqual((await readLedger(store, search)).entries, entries);
});

test("of two writers the second is refused", async (context) => {
  const store = temporaryStore(context);
  const one = await appendEntry(store, search, EMPTY_LEDGER, succeeded(0));
  await appendEntry(store, search, one, succeeded(1));
  await assert.rejects(appendEntry(store, search, one, succeeded(1)), ConflictError);
  await assert.rejects(appendEntry(store, search, EMPTY_LEDGER, succeeded(0)), {
    name: "AlreadyExistsError",
  });
});

const broken: [string, { shard: number; sealed: boolean; numbers: number[] }[], RegExp][] = [
  [
    "a shard that is missing",
    [{ shard: 1, sealed: false, numbers: [0] }],
    /shard 0 is missing, s-ledger-1 follows/,
  ],
  [
    "a shard that is not sealed before the next",
    [
      { shard: 0, sealed: false, numbers: [0] },
      { shard: 1, sealed: false, numbers: [1] },
    ],
    /s-ledger-0 is not sealed/,
  ],
  ["a gap", [{ shard: 0, sealed: false, numbers: [0, 2] }], /entry 2 follows a gap \(entry 1 expected\)/],
  [
    "a double",
    [{ shard: 0, sealed: false, numbers: [0, 1, 1] }],
    /entry 1 is there twice \(entry 2 expected\)/,
  ],
];
for (const [what, shards, message] of broken) {
  test(`${what} stops the reading, and is named`, async (context) => {
    const store = temporaryStore(context);
    for (const { shard, sealed, numbers } of shards) {
      await store.create<"SearchRecord">({
        apiVersion: "segnas.dev/v1alpha1",
        kind: "SearchRecord",
        metadata: { name: `s-ledger-${shard}`, labels: { "segnas.dev/ledger": "s" } },
        spec: { search: "s", shard, sealed, entries: numbers.map((n) => writeEntry(succeeded(n))) },
      });
    }
    await assert.rejects(readLedger(store, search), message);
  });
}

test("a trial that is entered twice stops the reading", async (context) => {
  const store = temporaryStore(context);
  const ledger = await appendEntry(store, search, EMPTY_LEDGER, succeeded(0));
  await appendEntry(store, search, ledger, succeeded(1, { index: 0, trial: "s-0" }));
  await assert.rejects(readLedger(store, search), /s-0 is entered twice/);
});
