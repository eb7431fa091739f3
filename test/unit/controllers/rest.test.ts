// What the operator keeps in memory of a search goes when there is nothing to do for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "@segnas/operator/api/store.ts";
import { reconcileSearch, stallSearch } from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { searchDependencies } from "./dependencies.ts";
import { memoryStore } from "./memory-store.ts";
import { makeJob, makeSearch } from "./objects.ts";
import { pretendPolicy } from "./pretend-policy.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

async function world(spec: object) {
  const store = memoryStore(() => NOW);
  const made = await store.create<"ArchitectureSearch">(makeSearch({ duplicates: "Retrain", ...spec }));
  const key = keyOf(made);
  const dependencies = searchDependencies(store, { now: () => NOW, startPolicy: pretendPolicy });
  const change = async (spec: object) => {
    const search = (await store.get("ArchitectureSearch", key))!;
    await store.update<"ArchitectureSearch">({ ...search, spec: { ...search.spec, ...spec } });
    await reconcileSearch(dependencies, key);
  };
  const conditions = async () =>
    (await store.get("ArchitectureSearch", key))!.status!.conditions!.map(
      ({ type, status }) => `${type} ${status}`,
    );
  await reconcileSearch(dependencies, key);
  return { store, key, dependencies, change, conditions };
}

test("a search that is suspended takes no memory, and goes on where it was", async () => {
  const { store, key, dependencies, change, conditions } = await world({ parallelism: 2 });
  assert.equal(dependencies.knowledge.size, 1);
  await change({ suspend: true });
  await reconcileSearch(dependencies, key);
  assert.equal(dependencies.knowledge.size, 0);
  const { resourceVersion } = (await store.get("ArchitectureSearch", key))!.metadata;
  await reconcileSearch(dependencies, key);
  assert.equal((await store.get("ArchitectureSearch", key))!.metadata.resourceVersion, resourceVersion);

  await change({ suspend: false, parallelism: 3 });
  const names = (await store.list("CandidateTrial")).map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["s-0", "s-1", "s-2"]);
  assert.deepEqual(await conditions(), ["Suspended False", "Progressing True"]);
});

test("a trial that is deleted while its search is suspended is not made once more", async () => {
  const { store, key, dependencies, change } = await world({ parallelism: 2, rewardOrder: "Completion" });
  await change({ suspend: true });
  await reconcileSearch(dependencies, key);
  const last = (await store.get("CandidateTrial", { ...key, name: "s-1" }))!;
  await store.delete("CandidateTrial", keyOf(last), { uid: last.metadata.uid! });
  // Another process goes on with it.
  await change({ suspend: false });
  const names = (await store.list("CandidateTrial")).map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["s-0", "s-2"]);
  assert.equal((await store.get("ArchitectureSearch", key))!.status?.trials?.deleted, 1);
});

test("a search is suspended once the Jobs of its trials are gone", async () => {
  const { store, key, dependencies, change, conditions } = await world({ parallelism: 1 });
  const trial = (await store.get("CandidateTrial", { ...key, name: "s-0" }))!;
  const job = await store.create<"Job">(makeJob(makeSearch(), trial));
  await change({ suspend: true });
  assert.deepEqual(await conditions(), ["Progressing False"]);
  await store.delete("Job", keyOf(job), { uid: job.metadata.uid! });
  await reconcileSearch(dependencies, key);
  assert.deepEqual(await conditions(), ["Suspended True", "Progressing False"]);
});

test("that a refused configuration was mended is still seen after the search has stalled", async () => {
  const { store, key, dependencies, conditions } = await world({ parallelism: 1 });
  const search = (await store.get("ArchitectureSearch", key))!;
  const failed = {
    ...{ type: "Failed", status: "True" as const, reason: "InvalidConfiguration", message: "no data" },
    ...{ observedGeneration: 0, lastTransitionTime: NOW.toISOString() },
  };
  const status = { ...search.status, conditions: [failed] };
  await store.updateStatus<"ArchitectureSearch">({ ...search, status });
  await stallSearch(dependencies, key, "LedgerUnusable", "records are missing");
  assert.deepEqual(await conditions(), ["Failed True", "Stalled True"]);
});

test("what stalls a search that was resumed is not hidden behind its old condition", async () => {
  const { store, key, dependencies, change, conditions } = await world({ parallelism: 1 });
  await change({ suspend: true });
  await reconcileSearch(dependencies, key);
  const search = (await store.get("ArchitectureSearch", key))!;
  const resumed = { ...search, spec: { ...search.spec, suspend: false } };
  await store.update<"ArchitectureSearch">(resumed);
  await stallSearch(dependencies, key, "LedgerUnusable", "records are missing");
  assert.deepEqual(await conditions(), ["Suspended False", "Stalled True", "Progressing False"]);
  // The same spec says nothing of that.
  await reconcileSearch(dependencies, key);
  assert.deepEqual(await conditions(), ["Suspended False", "Stalled False", "Progressing True"]);
});
