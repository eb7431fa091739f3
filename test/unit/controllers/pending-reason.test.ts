// Why a trial waits: one word for each way in which its controller says it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrialStatus } from "@segnas/operator/api/generated/candidatetrials.ts";
import type { Event, Job, Pod } from "@segnas/operator/api/store.ts";
import {
  awaitAdmission,
  decideTrial,
  type TrialWorld,
} from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { PendingReason, pendingReason } from "@segnas/operator/controllers/candidatetrial/pending-reason.ts";
import { makeJob, makePod, makeSearch, makeTrial } from "./objects.ts";

const now = new Date("2026-03-01T00:00:10Z");
const started = { status: { startTime: "2026-03-01T00:00:00Z" } };
const search = makeSearch();
const waiting: CandidateTrialStatus = {
  attempts: [{ number: 0, job: "s-0-0", uid: "job-0", creationTime: "2026-03-01T00:00:00Z" }],
};

/** The word for what the controller writes of a trial whose attempt waits. */
function reasonOf(
  { job = {}, pod, events = [] }: { job?: Partial<Job>; pod?: Pod["status"]; events?: Event[] },
  status = waiting,
): PendingReason {
  const trial = makeTrial(0, status);
  const made: Job = { ...makeJob(search, trial), ...started, ...job };
  const world: TrialWorld = {
    ...{ trial, search, events, now },
    jobs: [made],
    pods: pod ? [makePod(made, pod)] : [],
    siblings: [],
    retryDelay: () => 10_000,
  };
  const written = decideTrial(world).find(({ type }) => type === "WriteStatus");
  assert.ok(written?.type === "WriteStatus");
  return pendingReason({ ...trial, status: written.status });
}

const stuck = (reason: string): Pod["status"] => ({
  phase: "Pending",
  containerStatuses: [
    { name: "trainer", state: { waiting: { reason, message: "as the kubelet says: it is so" } } },
  ],
});

test("a pod that waits says why", () => {
  const unschedulable = {
    type: "PodScheduled",
    status: "False" as const,
    reason: "Unschedulable",
    message: "0/1 nodes",
  };
  assert.equal(
    reasonOf({ pod: { phase: "Pending", conditions: [unschedulable] } }),
    PendingReason.Unschedulable,
  );
  for (const reason of ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
    assert.equal(reasonOf({ pod: stuck(reason) }), PendingReason.Image);
  for (const reason of ["CreateContainerConfigError", "CreateContainerError", "CrashLoopBackOff"])
    assert.equal(reasonOf({ pod: stuck(reason) }), PendingReason.Container);
  assert.equal(reasonOf({ pod: stuck("ContainerCreating") }), PendingReason.Starting);
  const terminated = { exitCode: 1, reason: "Error", message: "no such bucket" };
  const failing = { phase: "Pending", initContainerStatuses: [{ name: "fetch", state: { terminated } }] };
  assert.equal(reasonOf({ pod: failing as Pod["status"] }), PendingReason.Container);
});

test("a Job without a pod says why", () => {
  const refused: Event = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "e" },
    regarding: { kind: "Job", name: "s-0-0", uid: "job-0" },
    reason: "FailedCreate",
    note: 'pods "s-0-0-x" is forbidden: exceeded quota',
  };
  assert.equal(reasonOf({}), PendingReason.Starting);
  assert.equal(reasonOf({ events: [refused] }), PendingReason.PodRefused);
  const { spec } = makeJob(search, makeTrial(0));
  assert.equal(reasonOf({ job: { spec: { ...spec, suspend: true } } }), PendingReason.Queue);
});

test("a trial without a Job says why", () => {
  const trial = makeTrial(0, waiting);
  const world = { trial, search, jobs: [], pods: [], events: [], siblings: [], now, retryDelay: () => 0 };
  const [written] = awaitAdmission(world, "admission webhook denied the request: no");
  assert.ok(written?.type === "WriteStatus");
  assert.equal(pendingReason({ ...trial, status: written.status }), PendingReason.Admission);

  const failed: Pod["status"] = { phase: "Failed", reason: "Evicted", message: "too little memory" };
  assert.equal(reasonOf({ pod: failed }), PendingReason.Retry);
  const suspended = {
    ...world,
    search: makeSearch({ suspend: true }),
    jobs: [{ ...makeJob(search, trial), ...started }],
  };
  const stopped = decideTrial(suspended).find(({ type }) => type === "WriteStatus");
  assert.ok(stopped?.type === "WriteStatus");
  assert.equal(pendingReason({ ...trial, status: stopped.status }), PendingReason.Suspended);

  assert.equal(pendingReason(makeTrial(0)), PendingReason.Starting);
  const { spec, ...rest } = makeTrial(1);
  assert.equal(pendingReason({ ...rest, spec: { ...spec, duplicateOf: "s-0" } }), PendingReason.Duplicate);
});
