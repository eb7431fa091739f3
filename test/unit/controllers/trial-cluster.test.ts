// What only a cluster does to a trial: caches of different times, queues that take pods back, nodes that are gone,
// Jobs that are not let in, finalizers.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrialStatus } from "@segnas/operator/api/generated/candidatetrials.ts";
import { AdmissionError, type Event, type Job, type Pod, type Store } from "@segnas/operator/api/store.ts";
import {
  type Attempt,
  decideTrial,
  gpuSeconds,
  type TrialAction,
  type TrialWorld,
} from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { attemptJob } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { listener, type Progress } from "@segnas/operator/controllers/candidatetrial/progress.ts";
import { reconcileTrial } from "@segnas/operator/controllers/candidatetrial/reconcile.ts";
import { createStore } from "@segnas/operator/kube/store.ts";
import { createLogger } from "winston";
import { memoryStore } from "./memory-store.ts";
import { makeJob, makePod, makeSearch, makeTrial } from "./objects.ts";

const now = new Date("2026-01-01T00:10:00.000Z");
const search = makeSearch({ retries: 2, pendingTimeoutSeconds: 60 });
const trial = (...attempts: Attempt[]) => makeTrial(0, { attempts });
const open: Attempt = { number: 0, job: "s-0-0", uid: "job-0", startTime: "2026-01-01T00:00:00.000Z" };
const job = makeJob(search, makeTrial(0));
const suspended: Job = { ...job, spec: { ...job.spec, suspend: true } };
const decide = (fields: Partial<TrialWorld>): TrialAction[] =>
  decideTrial({
    ...{
      trial: trial(open),
      search,
      jobs: [job],
      pods: [],
      events: [],
      now,
      siblings: [],
      retryDelay: () => 0,
    },
    ...fields,
  });

function written(actions: TrialAction[]): CandidateTrialStatus {
  const writes = actions.filter(({ type }) => type === "WriteStatus");
  assert.equal(writes.length, 1, JSON.stringify(actions));
  return (writes[0] as TrialAction & { type: "WriteStatus" }).status;
}

function pod(state: object, { metadata = {}, status = {} } = {}): Pod {
  const made = makePod(job, {
    phase: "Running",
    containerStatuses: [{ name: "trainer", state }],
    ...status,
  } as Pod["status"] & object);
  return { ...made, metadata: { ...made.metadata, ...metadata } };
}
const running = (startedAt: string) => ({ running: { startedAt } });
const killed = {
  terminated: {
    exitCode: 75,
    startedAt: "2026-01-01T00:00:00.000Z",
    finishedAt: "2026-01-01T00:01:00.000Z",
  },
};
const deleted = { metadata: { deletionTimestamp: "2026-01-01T00:00:55Z" }, status: { phase: "Failed" } };

test("a queue that takes the pod away ends no attempt; what it trained is kept and what it waits is not", () => {
  const taken = written(decide({ jobs: [suspended], pods: [pod(killed, deleted)] })).attempts!;
  assert.deepEqual(taken, [{ number: 0, job: "s-0-0", uid: "job-0", spentSeconds: "60" }]);
  // Before its pod has said when it ended.
  const early = written(decide({ jobs: [suspended], pods: [pod(running(open.startTime!))] })).attempts!;
  assert.equal(early[0]?.spentSeconds, "600");
  // Admitted again.
  const startedAt = "2026-01-01T00:09:00Z";
  const again = written(decide({ trial: trial(...taken), pods: [pod(running(startedAt))] })).attempts!;
  assert.deepEqual(again, [{ ...taken[0], startTime: startedAt }]);
  assert.equal(gpuSeconds([{ ...again[0]!, endTime: "2026-01-01T00:09:30Z" }]), 90);
});

test("a pod that was deleted with a Job that goes on is replaced; with one that has failed it was the attempt's end", () => {
  assert.deepEqual(decide({ pods: [pod(killed, deleted)] }), []);
  const conditions = [{ type: "Failed", status: "True" as const, reason: "BackoffLimitExceeded" }];
  const ended = written(decide({ jobs: [{ ...job, status: { conditions } }], pods: [pod(killed, deleted)] }));
  assert.equal(ended.attempts?.[0]?.cause, "TryAgain");
  assert.equal(ended.attempts[0].endTime, killed.terminated.finishedAt);
  // The next pod of the same Job, where nobody saw it suspended.
  const next = pod(running("2026-01-01T00:05:00Z"), {
    metadata: { creationTimestamp: "2026-01-01T00:04:00Z" },
  });
  const old = pod(killed, { metadata: { creationTimestamp: "2025-12-31T23:59:00Z" } });
  const goes = { ...job, status: { startTime: "2026-01-01T00:03:00Z" } };
  assert.equal(written(decide({ jobs: [goes], pods: [old, next] })).attempts?.[0]?.spentSeconds, "180");
});

