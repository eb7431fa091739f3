// What is told of searches and trials, and how it comes to the API server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SearchCondition, SearchReason, setCondition } from "@segnas/operator/api/conditions.ts";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrialStatus } from "@segnas/operator/api/generated/candidatetrials.ts";
import type { Condition } from "@segnas/operator/api/meta.ts";
import { settledStatus } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { type ApiClient, ApiError, type ApiRequest } from "@segnas/operator/kube/client.ts";
import { conditionEvents } from "@segnas/operator/kube/condition-events.ts";
import { createRecorder, type ObjectEvent } from "@segnas/operator/kube/events.ts";
import fc from "fast-check";
import { makeSearch, makeTrial } from "../controllers/objects.ts";

type Setting = [type: string, status: Condition["status"], reason: string, message: string];

/** The search with these conditions set. */
function search(before: ArchitectureSearch, ...settings: Setting[]): ArchitectureSearch {
  const conditions = settings.reduce(
    (list, [type, status, reason, message]) =>
      setCondition(list, { type, status, reason, message }, "2026-01-01T00:00:00Z"),
    before.status?.conditions ?? [],
  );
  return { ...before, status: { ...before.status, conditions } };
}

test("a search tells of its beginning, its stops and its end, and of each once", () => {
  const { Progressing, Suspended, Stalled, Complete, Failed } = SearchCondition;
  const { Searching, InvalidConfiguration, MaxTrialsReached, DeadlineExceeded } = SearchReason;
  let now = makeSearch();
  const become = (...settings: Setting[]): ObjectEvent[] => {
    const before = now;
    now = search(before, ...settings);
    return conditionEvents(before, now);
  };
  const settled = (count: number) => `${count} of 20 trials have settled`;
  const suspended = "spec.suspend is true";

  const begins = { type: "Normal", reason: "Searching", note: settled(0) };
  assert.deepEqual(become([Progressing, "True", Searching, settled(0)]), [begins]);
  assert.deepEqual(become([Progressing, "True", Searching, settled(1)]), []);
  assert.deepEqual(become([Stalled, "True", InvalidConfiguration, "no"]), [
    { type: "Warning", reason: "InvalidConfiguration", note: "no" },
  ]);
  assert.deepEqual(become([Stalled, "True", InvalidConfiguration, "still no"]), []);
  assert.deepEqual(become([Stalled, "False", Searching, settled(2)]), [
    { type: "Normal", reason: "Recovered", note: settled(2) },
  ]);
  // First no more trials are begun, then none runs any more.
  become([Stalled, "True", InvalidConfiguration, "no"]);
  assert.deepEqual(
    become(
      [Stalled, "False", SearchReason.Suspended, suspended],
      [Progressing, "False", SearchReason.Suspended, suspended],
    ),
    [],
  );
  assert.deepEqual(become([Suspended, "True", SearchReason.Suspended, suspended]), [
    { type: "Normal", reason: "Suspended", note: suspended },
  ]);
  assert.deepEqual(
    become([Suspended, "False", Searching, settled(2)], [Progressing, "True", Searching, settled(2)]),
    [{ type: "Normal", reason: "Resumed", note: settled(2) }],
  );
  assert.deepEqual(
    become(
      [Complete, "True", MaxTrialsReached, settled(20)],
      [Progressing, "False", MaxTrialsReached, settled(20)],
    ),
    [{ type: "Normal", reason: "MaxTrialsReached", note: settled(20) }],
  );
  // A limit was raised, and reached.
  assert.deepEqual(
    become([Complete, "False", Searching, settled(20)], [Progressing, "True", Searching, settled(20)]),
    [{ type: "Normal", reason: "Resumed", note: settled(20) }],
  );
  const time = "spec.budget.activeDeadlineSeconds (9) have passed";
  assert.deepEqual(
    become([Failed, "True", DeadlineExceeded, time], [Progressing, "False", DeadlineExceeded, time]),
    [{ type: "Warning", reason: "DeadlineExceeded", note: time }],
  );
});

