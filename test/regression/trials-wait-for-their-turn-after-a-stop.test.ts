// Four trials were stopped with the search, which went on with parallelism 1, as memory had run out: all four trained again
// at once. Only new trials were counted against parallelism.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Attempt, decideTrial } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";

const now = new Date("2026-01-01T00:01:00Z");
const stopped: Attempt = {
  ...{ number: 0, job: "j", startTime: "2026-01-01T00:00:00Z", endTime: "2026-01-01T00:00:30Z" },
  ...{ cause: "Suspended", message: "the search was stopped" },
};
const running: Attempt = { number: 1, job: "j", creationTime: "2026-01-01T00:00:50Z" };
const trial = (index: number, ...attempts: Attempt[]) => makeTrial(index, { attempts });

/** Which of the trials begin an attempt. */
function beginning(parallelism: number, trials: ReturnType<typeof trial>[]): number[] {
  const search = makeSearch({ parallelism });
  const world = { ...{ search, jobs: [], pods: [], events: [], now }, retryDelay: () => 0 };
  return trials.flatMap((trial) => {
    const [action] = decideTrial({ ...world, trial, siblings: trials });
    const begins = action?.type === "WriteStatus" && action.status.attempts!.at(-1)!.endTime === undefined;
    if (!begins) assert.ok(action?.type === "Wait" && action.until > now);
    return begins ? [trial.spec.index] : [];
  });
}

test("of the trials that stand there only so many train, the first ones first", () => {
  const trials = [3, 1, 2, 0].map((index) => trial(index, stopped));
  assert.deepEqual(beginning(1, trials), [0]);
  assert.deepEqual(beginning(2, trials).sort(), [0, 1]);
  assert.deepEqual(beginning(4, trials).length, 4);
});

test("one that trains goes before those with lower indices; what has settled or needs no training takes no place", () => {
  const waits = trial(1, stopped);
  const begins = (other: ReturnType<typeof trial>) => {
    const world = { trial: waits, siblings: [other, waits], search: makeSearch({ parallelism: 1 }), now };
    const [action] = decideTrial({ ...world, jobs: [], pods: [], events: [], retryDelay: () => 0 });
    return action?.type === "WriteStatus";
  };
  const first = trial(0);
  assert.equal(begins(trial(4, stopped, running)), false);
  assert.equal(begins(first), false);
  assert.ok(begins({ ...first, status: { result: { outcome: "Succeeded", reward: "0.5" } } }));
  assert.ok(begins({ ...first, spec: { ...first.spec, violation: "too large" } }));
  assert.ok(begins({ ...first, spec: { ...first.spec, duplicateOf: "s-9" } }));
});
