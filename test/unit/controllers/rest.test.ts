// What the operator keeps in memory of a search goes when there is nothing to do for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "@segnas/operator/api/store.ts";
import {
  reconcileSearch,
  type SearchDependencies,
} from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { cacheTrials } from "@segnas/operator/controllers/trials.ts";
import { createLogger } from "winston";
import { memoryStore } from "./memory-store.ts";
import { makeSearch } from "./objects.ts";
import { pretendPolicy } from "./pretend-policy.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

test("a search that is suspended takes no memory, and goes on where it was", async () => {
  const store = memoryStore(() => NOW);
  const made = await store.create<"ArchitectureSearch">(
    makeSearch({ parallelism: 2, duplicates: "Retrain" }),
  );
  const key = keyOf(made);
  const dependencies: SearchDependencies = {
    ...{ store, logger: createLogger({ silent: true }), now: () => NOW, startPolicy: pretendPolicy },
    ...{
      holder: "one",
      trials: cacheTrials(store),
      knowledge: new Map(),
      keepFinished: false,
      held: new Set(),
    },
  };
  const change = async (spec: object) => {
    const search = (await store.get("ArchitectureSearch", key))!;
    await store.update<"ArchitectureSearch">({ ...search, spec: { ...search.spec, ...spec } });
    await reconcileSearch(dependencies, key);
  };
  await reconcileSearch(dependencies, key);
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
  const { status } = (await store.get("ArchitectureSearch", key))!;
  assert.deepEqual(
    status?.conditions?.map(({ type, status }) => `${type} ${status}`),
    ["Suspended False", "Progressing True"],
  );
});