test("a trial tells what keeps it from training, how each attempt ended, and what came of it", () => {
  let now = makeTrial(0);
  const become = (status: CandidateTrialStatus): ObjectEvent[] => {
    const before = now;
    now = { ...before, status };
    return conditionEvents(before, now);
  };
  const progressing = (reason: string, message: string): Condition[] => [
    { type: "Progressing", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z", reason, message },
  ];
  const first = { number: 0, job: "s-0-0", uid: "j" };
  const waits = (message: string) =>
    become({ conditions: progressing("Pending", message), attempts: [first] });
  assert.deepEqual(waits("waits for its pod to start"), []);
  assert.deepEqual(waits("its Job is suspended until its queue admits it"), []);
  const unschedulable = "Unschedulable: 0/3 nodes are available";
  assert.deepEqual(waits(unschedulable), [{ type: "Warning", reason: "Unschedulable", note: unschedulable }]);
  assert.deepEqual(waits("Unschedulable: 0/4 nodes are available"), []);
  const image = "container trainer: ImagePullBackOff: Back-off pulling image";
  assert.deepEqual(waits(image), [{ type: "Warning", reason: "ImagePullBackOff", note: image }]);
  assert.deepEqual(waits("waits for its pod to start"), []);

  const startTime = "2026-01-01T00:00:00Z";
  const running = progressing("Running", "attempt 0 trains");
  assert.deepEqual(become({ conditions: running, attempts: [{ ...first, startTime }] }), [
    { type: "Normal", reason: "Running", note: "attempt 0 trains" },
  ]);
  assert.deepEqual(become({ conditions: running, attempts: [{ ...first, startTime }], stage: "1" }), []);
  const ended = { ...first, startTime, endTime: startTime, cause: "Evicted", message: "low on memory" };
  const after = progressing("Pending", "after Evicted: low on memory");
  assert.deepEqual(become({ conditions: after, attempts: [ended] }), [
    { type: "Warning", reason: "Evicted", note: "attempt 0: low on memory" },
  ]);
  const second = { number: 1, job: "s-0-1" };
  const again = progressing("Pending", "waits for its pod to start");
  assert.deepEqual(become({ conditions: again, attempts: [ended, second] }), []);
  const stopped = { ...second, endTime: startTime, cause: "Suspended", message: "the search was stopped" };
  const attempts = [ended, stopped];
  assert.deepEqual(become({ conditions: again, attempts }), [
    { type: "Normal", reason: "Suspended", note: "attempt 1: the search was stopped" },
  ]);

  const unsettled = now;
  const settle = (result: NonNullable<CandidateTrialStatus["result"]>) => {
    now = unsettled;
    return become(settledStatus(unsettled, attempts, result, new Date(0)));
  };
  const message = "it did not fit";
  assert.deepEqual(settle({ outcome: "Failed", cause: "OutOfMemory", message }), [
    { type: "Warning", reason: "OutOfMemory", note: message },
  ]);
  assert.deepEqual(settle({ outcome: "Rejected", cause: "OverConstraint", message }), [
    { type: "Normal", reason: "OverConstraint", note: message },
  ]);
  assert.deepEqual(settle({ outcome: "Succeeded", reward: "0.5" }), [
    { type: "Normal", reason: "Succeeded", note: "reward 0.5" },
  ]);
  assert.deepEqual(become({ ...now.status, entry: 3 }), []);
});

interface Written {
  metadata: { name: string; namespace: string };
  eventTime: string;
  note: string;
  regarding: object;
  series?: { count: number; lastObservedTime: string };
}

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);

