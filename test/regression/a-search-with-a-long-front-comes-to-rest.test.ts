// Read in the code: a search's status tells a hundred trials of its Pareto front. One that had ended with more, all of which
// are kept, seemed to have trials to delete: its ledger and its policy stayed in memory for good.
import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "@segnas/operator/api/store.ts";
import { reconcileSearch } from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { settledStatus } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { searchDependencies } from "../unit/controllers/dependencies.ts";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makeSearch } from "../unit/controllers/objects.ts";
import { pretendPolicy } from "../unit/controllers/pretend-policy.ts";

test("a search that has ended with a front of 130 is let go of, with all of the front kept", async () => {
  const maxTrials = 140;
  const store = memoryStore();
  const spec = { maxTrials, parallelism: 8, duplicates: "Retrain", trialsHistoryLimit: 0 } as const;
  const search = await store.create<"ArchitectureSearch">(makeSearch(spec));
  const dependencies = searchDependencies(store, { startPolicy: pretendPolicy });
  const trials = () => store.list("CandidateTrial");
  for (let settled = 0; settled < maxTrials; ) {
    await reconcileSearch(dependencies, keyOf(search));
    for (const trial of (await trials()).filter(({ status }) => !status?.result)) {
      // The last ten are worse than all, and larger.
      const reward = String(trial.spec.index < 130 ? 0.3 + trial.spec.index / 1000 : 0.1);
      const metrics = { meanIoU: reward, meanAccuracy: reward, frequencyWeightedIoU: reward };
      const parameters = 100_000 + trial.spec.index;
      const result = { outcome: "Succeeded", reward, metrics, parameters } as const;
      const status = settledStatus(trial, [], result, new Date());
      await store.updateStatus<"CandidateTrial">({ ...trial, status });
      settled++;
    }
  }
  await reconcileSearch(dependencies, keyOf(search));
  assert.equal((await trials()).length, 130);
  assert.equal(dependencies.knowledge.size, 0);
});
