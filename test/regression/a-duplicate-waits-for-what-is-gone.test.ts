// Found by the model test with caches: a process that had lost its search to another did not know that trial 0 was in
// the ledger by then, saw that it had been deleted, and let its duplicate be trained: another reward than an
// undisturbed search has. Now what is gone is entered first, which only the ledger's holder can do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decideSearch } from "@segnas/operator/controllers/architecturesearch/decide.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";

const settings = { batchSize: 3, failureReward: -1, policyLag: 4, gate: undefined };

test("a duplicate is not trained while what became of an earlier trial is not in the ledger", () => {
  const duplicate = makeTrial(1);
  duplicate.spec = { ...duplicate.spec, duplicateOf: "s-0" };
  const world = {
    ...{
      search: makeSearch({ policyLag: 4, rewardOrder: "Index" }),
      trials: [duplicate],
      settings,
      state: EMPTY,
    },
    ...{
      numbers: new Map(),
      networks: new Map(),
      made: 2,
      noted: { reserved: 2, forgiven: 0 },
      unmade: false,
    },
    ...{ hasJobs: false, told: undefined, entropy: undefined, now: new Date() },
  };
  const gone = { number: 0, index: 0, trial: "s-0", outcome: "Deleted" } as const;
  assert.deepEqual(decideSearch(world), [{ type: "Append", entry: gone }]);
  const entered = { ...world, numbers: new Map([[0, 0]]), state: fold(settings, EMPTY, gone) };
  assert.deepEqual(decideSearch(entered), [{ type: "Retrain", trial: duplicate }]);
});
