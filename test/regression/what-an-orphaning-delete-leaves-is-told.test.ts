// `kubectl delete --cascade=orphan` left a search's trials behind without an owner. A new search of the same name
// waited for them to go, which nobody was ever to do, and did not say so. The same with the Job of a trial. And where a
// search's SearchRecords were deleted by hand, an empty one was made in their place before the search said what was wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { isControlledBy, keyOf } from "@segnas/operator/api/store.ts";
import { reconcileSearch, stallSearch } from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { reconcileTrial, tellFailure } from "@segnas/operator/controllers/candidatetrial/reconcile.ts";
import { searchDependencies } from "../unit/controllers/dependencies.ts";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makeJob, makeSearch, makeTrial } from "../unit/controllers/objects.ts";
import { pretendPolicy } from "../unit/controllers/pretend-policy.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

async function world() {
  const store = memoryStore(() => NOW);
  const search = await store.create<"ArchitectureSearch">(makeSearch({ parallelism: 2 }));
  const dependencies = searchDependencies(store, { now: () => NOW, startPolicy: pretendPolicy });
  return { store, key: keyOf(search), dependencies };
}

test("a trial that nobody owns stalls the search that needs its name, until it is deleted", async () => {
  const { store, key, dependencies } = await world();
  const { metadata, ...rest } = makeTrial(0);
  const left = await store.create<"CandidateTrial">({
    ...rest,
    metadata: { ...metadata, ownerReferences: [] },
  });
  const { reason, message } = await reconcileSearch(dependencies, key).then(
    () => assert.fail("it goes on"),
    (error) => error,
  );
  assert.equal(reason, "NameTaken");
  assert.equal(
    message,
    "a CandidateTrial s-0 is there already, and is no search's: delete it (kubectl delete candidatetrial s-0 --namespace default), or take another name for the search",
  );
  await stallSearch(dependencies, key, reason, message);
  const says = async (type: string) =>
    (await store.get("ArchitectureSearch", key))!.status!.conditions!.find((one) => one.type === type);
  assert.deepEqual([(await says("Stalled"))?.status, (await says("Stalled"))?.reason], ["True", "NameTaken"]);

  await store.delete("CandidateTrial", keyOf(left), { uid: left.metadata.uid! });
  await reconcileSearch(dependencies, key);
  assert.equal((await says("Stalled"))?.status, "False");
  const made = await store.get("CandidateTrial", keyOf(left));
  assert.ok(isControlledBy(made!, (await store.get("ArchitectureSearch", key))!));
});

test("a trial says that another's Job has the name of its own", async () => {
  const { store, key, dependencies } = await world();
  await reconcileSearch(dependencies, key);
  const trial = (await store.get("CandidateTrial", { ...key, name: "s-0" }))!;
  const { metadata, ...rest } = makeJob(makeSearch(), trial);
  await store.create<"Job">({ ...rest, metadata: { ...metadata, ownerReferences: [] } });
  await reconcileTrial({ ...dependencies, retryDelay: () => 0 }, keyOf(trial));
  const { status } = (await store.get("CandidateTrial", keyOf(trial))) as CandidateTrial;
  assert.equal(
    status?.conditions?.[0]?.message,
    "its Job is not let in: a Job s-0-0 is there already, and is not this trial's",
  );
});

test("a record without its label is told of: it is not made again and again", async () => {
  const { store, key, dependencies } = await world();
  await reconcileSearch(dependencies, key);
  const [record] = await store.list("SearchRecord");
  await store.update<"SearchRecord">({ ...record!, metadata: { ...record!.metadata, labels: {} } });
  const { name } = record!.metadata;
  await assert.rejects(reconcileSearch({ ...dependencies, knowledge: new Map(), holder: "two" }, key), {
    reason: "LedgerUnusable",
    message: `ledger of s: the record ${name} has lost its label (kubectl label --overwrite searchrecord ${name} --namespace default segnas.dev/ledger=s) or its owner: put it back`,
  });
});

/** A search with its first trial, and that one's Job without labels. */
async function withoutLabels() {
  const begun = await world();
  await reconcileSearch(begun.dependencies, begun.key);
  const trial = (await begun.store.get("CandidateTrial", { ...begun.key, name: "s-0" }))!;
  const { metadata, ...rest } = makeJob(makeSearch(), trial);
  const job = await begun.store.create<"Job">({ ...rest, metadata: { ...metadata, labels: {} } });
  return { ...begun, trial, job };
}

test("a Job without its labels is still its trial's", async () => {
  const { store, dependencies, trial, job } = await withoutLabels();
  const startTime = "2026-06-01T00:00:00Z";
  const attempts = [{ number: 0, job: "s-0-0", uid: job.metadata.uid!, startTime }];
  await store.updateStatus<"CandidateTrial">({ ...trial, status: { attempts } });
  await reconcileTrial({ ...dependencies, retryDelay: () => 0 }, keyOf(trial));
  assert.deepEqual((await store.get("CandidateTrial", keyOf(trial)))?.status?.attempts, attempts);
});

test("a Job that lost its labels before its start is known by its name, and ends with its attempt", async () => {
  const { store, key, dependencies, trial, job } = await withoutLabels();
  let creates = 0;
  const counting = {
    ...store,
    create: (object: Parameters<typeof store.create>[0]) => {
      creates++;
      return store.create(object as never);
    },
  } as typeof store;
  const operator = { ...dependencies, store: counting, retryDelay: () => 0 };
  await reconcileTrial(operator, keyOf(trial));
  const attempt = async () => (await store.get("CandidateTrial", keyOf(trial)))?.status?.attempts?.at(-1);
  assert.equal((await attempt())?.uid, job.metadata.uid);
  assert.equal(creates, 1);

  const search = (await store.get("ArchitectureSearch", key))!;
  await store.update<"ArchitectureSearch">({ ...search, spec: { ...search.spec, suspend: true } });
  await reconcileTrial(operator, keyOf(trial));
  assert.equal((await attempt())?.cause, "Suspended");
  assert.equal(await store.get("Job", keyOf(job)), undefined);
});

test("a trial says what the operator cannot get done for it", async () => {
  const { store, key, dependencies } = await world();
  await reconcileSearch(dependencies, key);
  await tellFailure(dependencies, { ...key, name: "s-0" }, "jobs is forbidden");
  const told = async () =>
    (await store.get("CandidateTrial", { ...key, name: "s-0" }))?.status?.conditions?.[0];
  assert.deepEqual(
    [(await told())?.type, (await told())?.reason, (await told())?.message],
    ["Progressing", "ReconcileFailed", "jobs is forbidden"],
  );
  // And that it can again.
  await reconcileTrial({ ...dependencies, retryDelay: () => 0 }, { ...key, name: "s-0" });
  assert.equal((await told())?.reason, "Pending");
});

test("a ledger that is gone is told of, and none is made in its place", async () => {
  const { store, key, dependencies } = await world();
  const search = (await store.get("ArchitectureSearch", key))!;
  await store.updateStatus<"ArchitectureSearch">({ ...search, status: { entries: 3 } });
  await assert.rejects(reconcileSearch(dependencies, key), /it ends after 0 entries, but there were 3/);
  assert.deepEqual(await store.list("SearchRecord"), []);
});
