import assert from "node:assert/strict";
import { test } from "node:test";
import { toDecisions } from "@segnas/searchspace/decisions.ts";
import type { CandidateTrial } from "../../../operator/api/generated/candidatetrials.ts";
import { admit } from "../../../operator/api/validate.ts";
import type { LedgerEntry } from "../../../operator/ledger/entry.ts";
import { bytes, duration, large } from "../../../operator/web/format.ts";
import { counts, failureInWords, ranked, summarise } from "../../../operator/web/summary.ts";
import { succeeded } from "../ledger/entries.ts";
import { searchOf } from "./fixtures.ts";

const architecture = searchOf(1).trials[0]!.architecture!;
const search = admit("ArchitectureSearch", {
  apiVersion: "segnas.dev/v1alpha1",
  kind: "ArchitectureSearch",
  metadata: { name: "s" },
  spec: { maxTrials: 9, dataset: { format: "Shapes" }, training: { stage0: { epochs: 2 } } },
});

type Status = NonNullable<CandidateTrial["status"]>;
const trial = (index: number, status: Status): CandidateTrial => ({
  apiVersion: "segnas.dev/v1alpha1",
  kind: "CandidateTrial",
  metadata: { name: `s-${index}` },
  spec: {
    search: "s",
    index,
    seed: 1,
    decisions: [],
    policyVersion: 0,
    entries: 0,
    network: "0".repeat(32),
    logProbability: "-60",
    architecture: architecture as CandidateTrial["spec"]["architecture"],
    parameters: 1000 + index,
    macs: 5,
  },
  status,
});
const metrics = { meanIoU: "0.4", meanAccuracy: "0.5", frequencyWeightedIoU: "0.6" };
const condition = (type: string, message: string) => ({
  type,
  status: "True" as const,
  lastTransitionTime: "2026-03-01T00:00:00Z",
  reason: "R",
  message,
});

test("objects become a summary: decimals as numbers, outcomes from results, running from attempts", () => {
  const attempt = { number: 0, job: "j", startTime: "2026-03-01T00:00:00Z" };
  const trials = [
    trial(4, {}),
    trial(0, { result: { outcome: "Succeeded", reward: "0.5", metrics, gpuSeconds: "61.5" } }),
    trial(1, {
      result: { outcome: "Failed", reward: "0", cause: "TimeLimit", message: "It took 200 s." },
      attempts: [{ ...attempt, endTime: "2026-03-01T00:03:20Z" }],
    }),
    trial(2, { result: { outcome: "Deleted" } }),
    trial(3, { attempts: [attempt] }),
  ];
  const summary = summarise({ search, trials, entries: [], policy: [] }, true);
  assert.deepEqual(
    summary.trials.map(({ index, outcome, reward, seconds }) => [index, outcome, reward, seconds]),
    [
      [0, "Succeeded", 0.5, 61.5],
      [1, "Failed", undefined, 200],
      [2, "Deleted", undefined, undefined],
      [3, "Running", undefined, undefined],
      [4, "Pending", undefined, undefined],
    ],
  );
  assert.deepEqual(counts(summary.trials), {
    succeeded: 1,
    failed: 1,
    rejected: 0,
    deleted: 1,
    running: 1,
    pending: 1,
    settled: 3,
  });
  assert.deepEqual(summary.trials[0]!.metrics, {
    meanIoU: 0.4,
    meanAccuracy: 0.5,
    frequencyWeightedIoU: 0.6,
  });
  assert.equal(failureInWords(summary.trials[1]!), "it ran past its time limit: It took 200 s.");
  assert.equal(failureInWords(summary.trials[2]!), "it was deleted by hand");
});

