// The model charged 5 s of GPU time where an undisturbed run charges 10: of two operators, one had read a trial
// before its first attempt was noted, and its Jobs after the other had made one. It took that Job for a former
// attempt's and deleted it under its trainer: the attempt ended as Gone, its time unknown, and cost a retry.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@segnas/operator/api/store.ts";
import { reconcileTrial } from "@segnas/operator/controllers/candidatetrial/reconcile.ts";
import { createLogger } from "winston";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { assertUndisturbed } from "../unit/controllers/model-law.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";
import { pretendPolicy } from "../unit/controllers/pretend-policy.ts";

test("an operator that read the trial before an attempt was noted leaves the attempt's Job alone", async () => {
  const store = memoryStore();
  await store.create<"ArchitectureSearch">(makeSearch());
  await store.create<"CandidateTrial">(makeTrial(0));
  const key = { namespace: "default", name: "s-0" };
  const reconcile = (store: Store) =>
    reconcileTrial(
      { store, logger: createLogger({ silent: true }), now: () => new Date(), retryDelay: () => 0 },
      key,
    );
  let slept = false;
  const slow: Store = {
    ...store,
    async list(kind, namespace, labels) {
      // Between its reading the trial and its reading the Jobs, the other operator makes the Job.
      if (!slept) await reconcile(store);
      slept = true;
      return store.list(kind, namespace, labels);
    },
  };
  await reconcile(slow).catch((error) => assert.equal(error.name, "ConflictError"));
  const [attempt] = (await store.get("CandidateTrial", key))!.status!.attempts!;
  const [job] = await store.list("Job", "default");
  assert.equal(attempt!.endTime, undefined);
  assert.equal(job?.metadata.name, attempt!.job);
});

test("the interleaving in which the model found it", () =>
  assertUndisturbed({
    rewardOrder: "Index",
    startPolicy: pretendPolicy,
    runs: 1,
    maxTrials: 14,
    replay: { seed: 194469334, path: "1" },
  }));
