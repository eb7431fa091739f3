// The page's source in a cluster: caches, records, events and trainers.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { controllerReference, keyOf, type Store } from "@segnas/operator/api/store.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { appendEntry, type Ledger, openLedger, readLedger } from "@segnas/operator/ledger/shards.ts";
import { writeSnapshot } from "@segnas/operator/ledger/snapshots.ts";
import { type ClusterParts, clusterSource } from "@segnas/operator/web/page/cluster.ts";
import { noRecords, readOn } from "@segnas/operator/web/page/records.ts";
import { memoryStore } from "../controllers/memory-store.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";
import { sendJson, startApiServer } from "../kube/api-server.ts";
import { succeeded } from "../ledger/entries.ts";

const KEY = { namespace: "default", name: "s" };

/** A search with so many entries, as its status says too. */
async function searchOf(
  store: Store,
  entries: number,
): Promise<{ search: ArchitectureSearch; ledger: Ledger }> {
  const search = await store.create<"ArchitectureSearch">(makeSearch());
  const ledger = await grow(store, search, await openLedger(store, search, "operator", false), entries);
  return { search: await tell(store, entries), ledger };
}

async function grow(
  store: Store,
  search: ArchitectureSearch,
  from: Ledger,
  entries: number,
): Promise<Ledger> {
  let ledger = from;
  // Long enough that a shard does not hold many.
  const message = "x".repeat(900);
  while (ledger.entries.length < entries)
    ledger = await appendEntry(store, search, ledger, succeeded(ledger.entries.length, { message }), 1);
  return ledger;
}

async function tell(store: Store, entries: number): Promise<ArchitectureSearch> {
  const search = (await store.get("ArchitectureSearch", KEY))!;
  return store.updateStatus<"ArchitectureSearch">({ ...search, status: { ...search.status, entries } });
}

async function source(context: TestContext, store: Store, parts: Partial<ClusterParts> = {}) {
  const { client, calls } = await startApiServer(context, (call) => sendJson(call, { items: [] }));
  const failures: unknown[] = [];
  const made = clusterSource({
    ...{ store, client, notReady: () => undefined, knowledge: () => undefined, artifacts: undefined },
    failed: (error) => failures.push(error),
    ...parts,
  });
  return { source: made, calls, failures };
}

test("records are read on shard by shard, to the same entries as the ledger's", async () => {
  const store = memoryStore();
  const { search, ledger } = await searchOf(store, 130);
  const known = noRecords();
  await readOn(store.live, search, known);
  assert.ok(known.shard >= 2);
  assert.deepEqual(known.entries, (await readLedger(store.live, search)).entries);
  const gets: string[] = [];
  const counted = {
    ...store.live,
    get: ((kind, key) => {
      gets.push(key.name);
      return store.live.get(kind, key);
    }) as Store["get"],
  };
  await grow(store, search, ledger, 140);
  await readOn(counted, search, known);
  assert.equal(known.entries.length, 140);
  assert.ok(gets.length <= 2, gets.join());
});

test("the policy's updates are those of the newest snapshot", async () => {
  const store = memoryStore();
  const { search, ledger } = await searchOf(store, 3);
  const settings = { batchSize: 1, failureReward: 0, policyLag: 1, gate: undefined };
  const state = ledger.entries.reduce((before, entry) => fold(settings, before, entry), EMPTY);
  const updates = [{ update: 1, entropy: 40, baseline: 0.5, entry: 0 }];
  // As large as the policy's own part is, and with ends of lines in it.
  await writeSnapshot(store, search, ledger, { state, updates, policy: new Uint8Array(700_000).fill(10) });
  const known = noRecords();
  await readOn(store.live, search, known);
  assert.deepEqual(known.updates, updates);
});

test("records that do not follow each other are said to, and what came before is shown", async () => {
  const store = memoryStore();
  const { search } = await searchOf(store, 130);
  const name = `${search.metadata.uid}-ledger-1`;
  const record = (await store.live.get("SearchRecord", { namespace: "default", name }))!;
  const shard = { ...record.spec.shard!, entries: record.spec.shard!.entries.slice(1) };
  await store.update<"SearchRecord">({ ...record, spec: { ...record.spec, shard } });
  const known = noRecords();
  await readOn(store.live, search, known);
  assert.ok(known.entries.length > 0);
  assert.match(known.problem!, /^ledger of s: entry \d+ stands where \d+ should be$/);
});

test("a search that has ended is shown with its ledger; one of an earlier search of its name is not", async (context) => {
  const store = memoryStore();
  const { search } = await searchOf(store, 4);
  const add = (index: number, owner: ArchitectureSearch) => {
    const { metadata, ...rest } = makeTrial(index);
    const owned = { labels: { "segnas.dev/search": "s" }, ownerReferences: [controllerReference(owner)] };
    return store.create<"CandidateTrial">({
      ...rest,
      metadata: { ...metadata, ...owned, namespace: "default" },
    });
  };
  await add(4, search);
  await add(5, { ...search, metadata: { ...search.metadata, uid: "earlier" } });
  const { source: page, failures } = await source(context, store);
  const view = await page.view(KEY);
  assert.deepEqual([view?.entries.length, view?.trials.map(({ spec }) => spec.index)], [4, [4]]);
  assert.equal(await page.view({ ...KEY, name: "other" }), undefined);
  assert.deepEqual(failures, []);
});

test("what the leader knows is not read again", async (context) => {
  const store = memoryStore();
  const { search, ledger } = await searchOf(store, 3);
  const updates = [{ update: 1, entropy: 40, baseline: 0.5, entry: 0 }];
  const opening = Promise.resolve({ ledger, updates });
  const reads: string[] = [];
  const live = {
    ...store.live,
    get: async () => {
      reads.push("get");
      return undefined;
    },
  };
  const known = new Map([["default/s", { uid: search.metadata.uid!, opening }]]);
  const { source: page } = await source(context, { ...store, live }, { knowledge: () => known });
  const view = await page.view(KEY);
  assert.deepEqual([view?.entries, view?.policy, reads], [ledger.entries, updates, []]);
  // It lets go of what it knows once the search has ended.
  known.clear();
  assert.deepEqual((await page.view(KEY))?.policy, updates);
});

test("events are asked for now and then, by the page", async (context) => {
  const store = memoryStore();
  await searchOf(store, 0);
  const { source: page, calls } = await source(context, store);
  for (let i = 0; i < 5; i++) await page.view(KEY);
  assert.equal(calls.length, 2);
  for (const { query } of calls) assert.equal(query.limit, "500");
});

test("before the caches are full nothing is shown, and that is said", async (context) => {
  const store = memoryStore();
  await searchOf(store, 0);
  const { source: page } = await source(context, store, {
    notReady: () => "not every kind has been listed yet",
  });
  await assert.rejects(page.searches(), /^UserError: The operator is not ready: not every kind/);
  await assert.rejects(page.view(KEY), /^UserError/);
});

test("commands name the namespace, and a log is only there while its Job is", async (context) => {
  const store = memoryStore();
  const { search } = await searchOf(store, 0);
  const { source: page } = await source(context, store);
  const key = keyOf(search);
  assert.equal(
    page.log(key, "s-1-0", true)?.command,
    "kubectl --namespace default logs job/s-1-0 --container trainer --follow",
  );
  assert.equal(page.log(key, "s-1-0", false), undefined);
  for (const { command } of page.commands(key)) assert.match(command, /--namespace default/);
});
