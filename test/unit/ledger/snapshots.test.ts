// Snapshots as records: whole or not at all, and two of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@segnas/operator/api/store.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { appendEntry, openLedger } from "@segnas/operator/ledger/shards.ts";
import {
  listManifests,
  readSnapshot,
  type Snapshot,
  writeSnapshot,
} from "@segnas/operator/ledger/snapshots.ts";
import { memoryStore } from "../controllers/memory-store.ts";
import { makeSearch } from "../controllers/objects.ts";
import { succeeded } from "./entries.ts";

const search = makeSearch();
const settings = { batchSize: 3, failureReward: -1, policyLag: 6, gate: undefined };
const policy = Uint8Array.from({ length: 1_200_000 }, (_, i) => i % 251);

async function ledgerOf(store: Store, length: number) {
  let ledger = await openLedger(store, search, "one", false);
  let state = EMPTY;
  const snapshots: Snapshot[] = [];
  for (let n = 0; n < length; n++) {
    ledger = await appendEntry(store, search, ledger, succeeded(n), n + 1);
    state = fold(settings, state, ledger.entries[n]!);
    snapshots.push({ state, updates: [], policy });
  }
  return { ledger, snapshots };
}
const names = async (store: Store) =>
  (await store.list("SearchRecord", "default"))
    .map(({ metadata }) => metadata.name.replace("search-uid-", ""))
    .filter((name) => name.startsWith("snapshot"));

test("a snapshot comes back as it was; of many the newest two stay, in chunks below the limit of objects", async () => {
  const store = memoryStore();
  const { ledger, snapshots } = await ledgerOf(store, 4);
  for (const snapshot of snapshots) await writeSnapshot(store, search, ledger, snapshot);
  assert.deepEqual(
    await names(store),
    [3, 4].flatMap((n) => [`snapshot-${n}`, `snapshot-${n}-0`, `snapshot-${n}-1`, `snapshot-${n}-2`]),
  );
  const manifests = await listManifests(store, search);
  assert.deepEqual(
    manifests.map(({ spec }) => spec.snapshot!.entries),
    [4, 3],
  );
  assert.deepEqual(await readSnapshot(store, search, ledger, manifests[0]!), snapshots[3]);
  for (const record of await store.list("SearchRecord", "default"))
    assert.ok(JSON.stringify(record).length < 1024 * 1024);
});

test("one without a manifest is none, and is written to its end by who comes after", async () => {
  const store = memoryStore();
  const { ledger, snapshots } = await ledgerOf(store, 2);
  const [first, second] = snapshots as [Snapshot, Snapshot];
  await writeSnapshot(store, search, ledger, first);
  let writes = 0;
  const dying: Store = {
    ...store,
    create: (object) => (++writes > 2 ? Promise.reject(new Error("killed")) : store.create(object)),
  };
  await assert.rejects(writeSnapshot(dying, search, ledger, second), /killed/);
  assert.equal((await listManifests(store, search)).length, 1);
  await writeSnapshot(store, search, ledger, second);
  const [newest] = await listManifests(store, search);
  assert.deepEqual(await readSnapshot(store, search, ledger, newest!), second);
});

test("what is damaged, missing or of another ledger does not count, and is mended where it is written again", async () => {
  const store = memoryStore();
  const { ledger, snapshots } = await ledgerOf(store, 2);
  const snapshot = snapshots[1]!;
  const read = async () => readSnapshot(store, search, ledger, (await listManifests(store, search))[0]!);
  const record = async (name: string) =>
    (await store.get("SearchRecord", { namespace: "default", name: `search-uid-${name}` }))!;
  const damages: [() => Promise<unknown>, RegExp][] = [
    [
      async () => {
        const chunk = await record("snapshot-2-1");
        const data = chunk.spec.chunk!.data.replace(/^./, (letter) => (letter === "A" ? "B" : "A"));
        await store.update({ ...chunk, spec: { ...chunk.spec, chunk: { ...chunk.spec.chunk!, data } } });
      },
      /snapshot-2-1 is not as it was written/,
    ],
    [
      async () => {
        const { metadata } = await record("snapshot-2-0");
        await store.delete(
          "SearchRecord",
          { namespace: "default", name: metadata.name },
          { uid: metadata.uid! },
        );
      },
      /snapshot-2-0 is missing/,
    ],
    [
      async () => {
        const manifest = await record("snapshot-2");
        await store.update({
          ...manifest,
          spec: { ...manifest.spec, snapshot: { ...manifest.spec.snapshot!, ledger: "another" } },
        });
      },
      /snapshot-2 is not as it was written/,
    ],
  ];
  for (const [damage, message] of damages) {
    await writeSnapshot(store, search, ledger, snapshot);
    assert.deepEqual(await read(), snapshot);
    await damage();
    await assert.rejects(read, message);
  }
  await writeSnapshot(store, search, ledger, snapshot);
  const other = { ...ledger, digests: ["a", "b"] };
  const [manifest] = await listManifests(store, search);
  await assert.rejects(readSnapshot(store, search, other, manifest!), /is of another ledger/);
});