/** A recorder and an API server that keeps its events. `answer` may throw what the server says instead. */
function setup(answer: (request: ApiRequest) => Promise<void> | void = () => {}) {
  const clock = { time: START };
  const requests: ApiRequest[] = [];
  const events = new Map<string, Written>();
  const failures: unknown[] = [];
  const client: ApiClient = {
    namespace: "ns",
    async request<T>(request: ApiRequest): Promise<T> {
      requests.push(request);
      await answer(request);
      const body = structuredClone(request.body) as Written;
      const name = request.method === "PATCH" ? request.path.split("/").at(-1)! : body.metadata.name;
      const known = events.get(name);
      if (request.method === "PATCH" && !known) throw new ApiError(404, "NotFound", "not found");
      if (request.method === "POST" && known) throw new ApiError(409, "AlreadyExists", "it is there");
      events.set(name, { ...known, ...body });
      return undefined as T;
    },
    text: () => assert.fail(),
    lines: () => assert.fail(),
  };
  const recorder = createRecorder({
    client,
    controller: "segnas.dev/operator",
    instance: "operator-0",
    now: () => new Date(clock.time),
    failed: (error) => failures.push(error),
  });
  return { clock, requests, events, failures, recorder };
}

const written = () => new Promise(setImmediate);
const regarding = (uid: string, name = uid) => ({
  apiVersion: "segnas.dev/v1alpha1",
  kind: "CandidateTrial",
  metadata: { name, namespace: "ns", uid, resourceVersion: "7" },
});
const warning = (note: string): ObjectEvent => ({ type: "Warning", reason: "Evicted", note });

test("an event is written as the API wants it", async () => {
  const { events, requests, recorder } = setup();
  recorder.record(regarding("u", "s-1"), [warning("first"), warning("second")]);
  await recorder.close();
  recorder.record(regarding("u", "s-1"), [warning("third")]);
  await written();
  assert.equal(requests.length, 2);
  assert.equal(requests[0]!.path, "/apis/events.k8s.io/v1/namespaces/ns/events");
  const [first, second] = [...events.values()];
  assert.deepEqual(first, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: "ns", name: "s-1.6474846204000" },
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingController: "segnas.dev/operator",
    reportingInstance: "operator-0",
    action: "Reconcile",
    regarding: {
      apiVersion: "segnas.dev/v1alpha1",
      kind: "CandidateTrial",
      namespace: "ns",
      name: "s-1",
      uid: "u",
      resourceVersion: "7",
    },
    type: "Warning",
    reason: "Evicted",
    note: "first",
  });
  assert.equal(second!.eventTime, "2026-01-01T00:00:00.000001Z");
});

test("what is told again within six minutes is counted in the event that is there", async () => {
  const { clock, events, requests, recorder } = setup();
  for (const minutes of [0, 5, 10]) {
    clock.time = START + minutes * MINUTE;
    recorder.record(regarding("u"), [warning("again")]);
    recorder.record(regarding("other"), []);
    await written();
  }
  assert.deepEqual(
    requests.map(({ method, contentType }) => [method, contentType]),
    [
      ["POST", undefined],
      ["PATCH", "application/merge-patch+json"],
      ["PATCH", "application/merge-patch+json"],
    ],
  );
  const series = { count: 3, lastObservedTime: "2026-01-01T00:10:00.000000Z" };
  assert.deepEqual(
    [...events.values()].map((event) => event.series),
    [series],
  );
  // The server has forgotten it.
  events.clear();
  recorder.record(regarding("u"), [warning("again")]);
  await written();
  assert.deepEqual(
    [...events.values()].map((event) => event.series?.count),
    [4],
  );
  clock.time += 6 * MINUTE + 1;
  recorder.record(regarding("u"), [warning("again")]);
  await written();
  assert.deepEqual(
    [...events.values()].map((event) => event.series?.count),
    [4, undefined],
  );
});

test("repeats that come while the server is slow are one request", async () => {
  const gate = Promise.withResolvers<void>();
  const { events, requests, recorder } = setup(() => gate.promise);
  for (let i = 0; i < 5; i++) recorder.record(regarding("u"), [warning("again")]);
  gate.resolve();
  await recorder.close();
  assert.deepEqual(
    requests.map(({ method }) => method),
    ["POST", "PATCH"],
  );
  assert.deepEqual(
    [...events.values()].map(({ series }) => series?.count),
    [5],
  );
});

