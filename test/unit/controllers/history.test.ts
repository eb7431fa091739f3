// What a search keeps of its trials, and what it says while they wait.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { decideSearch, type SearchWorld } from "@segnas/operator/controllers/architecturesearch/decide.ts";
import { searchStatus } from "@segnas/operator/controllers/architecturesearch/status.ts";
import { settledEntry } from "@segnas/operator/controllers/architecturesearch/trial.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { makeSearch, makeTrial } from "./objects.ts";

const settings = { batchSize: 100, failureReward: -1, policyLag: 4, gate: undefined };

function worldOf(spec: object, trials: CandidateTrial[]): SearchWorld {
  const entered = trials.filter(({ status }) => status?.entry !== undefined);
  let state = EMPTY;
  for (const [number, trial] of entered.entries())
    state = fold(settings, state, settledEntry(trial, number)!);
  return {
    search: makeSearch({ maxTrials: trials.length, ...spec }),
    ...{
      trials,
      settings,
      state,
      networks: new Map(),
      made: trials.length,
      unmade: false,
      hasJobs: false,
      told: undefined,
      entropy: undefined,
    },
    numbers: new Map(entered.map(({ spec }, number) => [spec.index, number])),
    noted: { reserved: trials.length, forgiven: 0 },
    now: new Date("2026-01-01T00:00:00Z"),
  };
}
const entered = (index: number, reward: string): CandidateTrial =>
  makeTrial(index, { entry: index, result: { outcome: "Succeeded", reward, parameters: 1000 + index } });

test("of the trials that are in the ledger the latest are kept, and the best", () => {
  // All below the first two, so that neither rank nor front holds the others.
  const trials = Array.from({ length: 30 }, (_, i) => entered(i, i < 20 ? `0.${99 - i}` : "0.1"));
  const deleted = (limit: number) =>
    decideSearch(worldOf({ trialsHistoryLimit: limit }, trials)).flatMap((action) =>
      action.type === "DeleteTrial" ? [action.trial.spec.index] : [],
    );
  assert.deepEqual(deleted(30), []);
  assert.deepEqual(deleted(12), [17, 16, 15, 14, 13, 12, 11, 10]);
  assert.equal(deleted(0).length, 20);
  // As an API server with an older CustomResourceDefinition has it.
  const world = worldOf({}, trials);
  delete (world.search.spec as { trialsHistoryLimit?: number }).trialsHistoryLimit;
  assert.ok(decideSearch(world).every(({ type }) => type !== "DeleteTrial"));
  // What is going is not deleted once more.
  for (const trial of trials) trial.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  assert.deepEqual(deleted(0), []);
});

test("a search says which of its trials wait for a pod, and for what", () => {
  const waiting = (index: number, message: string) =>
    makeTrial(index, {
      attempts: [{ number: 0, job: `s-${index}-0` }],
      conditions: [
        {
          type: "Progressing",
          status: "True",
          reason: "Pending",
          message,
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
    });
  const progressing = (trials: CandidateTrial[]) => {
    const world = worldOf({ maxTrials: 9 }, trials);
    const { reason, message } = searchStatus(world, undefined).conditions!.find(
      ({ type }) => type === "Progressing",
    )!;
    return [reason, message];
  };
  const ordinary = waiting(1, "waits for its pod to start");
  const stuck = waiting(0, "Unschedulable: no GPU");
  const running = makeTrial(2, {
    attempts: [{ number: 0, job: "s-2-0", uid: "u", startTime: "2026-01-01T00:00:00Z" }],
  });
  const none = "0 of 9 trials have settled";
  assert.deepEqual(progressing([ordinary]), ["Searching", none]);
  assert.deepEqual(progressing([stuck, ordinary]), [
    "WaitingForPods",
    `${none}; 1 waits for a pod, s-0: Unschedulable: no GPU`,
  ]);
  assert.deepEqual(progressing([waiting(3, "x"), stuck, running]), [
    "Searching",
    `${none}; 2 wait for a pod, s-0: Unschedulable: no GPU`,
  ]);
});
