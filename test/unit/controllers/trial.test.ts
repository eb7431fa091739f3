// One trial: its attempts step by step, and each row of the table of failures.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrialStatus } from "@segnas/operator/api/generated/candidatetrials.ts";
import {
  type ContainerStateTerminated,
  InvalidError,
  type Job,
  type Pod,
} from "@segnas/operator/api/store.ts";
import {
  type Attempt,
  decideTrial,
  defaultRetryDelay,
  gpuSeconds,
  type TrialAction,
  type TrialWorld,
} from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { attemptOutcome } from "@segnas/operator/controllers/candidatetrial/outcome.ts";
import { reconcileTrial } from "@segnas/operator/controllers/candidatetrial/reconcile.ts";
import { STAGES } from "@segnas/operator/ledger/entry.ts";
import fc from "fast-check";
import { createLogger } from "winston";
import { memoryStore } from "./memory-store.ts";
import { makeJob, makePod, makeSearch, makeTrial } from "./objects.ts";

const now = new Date("2026-01-01T00:01:00.000Z");
const search = makeSearch({ retries: 2 });
const world = (fields: Partial<TrialWorld>): TrialWorld => ({
  trial: makeTrial(0),
  search,
  jobs: [],
  pods: [],
  events: [],
  now,
  siblings: [],
  retryDelay: defaultRetryDelay,
  ...fields,
});
const withAttempts = (...attempts: Attempt[]) => makeTrial(0, { attempts });
const open: Attempt = { number: 0, job: "s-0-0", uid: "job-0", startTime: "2026-01-01T00:00:00.000Z" };
const failed = (number: number, cause = "Error"): Attempt => ({
  ...open,
  number,
  job: `s-0-${number}`,
  uid: `job-${number}`,
  endTime: "2026-01-01T00:00:55.000Z",
  cause,
  message: "x",
});
const job = makeJob(search, makeTrial(0));
const running: Pod["status"] = {
  phase: "Running",
  containerStatuses: [{ name: "trainer", state: { running: { startedAt: "2026-01-01T00:00:00.000Z" } } }],
};

function terminatedPod(
  of: Job,
  terminated: ContainerStateTerminated,
  status: Partial<Pod["status"]> = {},
): Pod {
  const containerStatuses = [{ name: "trainer", state: { terminated } }];
  return makePod(of, {
    phase: terminated.exitCode === 0 ? "Succeeded" : "Failed",
    containerStatuses,
    ...status,
  });
}

/** The status that a decision writes, which is all that it does. */
function written(actions: TrialAction[]): CandidateTrialStatus {
  assert.deepEqual(
    actions.map(({ type }) => type),
    ["WriteStatus"],
  );
  return (actions[0] as TrialAction & { type: "WriteStatus" }).status;
}

test("an attempt is noted before its Job is made, and the Job's UID with the first that is heard of it", () => {
  const noted = written(decideTrial(world({}))).attempts!;
  assert.deepEqual(noted, [{ number: 0, job: "s-0-0", creationTime: "2026-01-01T00:01:00Z" }]);
  const [create] = decideTrial(world({ trial: withAttempts(...noted) }));
  assert.equal(create?.type, "CreateJob");
  const { conditions } = written(decideTrial(world({})));
  const trial = makeTrial(0, { attempts: noted, conditions: conditions! });
  const young = { ...job, metadata: { ...job.metadata, creationTimestamp: "2026-01-01T00:00:55Z" } };
  assert.deepEqual(decideTrial(world({ trial, jobs: [young] })), [
    { type: "Wait", until: new Date("2026-01-01T00:01:05Z") },
  ]);
  const heard = written(decideTrial(world({ trial, jobs: [job] })));
  assert.deepEqual(heard.attempts, [{ ...noted[0], uid: "job-0" }]);
  // Nothing is said that is not so already.
  assert.deepEqual(decideTrial(world({ trial: makeTrial(0, heard), jobs: [job] })), []);
  const started = written(decideTrial(world({ trial, jobs: [job], pods: [makePod(job, running)] })));
  const { startTime } = open;
  assert.deepEqual(started.attempts, [{ ...noted[0], uid: "job-0", startTime }]);
  // Before its end counts, it is known whose end.
  const pods = [terminatedPod(job, { exitCode: 0, message: '{"outcome":"Succeeded","reward":1}' })];
  const { attempts, result } = written(decideTrial(world({ trial, jobs: [job], pods })));
  assert.deepEqual([attempts, result], [[{ ...noted[0], uid: "job-0" }], undefined]);
});