test("a result counts though the queue wants the pod back", () => {
  const done = { terminated: { exitCode: 0, message: '{"outcome":"Succeeded","reward":0.5}' } };
  assert.equal(written(decide({ jobs: [suspended], pods: [pod(done)] })).result?.reward, "0.5");
});

test("what Kubernetes ended a pod for is the cause, in its words", () => {
  const target = {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    message: "default-scheduler: preempting to accommodate a higher priority pod",
  };
  const status = { phase: "Failed", conditions: [target] };
  const { attempts } = written(decide({ pods: [pod(killed, { status })] }));
  assert.equal(attempts?.[0]?.cause, "PreemptionByScheduler");
  assert.match(attempts[0].message!, /higher priority/);
});

test("a pod that has not gone a minute after it should is lost with its node, and not charged", () => {
  const stuck = (deletionTimestamp: string) => [
    pod(running(open.startTime!), { metadata: { deletionTimestamp } }),
  ];
  assert.deepEqual(decide({ pods: stuck("2026-01-01T00:09:30Z") }), [
    { type: "Wait", until: new Date("2026-01-01T00:10:30Z") },
  ]);
  const { attempts } = written(decide({ pods: stuck("2026-01-01T00:09:00Z") }));
  assert.equal(attempts?.[0]?.cause, "Lost");
  assert.equal(gpuSeconds(attempts), 0);
  const next = written(decide({ trial: trial(...attempts), jobs: [] })).attempts;
  assert.equal(next?.at(-1)?.job, "s-0-1");
});

test("why a Job has no pod is told in the words of its newest event", () => {
  const { startTime: _, ...unstarted } = open;
  const event = (uid: string, note: string, time: string): Event => ({
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: note },
    regarding: { kind: "Job", name: "s-0-0", uid },
    reason: "FailedCreate",
    note,
    deprecatedLastTimestamp: time,
  });
  const events = [
    event("job-0", "exceeded quota: none", "2026-01-01T00:00:09Z"),
    event("job-0", "serviceaccount missing", "2026-01-01T00:00:01Z"),
    event("another", "not ours", "2026-01-01T00:00:59Z"),
  ];
  const { conditions } = written(decide({ trial: trial(unstarted), events }));
  assert.equal(conditions?.[0]?.message, "FailedCreate: exceeded quota: none");
});

