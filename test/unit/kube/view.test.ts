// What people who look at a search are shown, from a store that others write to.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrialStatus } from "@segnas/operator/api/generated/candidatetrials.ts";
import { controllerReference, type Pod, type Reader, type Store } from "@segnas/operator/api/store.ts";
import { readMoment } from "@segnas/operator/kube/moment.ts";
import { createRemote } from "@segnas/operator/kube/remote.ts";
import { progressThrough, readEvents, readUpdates, readView } from "@segnas/operator/kube/view.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { appendEntry, openLedger } from "@segnas/operator/ledger/shards.ts";
import { writeSnapshot } from "@segnas/operator/ledger/snapshots.ts";
import { memoryStore } from "../controllers/memory-store.ts";
import { makeJob, makePod, makeSearch, makeTrial } from "../controllers/objects.ts";
import { succeeded } from "../ledger/entries.ts";
import { sendJson, startApiServer, status } from "./api-server.ts";

const time = "2026-03-01T00:00:00Z";
const training: CandidateTrialStatus = { attempts: [{ number: 0, job: "s-1-0", startTime: time }] };
const ended: CandidateTrialStatus = { result: { outcome: "Succeeded", reward: "0.5" }, entry: 0 };

async function addTrial(
  store: Store,
  search: ArchitectureSearch,
  index: number,
  status: CandidateTrialStatus,
) {
  const trial = makeTrial(index);
  const metadata = {
    ...trial.metadata,
    namespace: "default",
    labels: { "segnas.dev/search": "s" },
    ownerReferences: [controllerReference(search)],
  };
  const made = await store.create<"CandidateTrial">({ ...trial, metadata });
  return store.updateStatus<"CandidateTrial">({ ...made, status });
}

/** A search with an entry, a trial that has ended, one that trains and one of an earlier search of its name. */
async function world() {
  const store = memoryStore();
  const search = await store.create<"ArchitectureSearch">(makeSearch());
  await addTrial(store, search, 11, training);
  await addTrial(store, search, 0, ended);
  await addTrial(store, { ...search, metadata: { ...search.metadata, uid: "earlier" } }, 7, ended);
  const ledger = await openLedger(store, search, "operator", false);
  return { store, search, ledger: await appendEntry(store, search, ledger, succeeded(0), 1) };
}

function trainerPod(search: ArchitectureSearch): Pod {
  const job = makeJob(search, makeTrial(11));
  const pod = makePod(job, { phase: "Running" });
  const { labels = {} } = job.spec.template.metadata;
  return { ...pod, metadata: { ...pod.metadata, namespace: "default", labels } };
}

test("a view holds the search's own trials in their order, its entries and what trains", async () => {
  const { store, search } = await world();
  const view = await readView(store, search, async () => []);
  assert.deepEqual(
    view.trials.map(({ metadata }) => metadata.name),
    ["s-0", "s-11"],
  );
  assert.deepEqual(view.entries, [succeeded(0)]);
  assert.deepEqual(view.running, [{ trial: "s-11", stage: undefined }]);
  assert.equal(view.problem, undefined);
});

test("a damaged ledger is told, and hides no trial", async () => {
  const { store, search } = await world();
  const [record] = await store.list("SearchRecord", "default");
  const shard = { ...record!.spec.shard!, made: 99 };
  await store.update<"SearchRecord">({ ...record!, spec: { ...record!.spec, shard } });
  const view = await readView(store, search, async () => []);
  assert.match(view.problem!, /is not as it was written/);
  assert.deepEqual([view.entries, view.trials.length], [[], 2]);
});

test("progress is asked of the trainer's port through the API server", async (context) => {
  const { store, search } = await world();
  const pod = await store.create<"Pod">(trainerPod(search));
  await store.updateStatus<"Pod">({ ...pod, status: { phase: "Running" } });
  const progress = { stage: 0, epoch: 1, epochs: 2 };
  const { client, calls } = await startApiServer(context, (call) => sendJson(call, progress));
  const { running } = await readView(store, search, progressThrough(client));
  assert.deepEqual(running, [{ trial: "s-11", stage: "0", progress }]);
  assert.equal(calls[0]!.path, "/api/v1/namespaces/default/pods/s-11-0-pod:9090/proxy/progress");
});

test("without the right to ask trainers it is asked for once, and everything else is shown", async (context) => {
  const { store, search } = await world();
  const { client, calls } = await startApiServer(context, (call) =>
    sendJson(call, status(403, "Forbidden"), 403),
  );
  const ask = progressThrough(client);
  const pods = [trainerPod(search)];
  assert.deepEqual(await ask(pods), [{ trial: "s-11", stage: undefined }]);
  assert.deepEqual(await ask(pods), [{ trial: "s-11", stage: undefined }]);
  assert.equal(calls.length, 1);
  // Nor the right to list pods.
  const remote = createRemote(client);
  const reader: Reader = {
    ...store,
    list: (kind, ...rest) => (kind === "Pod" ? remote : store).list(kind, ...rest),
  };
  const { running } = await readView(reader, search, ask);
  assert.deepEqual(running, [{ trial: "s-11", stage: undefined }]);
});