test("a result that came while its search was stopped counts, whether its Job's UID was noted or not", () => {
  const suspended = makeSearch({ suspend: true });
  const pods = [terminatedPod(job, { exitCode: 0, message: '{"outcome":"Succeeded","reward":1}' })];
  const trial = withAttempts({ number: 0, job: "s-0-0" });
  const { attempts } = written(decideTrial(world({ trial, search: suspended, jobs: [job], pods })));
  assert.deepEqual(attempts, [{ number: 0, job: "s-0-0", uid: "job-0" }]);
  const noted = withAttempts(...attempts);
  const { result } = written(decideTrial(world({ trial: noted, search: suspended, jobs: [job], pods })));
  assert.equal(result?.reward, "1");
});

test("trials of a search that had ended do not go on while it stalls", () => {
  const ended = { ...search, status: { completionTime: "2026-01-01T00:00:00Z", conditions: [] } };
  assert.deepEqual(decideTrial(world({ trial: withAttempts(failed(0)), search: ended })), []);
});

test("a Job of an attempt that is not noted is newer than the trial as it was read: it stays", () => {
  const newer = makeJob(search, makeTrial(0), 1);
  assert.deepEqual(decideTrial(world({ trial: withAttempts(open), jobs: [newer, job] })), []);
  const actions = decideTrial(world({ trial: withAttempts(failed(0)), jobs: [newer], retryDelay: () => 0 }));
  assert.equal(written(actions).attempts?.at(-1)?.job, "s-0-1");
});

test("a Job of the right name but another owner or UID delivers nothing", () => {
  const pod = terminatedPod(job, { exitCode: 0, message: '{"outcome":"Succeeded","reward":1}' });
  const foreign = { ...job, metadata: { ...job.metadata, ownerReferences: [] } };
  const noted = withAttempts({ number: 0, job: "s-0-0" });
  assert.equal(decideTrial(world({ trial: noted, jobs: [foreign] }))[0]?.type, "CreateJob");
  const late = makeJob(search, makeTrial(0), 0, "another");
  const { attempts, result } = written(
    decideTrial(world({ trial: withAttempts(open), jobs: [late], pods: [pod] })),
  );
  assert.equal(attempts?.[0]?.cause, "Gone");
  assert.equal(result, undefined);
});

test("a network over a constraint is not trained, nor a duplicate unless it has to be", () => {
  const trial = makeTrial(0);
  const marked = (spec: object, status = {}) => ({ ...trial, spec: { ...trial.spec, ...spec }, status });
  assert.deepEqual(decideTrial(world({ trial: marked({ violation: "too many parameters" }) })), []);
  assert.deepEqual(decideTrial(world({ trial: marked({ duplicateOf: "s-3" }) })), []);
  const retrain = marked({ duplicateOf: "s-3" }, { retrain: true });
  assert.equal(written(decideTrial(world({ trial: retrain }))).attempts?.length, 1);
});

test("a running attempt waits; its start is noted once", () => {
  const pods = [makePod(job, running)];
  const { startTime, ...before } = open;
  const { attempts, conditions } = written(
    decideTrial(world({ trial: withAttempts(before), jobs: [job], pods })),
  );
  assert.equal(attempts?.[0]?.startTime, startTime);
  assert.equal(conditions?.[0]?.reason, "Running");
  assert.deepEqual(decideTrial(world({ trial: withAttempts(open), jobs: [job], pods })), []);
});