test("what is going already is not deleted once more", () => {
  const going = { ...job, metadata: { ...job.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  const over = trial({ ...open, endTime: "2026-01-01T00:01:00Z", cause: "Error", message: "x" });
  assert.deepEqual(decide({ trial: over, jobs: [going] }), []);
});

/** A store with the search and a trial, some of whose calls are others. */
async function storeWith(status: CandidateTrialStatus, others: (store: Store) => Partial<Store>) {
  const store = memoryStore(() => now);
  await store.create<"ArchitectureSearch">(search);
  const made = await store.create<"CandidateTrial">(makeTrial(0));
  await store.updateStatus<"CandidateTrial">({ ...made, status });
  const key = { namespace: "default", name: "s-0" };
  const reconcile = (time = now) =>
    reconcileTrial(
      {
        store: { ...store, ...others(store) },
        logger: createLogger({ silent: true }),
        now: () => time,
        retryDelay: () => 0,
      },
      key,
    );
  return { store, reconcile, get: async () => (await store.get("CandidateTrial", key))!.status! };
}

test("a Job that is not let in for now is told at once, tried again, and given up in time", async () => {
  let message = "exceeded quota: jobs, requested: count/jobs.batch=1, limited: count/jobs.batch=0";
  const refuse = () => Promise.reject(new AdmissionError(message));
  const noted = { number: 0, job: "s-0-0", creationTime: "2026-01-01T00:10:00Z" };
  const { reconcile, get } = await storeWith({ attempts: [noted] }, () => ({ create: refuse }));
  assert.deepEqual(await reconcile(), new Date("2026-01-01T00:10:10.000Z"));
  assert.match((await get()).conditions?.[0]?.message ?? "", /^its Job is not let in: exceeded quota/);
  message = "failed calling webhook: connection refused";
  await reconcile(new Date("2026-01-01T00:10:59Z"));
  assert.match((await get()).conditions?.[0]?.message ?? "", /webhook/);
  await reconcile(new Date("2026-01-01T00:11:00Z"));
  const [first] = (await get()).attempts!;
  assert.equal(first?.cause, "PendingTimeout");
  assert.match(
    first.message!,
    /^it did not begin within 60 s: its Job is not let in: failed calling webhook/,
  );
});

test("an attempt is given up on what is there now, not on what a cache has not seen yet", async () => {
  const { store } = await storeWith({}, () => ({}));
  const key = { namespace: "default", name: "s-0" };
  const own = (await store.get("CandidateTrial", key))!;
  const made = await store.create<"Job">(attemptJob(search, own, 0));
  const status = { attempts: [{ ...open, uid: made.metadata.uid! }] };
  const known = await store.updateStatus<"CandidateTrial">({ ...own, status });
  const cached = createStore(store);
  cached.listed("ArchitectureSearch", await store.list("ArchitectureSearch"), "9");
  cached.listed("CandidateTrial", [known], "9");
  const logger = createLogger({ silent: true });
  const reconcile = () => reconcileTrial({ store: cached, logger, now: () => now, retryDelay: () => 1 }, key);
  await reconcile();
  assert.deepEqual((await store.get("CandidateTrial", key))?.status, status);
  await store.delete("Job", { ...key, name: "s-0-0" }, { uid: made.metadata.uid! });
  cached.changed("Job", { type: "DELETED", object: made });
  await reconcile();
  assert.equal((await store.get("CandidateTrial", key))?.status?.attempts?.[0]?.cause, "Gone");
});

/** A store with s-0, whose attempt trains in a pod. */
async function training() {
  const { store, get } = await storeWith({}, () => ({}));
  const key = { namespace: "default", name: "s-0" };
  const own = (await store.get("CandidateTrial", key))!;
  const made = await store.create<"Job">(attemptJob(search, own, 0));
  const attempt = { ...open, uid: made.metadata.uid! };
  await store.updateStatus<"CandidateTrial">({ ...own, status: { attempts: [attempt] } });
  const pod = makePod(made, { phase: "Running" });
  const labelled = { ...pod, metadata: { ...pod.metadata, labels: made.metadata.labels! } };
  const inStore = await store.create<"Pod">(labelled);
  const containerStatuses = [{ name: "trainer", state: running(open.startTime!) }];
  const runs = await store.updateStatus<"Pod">({
    ...inStore,
    status: { phase: "Running", containerStatuses },
  });
  return { store, get, key, runs };
}

test("the stage of a trial that trains is told when it changes, and forgotten at its end", async () => {
  const { store, get, key, runs } = await training();
  let stage: string | number | undefined = 0;
  let writes = 0;
  store.watch("CandidateTrial", () => writes++);
  const logger = createLogger({ silent: true });
  const listen = async () => ({ progress: stage === undefined ? {} : { stage }, since: now });
  const reconcile = () => reconcileTrial({ store, logger, now: () => now, retryDelay: () => 0, listen }, key);
  assert.deepEqual(await reconcile(), new Date("2026-01-01T00:10:30.000Z"));
  assert.equal((await get()).stage, "0");
  for (stage of ["0", "Validation", undefined]) await reconcile();
  assert.equal((await get()).stage, "0");
  assert.equal(writes, 1);
  const terminated = { exitCode: 0, message: '{"outcome":"Succeeded","reward":0.5}' };
  await store.updateStatus<"Pod">({
    ...runs,
    status: { phase: "Succeeded", containerStatuses: [{ name: "trainer", state: { terminated } }] },
  });
  await reconcile();
  assert.equal((await get()).result?.reward, "0.5");
  assert.equal((await get()).stage, undefined);
});

test("a trainer is asked though the clock was set back since it began", async () => {
  const { store, key } = await training();
  const logger = createLogger({ silent: true });
  let asked = 0;
  const listen = async () => {
    asked++;
    return undefined;
  };
  for (const time of ["2026-01-01T00:00:01Z", "2025-01-01T00:00:00Z"])
    await reconcileTrial({ store, logger, now: () => new Date(time), retryDelay: () => 0, listen }, key);
  assert.equal(asked, 1);
});

test("a trainer that goes on telling the same is given up in the end, one that tells nothing is not", async () => {
  const { store, get, key } = await training();
  let time = now;
  let says: Progress | undefined = { stage: 0, beats: 1 };
  const logger = createLogger({ silent: true });
  const listen = listener(
    async () => says,
    () => time,
  );
  const after = async (seconds: number) => {
    time = new Date(time.getTime() + 1000 * seconds);
    await reconcileTrial({ store, logger, now: () => time, retryDelay: () => 60_000, listen }, key);
    return (await get()).attempts!;
  };
  await after(0);
  await after(3599);
  says = { stage: 0, beats: 2 };
  await after(1);
  says = undefined;
  assert.equal((await after(9999))[0]?.endTime, undefined);
  says = { stage: 0, beats: 3 };
  await after(1);
  assert.equal((await after(3599))[0]?.endTime, undefined);
  const attempts = await after(1);
  assert.equal(attempts[0]?.cause, "ProgressDeadlineExceeded");
  assert.equal(attempts[0]?.message, "its trainer has told no progress for 3600 s");
  assert.equal(await store.get("Job", { ...key, name: "s-0-0" }), undefined);
});