test("what trials came to that are gone stands in the ledger; what was taken over is not counted", () => {
  const decisions = toDecisions(architecture);
  const entries: LedgerEntry[] = [
    succeeded(0, { index: -1, trial: "other-4", source: "other", decisions }),
    succeeded(1, { index: 0, trial: "s-0", decisions, reward: 0.5 }),
    { number: 2, index: 1, trial: "s-1", outcome: "Deleted" },
    succeeded(3, { index: 2, trial: "s-2", decisions, reward: 0.7, gpuSeconds: 9 }),
    succeeded(4, {
      ...{ index: 3, trial: "s-3", decisions, outcome: "Infrastructure", reward: null, metrics: null },
      ...{ cause: "Infrastructure", message: "exit code 1" },
    }),
  ];
  const there = trial(0, { result: { outcome: "Succeeded", reward: "0.5" } });
  const { trials, takenOver } = summarise({ search, trials: [there], entries, policy: [] }, true);
  assert.deepEqual(takenOver, { search: "other", trials: 1, best: { name: "other-4", reward: 0.5 } });
  assert.deepEqual(
    trials.map(({ name, outcome, reward, parameters, seconds }) => [
      name,
      outcome,
      reward,
      parameters,
      seconds,
    ]),
    [
      ["s-0", "Succeeded", 0.5, 1000, undefined],
      ["s-1", "Deleted", undefined, undefined, undefined],
      ["s-2", "Succeeded", 0.7, 100, 9],
      ["s-3", "Failed", undefined, 100, 1],
    ],
  );
  assert.deepEqual(trials[2]!.architecture, architecture);
  assert.equal(failureInWords(trials[3]!), "the machine failed it: exit code 1");
  assert.equal(counts(trials).settled, 4);
});

test("a trial that does not train says what it waits for, and which attempt failed before", () => {
  const time = "2026-03-01T00:00:00Z";
  const job = { number: 0, job: "j", creationTime: time };
  const failed = { ...job, endTime: time, cause: "Evicted", message: "no memory left" };
  const progressing = { ...condition("Progressing", "Unschedulable: no room"), reason: "Pending" };
  const objects = [
    trial(0, {}),
    trial(1, { attempts: [job], conditions: [progressing] }),
    { ...trial(2, {}), spec: { ...trial(2, {}).spec, duplicateOf: "s-1" } },
    trial(3, { attempts: [failed, { ...job, number: 1, startTime: time }] }),
    trial(4, { attempts: [failed], result: { outcome: "Failed" } }),
  ];
  const { trials } = summarise({ search, trials: objects, entries: [], policy: [] }, true);
  assert.deepEqual(
    trials.map(({ waits, failedAttempt }) => [waits, failedAttempt]),
    [
      [{ reason: "Starting", why: "for its first attempt" }, undefined],
      [{ reason: "Unschedulable", why: "Unschedulable: no room", since: time }, undefined],
      [{ reason: "Duplicate", why: "for the result of s-1, the same network" }, undefined],
      [undefined, { number: 0, message: "no memory left" }],
      [undefined, undefined],
    ],
  );
});

test("the state is the condition's, else whether something runs the search", () => {
  const of = (conditions: ReturnType<typeof condition>[], live: boolean, suspend = false) => {
    const object = { ...search, spec: { ...search.spec, suspend }, status: { conditions } };
    const { state, message } = summarise({ search: object, trials: [], entries: [], policy: [] }, live);
    return [state, message];
  };
  assert.deepEqual(of([], true), ["Running", undefined]);
  assert.deepEqual(of([], false), ["Stopped", undefined]);
  assert.deepEqual(of([], true, true), ["Stopped", undefined]);
  assert.deepEqual(of([condition("Stalled", "no quota")], true), ["Running", "no quota"]);
  assert.deepEqual(of([condition("Complete", "9 trials")], false), ["Complete", undefined]);
  assert.deepEqual(of([condition("Failed", "no data")], true), ["Failed", "no data"]);
});

test("the ranking is by reward, then by size, then by number", () => {
  const of = (index: number, reward: number, parameters: number) => ({
    ...searchOf(1).trials[0]!,
    index,
    reward,
    parameters,
  });
  const order = ranked([of(0, 0.5, 9), of(1, 0.7, 9), of(2, 0.5, 8), of(3, 0.5, 8)]).map(
    ({ index }) => index,
  );
  assert.deepEqual(order, [1, 2, 3, 0]);
});

test("numbers in words", () => {
  assert.deepEqual([0, 59.6, 185, 7800, 7200, 273_600].map(duration), [
    "0 s",
    "1 min",
    "3 min 5 s",
    "2 h 10 min",
    "2 h",
    "3 d 4 h",
  ]);
  assert.deepEqual([721e6, 9.3e6, 1500].map(large), ["0.72 G", "9.3 M", "1,500"]);
  assert.deepEqual([1.5 * 2 ** 30, 300 * 2 ** 20].map(bytes), ["1.5 GiB", "300 MiB"]);
});