const waits = (status: Partial<Pod["status"]> = {}) => makePod(job, { phase: "Pending", ...status });
const { startTime: _, ...unstarted } = open;
const taken = { ...job, status: { startTime: "2026-01-01T00:00:30Z" } };
const reasons: [string, Job, Pod | undefined, string][] = [
  [
    "an image that cannot be pulled",
    taken,
    waits({
      conditions: [{ type: "PodScheduled", status: "True" }],
      containerStatuses: [
        {
          name: "trainer",
          state: { waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "no:1"' } },
        },
      ],
    }),
    'container trainer: ImagePullBackOff: Back-off pulling image "no:1"',
  ],
  [
    "an init container that cannot start",
    taken,
    waits({
      initContainerStatuses: [
        {
          name: "fetch",
          state: { waiting: { reason: "CreateContainerConfigError", message: 'secret "x" not found' } },
        },
      ],
      containerStatuses: [{ name: "trainer", state: { waiting: { reason: "PodInitializing" } } }],
    }),
    'container fetch: CreateContainerConfigError: secret "x" not found',
  ],
  [
    "a pod that fits on no machine",
    taken,
    waits({
      conditions: [
        {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
        },
      ],
    }),
    "Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
  ],
  [
    "a Job that its queue has not admitted",
    { ...job, spec: { ...job.spec, suspend: true } },
    undefined,
    "its Job is suspended until its queue admits it",
  ],
];
for (const [what, job, pod, message] of reasons)
  test(`${what} is told at once, and once`, () => {
    const trial = withAttempts(unstarted);
    const status = written(
      decideTrial(world({ trial, jobs: [job], pods: pod ? [pod] : [] })).filter(
        ({ type }) => type !== "Wait",
      ),
    );
    const [progressing] = status.conditions!;
    assert.deepEqual(
      [progressing?.type, progressing?.reason, progressing?.message],
      ["Progressing", "Pending", message],
    );
    const again = decideTrial(world({ trial: makeTrial(0, status), jobs: [job], pods: pod ? [pod] : [] }));
    assert.ok(again.every(({ type }) => type === "Wait"));
  });

test("what every pod goes through on its way is not worth a write", () => {
  const trial = withAttempts();
  const noted = written(decideTrial(world({ trial }))).conditions!;
  const before = makeTrial(0, { attempts: [unstarted], conditions: noted });
  const creating = { name: "trainer", state: { waiting: { reason: "ContainerCreating" } } };
  for (const pods of [[], [waits()], [waits({ containerStatuses: [creating] })]])
    assert.deepEqual(decideTrial(world({ trial: before, jobs: [taken], pods })), [
      { type: "Wait", until: new Date("2026-01-01T00:30:30.000Z") },
    ]);
});

test("a pod that does not begin in time is a failure of the infrastructure, with what it waited for", () => {
  const impatient = makeSearch({ retries: 2, pendingTimeoutSeconds: 30 });
  const decide = (job: Job, pods: Pod[], trial = withAttempts(unstarted)) =>
    decideTrial(world({ trial, search: impatient, jobs: [job], pods }));
  const pods = [reasons[0]![2]!];
  const { attempts, result } = written(decide(taken, pods));
  assert.equal(result, undefined);
  assert.equal(attempts?.[0]?.cause, "PendingTimeout");
  assert.equal(
    attempts[0].message,
    'it did not begin within 30 s: container trainer: ImagePullBackOff: Back-off pulling image "no:1"',
  );
  assert.equal(gpuSeconds(attempts), 0);
  const after = decideTrial(world({ trial: makeTrial(0, { attempts }), jobs: [taken], search: impatient }));
  assert.deepEqual(after, [{ type: "DeleteJob", job: taken }]);
  // Nobody can make its pod.
  assert.equal(written(decide(taken, [])).attempts?.[0]?.message, "it did not begin within 30 s");
  // It trains, or has trained and its pod is gone.
  assert.equal(written(decide(taken, [makePod(job, running)])).attempts?.[0]?.endTime, undefined);
  assert.deepEqual(decide(taken, [], withAttempts(open)), []);
});

test("waiting in a queue is no waiting for a pod: it begins when the Job's controller takes the Job up", () => {
  const impatient = makeSearch({ pendingTimeoutSeconds: 1 });
  const suspended = { type: "Suspended", status: "True" as const };
  const queued: Job[] = [
    job,
    { ...taken, spec: { ...job.spec, suspend: true } },
    // Resumed, but its controller has not noticed yet.
    { ...taken, status: { ...taken.status, conditions: [suspended] } },
  ];
  for (const job of queued) {
    const actions = decideTrial(world({ trial: withAttempts(unstarted), search: impatient, jobs: [job] }));
    assert.equal(written(actions).attempts?.[0]?.endTime, undefined);
  }
  const resumed: Job = {
    ...job,
    status: { startTime: "2026-01-01T00:00:59.500Z", conditions: [{ ...suspended, status: "False" }] },
  };
  const actions = decideTrial(world({ trial: withAttempts(unstarted), search: impatient, jobs: [resumed] }));
  assert.deepEqual(actions.at(-1), { type: "Wait", until: new Date("2026-01-01T00:01:00.500Z") });
});

test("a Job that the API refuses as invalid is a refusal in the API's words, tried once", async () => {
  const store = memoryStore(() => now);
  await store.create<"ArchitectureSearch">(makeSearch());
  await store.create<"CandidateTrial">(makeTrial(0));
  const sentence = 'Job.batch "s-0-0" is invalid: spec.template.spec.containers[0].image: Required value';
  let tries = 0;
  const create = () => {
    tries++;
    return Promise.reject(new InvalidError(sentence));
  };
  const key = { namespace: "default", name: "s-0" };
  await reconcileTrial(
    {
      store: { ...store, create },
      logger: createLogger({ silent: true }),
      now: () => now,
      retryDelay: () => 0,
    },
    key,
  );
  const { result, attempts, conditions } = (await store.get("CandidateTrial", key))!.status!;
  assert.deepEqual(
    [tries, result?.outcome, result?.cause, result?.message, result?.reward, result?.gpuSeconds],
    [1, "Failed", "InvalidConfiguration", sentence, undefined, "0"],
  );
  assert.equal(attempts?.length, 1);
  assert.equal(attempts[0]?.endTime, now.toISOString());
  assert.equal(conditions?.[0]?.reason, "InvalidConfiguration");
});

test("a failed attempt's Job goes, the next attempt comes after a wait that doubles, until retries are used up", () => {
  const first = withAttempts(failed(0));
  assert.equal(decideTrial(world({ trial: first, jobs: [job] }))[0]?.type, "DeleteJob");
  assert.deepEqual(decideTrial(world({ trial: first })), [
    { type: "Wait", until: new Date("2026-01-01T00:01:05.000Z") },
  ]);
  const later = new Date("2026-01-01T00:01:05.000Z");
  const next = written(decideTrial(world({ trial: first, now: later }))).attempts?.at(-1);
  assert.equal(next?.job, "s-0-1");
  const second = withAttempts(failed(0), failed(1));
  assert.deepEqual(decideTrial(world({ trial: second })), [
    { type: "Wait", until: new Date("2026-01-01T00:01:15.000Z") },
  ]);
  const { result, conditions } = written(
    decideTrial(world({ trial: withAttempts(failed(0), failed(1), failed(2)) })),
  );
  assert.equal(result?.outcome, "Failed");
  assert.equal(result.cause, "Infrastructure");
  assert.equal(result.reward, undefined);
  assert.equal(result.gpuSeconds, "165");
  assert.equal(conditions?.find(({ type }) => type === "Failed")?.reason, "Infrastructure");
});

test("what was suspended or lost is tried again at once and not counted", () => {
  const trial = withAttempts(
    failed(0),
    failed(1),
    failed(2, "Suspended"),
    failed(3, "Lost"),
    failed(4, "Lost"),
  );
  assert.equal(written(decideTrial(world({ trial }))).attempts?.at(-1)?.job, "s-0-5");
});

test("a stopped search ends its attempts without a charge and begins none", () => {
  const ended = { ...search, status: { conditions: [condition("Complete")] } };
  for (const stopped of [makeSearch({ suspend: true }), ended, undefined]) {
    assert.deepEqual(decideTrial(world({ search: stopped })), []);
    const pods = [makePod(job, running)];
    const { attempts } = written(
      decideTrial(world({ trial: withAttempts(open), search: stopped, jobs: [job], pods })),
    );
    assert.equal(attempts?.[0]?.cause, "Suspended");
    assert.equal(gpuSeconds(attempts), 60);
    const after = makeTrial(0, { attempts });
    assert.equal(decideTrial(world({ trial: after, search: stopped, jobs: [job] }))[0]?.type, "DeleteJob");
  }
});

const condition = (type: string) => ({
  type,
  status: "True" as const,
  lastTransitionTime: "",
  reason: "r",
  message: "",
});

test("a result that is there counts, though the search was stopped meanwhile", () => {
  const pods = [terminatedPod(job, { exitCode: 0, message: '{"outcome":"Succeeded","reward":0.25}' })];
  const suspended = makeSearch({ suspend: true });
  const { result } = written(
    decideTrial(world({ trial: withAttempts(open), search: suspended, jobs: [job], pods })),
  );
  assert.equal(result?.reward, "0.25");
});

test("the Job of a settled trial stays until the result is in the ledger", () => {
  const result = { outcome: "Succeeded" as const, reward: "1" };
  const attempts = [{ ...open, endTime: open.startTime! }];
  assert.deepEqual(decideTrial(world({ trial: makeTrial(0, { attempts, result }), jobs: [job] })), []);
  const entered = makeTrial(0, { attempts, result, entry: 0 });
  assert.equal(decideTrial(world({ trial: entered, jobs: [job] }))[0]?.type, "DeleteJob");
});

const ends: [string, ContainerStateTerminated, Partial<Pod["status"]>, object][] = [
  [
    "exit 1",
    { exitCode: 1, message: "a\nboom\n" },
    {},
    { kind: "Infrastructure", cause: "Error", message: "exit code 1: boom" },
  ],
  [
    "a log of JSON",
    {
      exitCode: 1,
      message:
        '{"level":"info","message":"begins"}\n{"level":"error","message":"the disk is full","time":"x"}\n',
    },
    {},
    { kind: "Infrastructure", cause: "Error", message: "exit code 1: the disk is full" },
  ],
  [
    "an exception in Node",
    {
      exitCode: 1,
      message:
        "    throw er;\n\nError: listen EADDRINUSE\n    at listen (node:net:1:2)\n\nNode.js v24.21.0\n",
    },
    {},
    { kind: "Infrastructure", cause: "Error", message: "exit code 1: Error: listen EADDRINUSE" },
  ],
  ["exit 139", { exitCode: 139 }, {}, { kind: "Infrastructure", cause: "Error", message: "exit code 139" }],
  ["exit 75", { exitCode: 75 }, {}, { kind: "Infrastructure", cause: "TryAgain" }],
  [
    "eviction",
    { exitCode: 75 },
    { reason: "Evicted", message: "disk" },
    { kind: "Infrastructure", cause: "Evicted", message: "disk" },
  ],
  [
    "a trainer that hangs",
    { exitCode: 75 },
    { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" },
    { kind: "Infrastructure", cause: "DeadlineExceeded" },
  ],
  [
    "a lost node",
    { exitCode: 0, message: "{}" },
    { reason: "NodeLost" },
    { kind: "Infrastructure", cause: "Lost" },
  ],
  [
    "exit 64",
    { exitCode: 64, message: '{"message":"no data"}' },
    {},
    { kind: "Refused", message: "no data" },
  ],
  [
    "exit 65",
    { exitCode: 65, message: '{"outcome":"Failed","cause":"NonFiniteLoss","message":"NaN"}' },
    {},
    { kind: "Failed", cause: "NonFiniteLoss", message: "NaN" },
  ],
  ["exit 65 without a word", { exitCode: 65 }, {}, { kind: "Failed", cause: "Untrainable" }],
  ["out of memory", { exitCode: 137, reason: "OOMKilled" }, {}, { kind: "Failed", cause: "OutOfMemory" }],
  [
    "a time limit",
    { exitCode: 65, message: '{"outcome":"Failed","cause":"TimeLimit","message":"120 s"}' },
    {},
    { kind: "Failed", cause: "TimeLimit", message: "120 s" },
  ],
  [
    "exit 0 without a result",
    { exitCode: 0, message: "" },
    {},
    { kind: "Infrastructure", cause: "InvalidResult" },
  ],
  [
    "exit 0 with no JSON",
    { exitCode: 0, message: "well" },
    {},
    { message: "exit code 0, but the result is not JSON" },
  ],
  [
    "exit 0 with a list",
    { exitCode: 0, message: "[1]" },
    {},
    { kind: "Infrastructure", cause: "InvalidResult" },
  ],
  [
    "a result that is too long",
    { exitCode: 0, message: `{"outcome":"${"x".repeat(4085)}` },
    {},
    { message: "exit code 0, but the result is longer than 4096 bytes" },
  ],
  [
    "a result without reward",
    { exitCode: 0, message: '{"outcome":"Succeeded"}' },
    {},
    { cause: "InvalidResult" },
  ],
  [
    "a reward that is no number",
    { exitCode: 0, message: '{"outcome":"Succeeded","reward":null}' },
    {},
    { kind: "Failed", cause: "NonFiniteLoss" },
  ],
  [
    "a reward that is infinite",
    { exitCode: 0, message: '{"outcome":"Succeeded","reward":1e999}' },
    {},
    { kind: "Failed", cause: "NonFiniteLoss" },
  ],
  ...(
    [
      ['"parameters":-5', "parameters must be a whole number from 0 on, not -5"],
      ['"parameters":1.5', "parameters must be a whole number from 0 on, not 1.5"],
      ['"slots":{}', "slots must be a list, not {}"],
      ['"slots":[{"stage":2,"epoch":1}]', "slots[0].stage must be 0 or 1, not 2"],
      [
        '"slots":[{"stage":0,"epoch":1},{"stage":0}]',
        "slots[1].epoch must be a whole number from 0 on, not nothing",
      ],
      ['"slots":[{"stage":0,"epoch":-1}]', "slots[0].epoch must be a whole number from 0 on, not -1"],
    ] as const
  ).map(([field, what]): (typeof ends)[number] => [
    `a result with ${field}`,
    { exitCode: 0, message: `{"outcome":"Succeeded","reward":0.5,${field}}` },
    {},
    { cause: "InvalidResult", message: `exit code 0, but in the result ${what}` },
  ]),
  [
    "success",
    {
      exitCode: 0,
      message: '{"outcome":"Succeeded","reward":0.51234567,"metrics":{"meanIoU":0.4},"parameters":9}',
    },
    {},
    { kind: "Succeeded", reward: 0.512346, parameters: 9 },
  ],
];
for (const [what, terminated, status, meaning] of ends) {
  test(`meaning of ${what}`, () => {
    assert.partialDeepStrictEqual(attemptOutcome(job, terminatedPod(job, terminated, status)), meaning);
  });
}

/** What came of a trainer that succeeded and told this of its stages. */
function toldStages(stageSeconds: unknown) {
  const message = JSON.stringify({ outcome: "Succeeded", reward: 0.5, stageSeconds });
  const outcome = attemptOutcome(job, terminatedPod(job, { exitCode: 0, message }));
  assert.ok(outcome?.kind === "Succeeded");
  return outcome.stages;
}

test("law: of the stages' times those count that are known and can be, whatever else a trainer tells", () => {
  const stage = fc.oneof(fc.constantFrom<string>(...STAGES), fc.string(), fc.constant("__proto__"));
  const time = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.double(), fc.jsonValue());
  const told = fc.oneof(fc.dictionary(stage, time), fc.jsonValue());
  fc.assert(
    fc.property(told, (told) => {
      const stages = toldStages(told);
      const names = stages.map(({ stage }) => stage);
      assert.deepEqual(
        names,
        STAGES.filter((stage) => names.includes(stage)),
      );
      const heard = JSON.parse(JSON.stringify(told)) as Record<string, unknown> | null;
      for (const name of STAGES) {
        const seconds = typeof heard === "object" && !Array.isArray(heard) ? heard?.[name] : undefined;
        const counts = typeof seconds === "number" && seconds >= 0;
        const known = stages.find(({ stage }) => stage === name)?.seconds;
        if (counts) assert.ok(Math.abs(known! - seconds) <= seconds * 1e-5, `${name}: ${known}`);
        else assert.equal(known, undefined, name);
      }
    }),
  );
});

test("the stages' times stand in the trial's result, where its trainer tells any", () => {
  const resultOf = (fields: object) => {
    const message = JSON.stringify({ outcome: "Succeeded", reward: 0.5, ...fields });
    const pods = [terminatedPod(job, { exitCode: 0, message })];
    return written(decideTrial(world({ trial: withAttempts(open), jobs: [job], pods }))).result;
  };
  const stageSeconds = { "1": 16.3, "0": 7, Setup: 0, Sleep: 5, Features: null, Validation: -1 };
  assert.deepEqual(resultOf({ stageSeconds })?.stages, [
    { stage: "Setup", seconds: "0" },
    { stage: "0", seconds: "7" },
    { stage: "1", seconds: "16.3" },
  ]);
  for (const none of [{}, { stageSeconds: {} }, { stageSeconds: "long" }, { stageSeconds: { Sleep: 5 } }])
    assert.ok(!("stages" in resultOf(none)!));
});

test("meaning of an init container that fails", () => {
  const pod = (terminated: ContainerStateTerminated) =>
    makePod(job, {
      phase: "Failed",
      initContainerStatuses: [{ name: "fetch", state: { terminated } }],
      containerStatuses: [{ name: "trainer", state: { waiting: { reason: "PodInitializing" } } }],
    });
  const broken = attemptOutcome(
    job,
    pod({ exitCode: 3, reason: "Error", message: "trying\nno such bucket\n" }),
  );
  assert.deepEqual(broken, {
    ...{ kind: "Infrastructure", cause: "Error" },
    message: "init container fetch: exit code 3: no such bucket",
  });
  const large = attemptOutcome(job, pod({ exitCode: 137, reason: "OOMKilled" }));
  assert.partialDeepStrictEqual(large, { cause: "Error", message: "init container fetch: OOMKilled" });
});

test("attempts that are not charged never fill the status, and their time is not forgotten", () => {
  const attempts = Array.from({ length: 101 }, (_, number) =>
    failed(number, number < 2 ? "Error" : "Suspended"),
  );
  const after = written(decideTrial(world({ trial: withAttempts(...attempts) }))).attempts!;
  assert.equal(after.length, 101);
  assert.deepEqual(
    after.map(({ number }) => number),
    [0, 1, ...Array.from({ length: 99 }, (_, k) => k + 3)],
  );
  assert.equal(gpuSeconds(after), gpuSeconds(attempts));
});

test("meaning of a pod or a Job that is gone", () => {
  const message = "Job has reached the specified backoff limit";
  const ended: Job = { ...job, status: { conditions: [{ type: "Failed", status: "True", message }] } };
  assert.partialDeepStrictEqual(attemptOutcome(undefined, undefined), {
    kind: "Infrastructure",
    cause: "Gone",
  });
  assert.deepEqual(attemptOutcome(ended, undefined), {
    kind: "Infrastructure",
    cause: "Gone",
    message: `its pod is gone: ${message}`,
  });
  assert.equal(attemptOutcome(job, undefined), undefined);
  // News of the pod may come after that of the Job.
  assert.equal(attemptOutcome(ended, makePod(job, running)), undefined);
});

test("the architecture's own failure gets the failure reward, a refusal none, and neither is tried again", () => {
  const settle = (terminated: ContainerStateTerminated) =>
    written(
      decideTrial(world({ trial: withAttempts(open), jobs: [job], pods: [terminatedPod(job, terminated)] })),
    ).result;
  const failure = settle({ exitCode: 65, finishedAt: "2026-01-01T00:00:30.500Z" });
  assert.deepEqual([failure?.outcome, failure?.reward, failure?.gpuSeconds], ["Failed", "-1", "30.5"]);
  const refusal = settle({ exitCode: 64 });
  assert.deepEqual(
    [refusal?.outcome, refusal?.reward, refusal?.cause],
    ["Failed", undefined, "InvalidConfiguration"],
  );
});
