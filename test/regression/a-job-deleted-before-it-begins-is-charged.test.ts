// Found by reading: a Job's UID was noted with the first news of its pod. A Job that was deleted before there was any was
// made once more under its own name, again and again, and never charged against `retries`.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "@segnas/operator/api/store.ts";
import { decideTrial } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";

test("whoever deletes each Job before it begins has used up the trial's attempts", () => {
  const search = makeSearch({ retries: 2 });
  let trial = makeTrial(0);
  let jobs: Job[] = [];
  const made: string[] = [];
  for (let minute = 0; minute < 60 && !trial.status?.result; minute++) {
    const now = new Date(Date.UTC(2026, 0, 1, 0, minute));
    const world = {
      ...{ trial, search, jobs, pods: [], events: [], now, siblings: [] },
      retryDelay: () => 0,
    };
    const actions = decideTrial(world);
    const isIdle = actions.every(({ type }) => type === "Wait");
    for (const action of actions) {
      if (action.type === "WriteStatus") trial = { ...trial, status: action.status };
      if (action.type !== "CreateJob") continue;
      const { metadata } = action.job;
      made.push(metadata.name);
      const uid = `job-${made.length}`;
      jobs = [{ ...action.job, metadata: { ...metadata, uid, creationTimestamp: now.toISOString() } }];
    }
    // Once the operator has nothing more to do but to wait for its pod.
    if (isIdle) jobs = [];
  }
  assert.deepEqual(made, ["s-0-0", "s-0-1", "s-0-2"]);
  const { result, attempts } = trial.status!;
  assert.deepEqual([result?.outcome, result?.cause], ["Failed", "Infrastructure"]);
  assert.deepEqual(
    attempts!.map(({ cause, startTime }) => [cause, startTime]),
    Array.from({ length: 3 }, () => ["Gone", undefined]),
  );
});