test("the policy's updates are those of the newest snapshot that is whole", async () => {
  const { store, search, ledger } = await world();
  assert.deepEqual(await readUpdates(store, search), []);
  const settings = { batchSize: 1, failureReward: 0, policyLag: 2, gate: undefined };
  const updates = [{ update: 1, entropy: 52, baseline: 0.5, entry: 0 }];
  const state = fold(settings, EMPTY, succeeded(0));
  await writeSnapshot(store, search, ledger, { state, updates, policy: new Uint8Array(9) });
  assert.deepEqual(await readUpdates(store, search), updates);
  const chunk = (await store.list("SearchRecord")).find(({ spec }) => spec.chunk)!;
  const { namespace = "", name, uid = "" } = chunk.metadata;
  await store.delete("SearchRecord", { namespace, name }, { uid });
  assert.deepEqual(await readUpdates(store, search), []);
});

test("events are those of the search and the warnings of its own trials, the latest last", async (context) => {
  const { store, search } = await world();
  const view = await readView(store, search, async () => []);
  const event = (uid: string, name: string, reason: string, times: object) => ({
    ...{ regarding: { kind: "CandidateTrial", name, uid }, type: "Warning", reason, note: "so it was" },
    ...{ metadata: { name: reason, creationTimestamp: "2026-03-01T00:00:00Z" }, ...times },
  });
  const uid = view.trials[1]!.metadata.uid!;
  const { client, calls } = await startApiServer(context, (call) =>
    sendJson(call, {
      items: call.query.fieldSelector!.startsWith("regarding.kind=ArchitectureSearch,regarding.name=s")
        ? [{ ...event(search.metadata.uid!, "s", "Searching", {}), type: "Normal" }]
        : [
            event(uid, "s-11", "Evicted", {
              eventTime: time,
              series: { count: 2, lastObservedTime: "2026-03-01T02:00:00.5Z" },
            }),
            event(uid, "s-11", "Gone", { eventTime: "2026-03-01T01:00:00Z" }),
            event("another", "t-1", "Gone", {}),
          ],
    }),
  );
  assert.deepEqual(
    (await readEvents(client, view)).map(({ about, type, reason }) => [about, type, reason]),
    [
      ["s", "Normal", "Searching"],
      ["s-11", "Warning", "Gone"],
      ["s-11", "Warning", "Evicted"],
    ],
  );
  assert.deepEqual(
    calls.map(({ path }) => path),
    Array(2).fill("/apis/events.k8s.io/v1/namespaces/default/events"),
  );
});

test("warnings of another search do not hide ours, however many there are", async (context) => {
  const { store, search } = await world();
  const view = await readView(store, search, async () => []);
  const uid = view.trials.find(({ metadata }) => metadata.name === "s-11")!.metadata.uid;
  const warning = (uid: string | undefined) => ({
    ...{ type: "Warning", reason: "Evicted", note: "", eventTime: time, metadata: {} },
    regarding: { kind: "CandidateTrial", name: "s-11", uid },
  });
  const { client, calls } = await startApiServer(context, (call) => {
    const { fieldSelector = "", continue: page = "0" } = call.query;
    if (!fieldSelector.includes("CandidateTrial")) return sendJson(call, { items: [] });
    if (page === "2") return sendJson(call, { items: [warning(uid)], metadata: {} });
    return sendJson(call, { items: [warning("other")], metadata: { continue: String(Number(page) + 1) } });
  });
  assert.deepEqual(
    (await readEvents(client, view)).map(({ about }) => about),
    ["s-11"],
  );
  assert.equal(calls.length, 4);
});

test("a moment is read anew where the ledger went on meanwhile", async () => {
  const { store, search, ledger } = await world();
  let records = 0;
  const busy: Reader = {
    get: store.get,
    async list(kind, ...rest) {
      const listed = await store.list(kind, ...rest);
      // After the trials were read, and before the records are.
      if (kind === "SearchRecord" && ++records === 2)
        await appendEntry(store, search, ledger, succeeded(1), 2);
      return listed;
    },
  };
  const moment = await readMoment(busy, search);
  const [record] = await moment.reader.list("SearchRecord", "default", { "segnas.dev/ledger": "s" });
  assert.equal(record!.spec.shard!.entries.length, 2);
  assert.equal((await moment.reader.list("CandidateTrial", "elsewhere")).length, 0);
  const trial = await moment.reader.get("CandidateTrial", { namespace: "default", name: "s-0" });
  assert.equal(trial!.status!.entry, 0);
});
