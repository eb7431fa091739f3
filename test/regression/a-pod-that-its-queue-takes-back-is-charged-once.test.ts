// On a cluster with Kueue a preempted trial's status was written ten times within a second: the pod that Kueue took back
// still ran while it was stopped, was noted as begun anew, taken back again, and charged each time.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt, TrialWorld } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { decideTrial } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { makeJob, makePod, makeSearch, makeTrial } from "../unit/controllers/objects.ts";

const startedAt = "2026-01-01T00:00:00Z";
const search = makeSearch();
const job = makeJob(search, makeTrial(0));
const pod = makePod(job, {
  phase: "Running",
  containerStatuses: [{ name: "trainer", state: { running: { startedAt } } }],
});

test("a pod that runs on though its queue wants it back is charged once", () => {
  const going = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:01:30Z" } };
  const suspended = { ...job, spec: { ...job.spec, suspend: true } };
  let attempts: Attempt[] = [{ number: 0, job: "s-0-0", uid: "job-0", startTime: startedAt }];
  const writes = (fields: Partial<TrialWorld>): number => {
    const world = {
      trial: makeTrial(0, { attempts }),
      search,
      now: new Date("2026-01-01T00:01:00Z"),
      events: [],
    };
    const actions = decideTrial({
      ...world,
      jobs: [suspended],
      pods: [pod],
      siblings: [],
      retryDelay: () => 0,
      ...fields,
    });
    const written = actions.find(({ type }) => type === "WriteStatus");
    if (written?.type === "WriteStatus") attempts = written.status.attempts!;
    return written ? 1 : 0;
  };
  assert.equal(writes({}), 1);
  // Why it waits is told each time here, as the conditions are not kept; the attempt stays as it is.
  const charged = [{ number: 0, job: "s-0-0", uid: "job-0", spentSeconds: "60" }];
  assert.deepEqual(attempts, charged);
  for (const fields of [{}, { pods: [going] }, { jobs: [job], pods: [going] }]) {
    writes(fields);
    assert.deepEqual(attempts, charged);
  }
});