test("an object that tells too much is heard 25 times, and then once in five minutes", async () => {
  const { clock, events, recorder } = setup();
  let number = 0;
  const tell = async () => {
    recorder.record(regarding("u"), [warning(`${number++}`)]);
    await written();
  };
  for (let i = 0; i < 100; i++) await tell();
  assert.equal(events.size, 25);
  recorder.record(regarding("another"), [warning("it is heard")]);
  await written();
  assert.equal(events.size, 26);
  for (let minute = 0; minute < 20; minute++) {
    clock.time += MINUTE;
    await tell();
  }
  assert.equal(events.size, 26 + 4);
});

test("of more than a thousand that wait the oldest are dropped", async () => {
  const gate = Promise.withResolvers<void>();
  const { events, recorder } = setup(() => gate.promise);
  for (let i = 0; i < 1500; i++) recorder.record(regarding(`u${i}`), [warning("late")]);
  gate.resolve();
  await recorder.close();
  const names = [...events.values()].map(({ regarding }) => (regarding as { name: string }).name);
  assert.deepEqual([names.length, names[0], names[1], names.at(-1)], [1001, "u0", "u500", "u1499"]);
});

test("a failure is told and the next one written; where the namespace goes there is nothing to tell", async () => {
  const answers: (Error | undefined)[] = [
    new Error("no connection"),
    undefined,
    new ApiError(404, "NotFound", 'namespaces "ns" not found'),
    new ApiError(
      403,
      "Forbidden",
      "unable to create new content in namespace ns because it is being terminated",
    ),
    new ApiError(403, "Forbidden", "no right"),
  ];
  const { events, failures, recorder } = setup(() => {
    const error = answers.shift();
    if (error) throw error;
  });
  for (let i = 0; i < 6; i++) recorder.record(regarding(`u${i}`), [warning("x")]);
  await recorder.close();
  assert.deepEqual(
    failures.map((error) => (error as Error).message),
    ["no connection", "no right"],
  );
  assert.equal(events.size, 2);
});

test("closing waits for what is written, for five seconds at most, and takes no more", async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, events, requests, recorder } = setup(() => gate.promise);
  for (let i = 0; i < 3; i++) recorder.record(regarding(`u${i}`), [warning("x")]);
  const closed = recorder.close();
  recorder.record(regarding("late"), [warning("x")]);
  clock.time += 5_001;
  gate.resolve();
  await closed;
  assert.deepEqual([requests.length, events.size], [1, 1]);
});

test("names and notes fit, whatever the object is called and is told of", async () => {
  const count = (max: number) => fc.integer({ min: 0, max });
  const name = fc
    .tuple(count(251), count(251))
    .map(([letters, hyphens]) => `${"a".repeat(letters)}${"-".repeat(hyphens)}`.slice(0, 252))
    .map((start) => `b${start.slice(1)}c`);
  const text = fc
    .tuple(count(4), fc.constantFrom("a", "ä", "…", "😀"), count(1500))
    .map(([before, character, times]) => "x".repeat(before) + character.repeat(times));
  await fc.assert(
    fc.asyncProperty(name, text, async (name, note) => {
      const { events, recorder } = setup();
      recorder.record(regarding("u", name), [warning(note)]);
      await recorder.close();
      const [event] = [...events.values()];
      assert.match(event!.metadata.name, /[a-z0-9]\.[0-9a-f]{13}$/);
      assert.ok(event!.metadata.name.length <= 253);
      const bytes = Buffer.byteLength(event!.note);
      if (Buffer.byteLength(note) <= 1024) assert.equal(event!.note, note);
      else {
        assert.ok(bytes <= 1024 && bytes > 1024 - 4);
        assert.ok(event!.note.endsWith("…") && note.startsWith(event!.note.slice(0, -1)));
      }
    }),
  );
});
