import assert from "node:assert/strict";
import { test } from "node:test";
import { haltLines } from "../../../cli/state.ts";
import { age, listText } from "../../../cli/status-list.ts";
import { statusDocument, statusText } from "../../../cli/status-text.ts";
import type { ArchitectureSearchStatus } from "../../../operator/api/generated/architecturesearches.ts";
import type { CandidateTrialStatus } from "../../../operator/api/generated/candidatetrials.ts";
import type { ReadView, ToldEvent } from "../../../operator/kube/view.ts";
import { listed } from "../../../operator/web/page/list.ts";
import { NEW, standingOf } from "../../../operator/web/standing.ts";
import { summarise } from "../../../operator/web/summary.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";

const now = new Date("2026-03-01T02:00:00Z");
const start = "2026-03-01T01:00:00Z";
const condition = (type: string, reason: string, message: string) => ({
  ...{ type, status: "True" as const, reason, message, lastTransitionTime: start },
});
const counts = { pending: 0, running: 0, succeeded: 0, failed: 0, rejected: 0, deleted: 0 };
const best = { trial: "s-0", index: 0, reward: "0.41234", meanIoU: "0.309", parameters: 222718 };

function search(status: ArchitectureSearchStatus | undefined, spec: object = {}) {
  const made = makeSearch(spec);
  const metadata = { ...made.metadata, creationTimestamp: start };
  return { ...made, metadata, ...(status && { status: { observedGeneration: 1, ...status } }) };
}
const searching = { conditions: [condition("Progressing", "Searching", "1 of 20 trials have settled")] };

test("a search's standing is its first true condition, and what is not seen to yet is said", () => {
  const of = (status?: ArchitectureSearchStatus, spec?: object) => {
    const { state, reason, message } = standingOf(search(status, spec));
    return [state, reason, message];
  };
  assert.match(of().join(), /^New,,no operator has taken it up yet/);
  assert.deepEqual(of(searching), ["Searching", "Searching", "1 of 20 trials have settled"]);
  assert.match(
    of({ ...searching, observedGeneration: 0 }).join(),
    /^Searching,,the operator has not taken up/,
  );
  const stalled = condition("Stalled", "InvalidConfiguration", "no data");
  const expected = ["Stalled", "InvalidConfiguration", "no data"];
  assert.deepEqual(of({ conditions: [stalled, ...searching.conditions] }), expected);
  const stopping = searching.conditions.map((it) => ({ ...it, status: "False" as const }));
  assert.deepEqual(of({ conditions: stopping }, { suspend: true }), ["Stopping", undefined, undefined]);
});

test("a halt is told once, and that it is over", () => {
  const stalled = { state: "Stalled", message: "no data" };
  assert.deepEqual(haltLines("s", undefined, { state: "Searching" }), []);
  assert.deepEqual(haltLines("s", undefined, NEW), [`s is new: ${NEW.message}`]);
  assert.deepEqual(haltLines("s", NEW, NEW), []);
  assert.deepEqual(haltLines("s", { state: "Searching" }, stalled), ["s is stalled: no data"]);
  assert.deepEqual(haltLines("s", stalled, { ...stalled }), []);
  assert.deepEqual(haltLines("s", stalled, { state: "Searching" }), ["s goes on"]);
  assert.deepEqual(haltLines("s", stalled, { state: "Complete" }), []);
});

test("the list has a line for each search, with its namespace where there are several", () => {
  const trials = { ...counts, running: 1, succeeded: 1200, failed: 2, rejected: 3, deleted: 1 };
  const status = { ...searching, trials, best, gpuSeconds: "5400", policyUpdates: 12 };
  const searches = [search(status, { maxTrials: 2000 }), search(undefined)];
  const lines = (options: object) =>
    listText(searches, { now, namespaces: false, wide: false, ...options }).split("\n");
  assert.deepEqual(lines({}), [
    "Search  State            Ended  Running  Failed   Best   mIoU  GPU-hours  Age",
    "s       Searching  1,206/2,000        1       2  0.412  30.9%       1.50  60m",
    "s       New               0/20        0       0                     0.00  60m",
  ]);
  assert.match(lines({ namespaces: true })[1]!, /^default {4}s {7}Searching/);
  assert.match(lines({ wide: true })[1]!, / 60m {5}222,718 {7}12 {2}s-0$/);
  const { ended, state, gpuSeconds } = listed(searches[0]!);
  assert.deepEqual({ ended, state, gpuSeconds }, { ended: 1206, state: "Searching", gpuSeconds: 5400 });
});

test("ages are as kubectl writes them", () => {
  const ages = [0, 119, 120, 7199, 7200, 172_799, 172_800].map((seconds) =>
    age(new Date(now.getTime() - seconds * 1000).toISOString(), now),
  );
  assert.deepEqual(ages, ["0s", "119s", "2m", "119m", "2h", "47h", "2d"]);
});

const job = { number: 0, job: "j", creationTime: "2026-03-01T01:50:00Z" };
const pending = { ...condition("Progressing", "Pending", "Unschedulable: no room") };
const statuses: CandidateTrialStatus[] = [
  { result: { outcome: "Succeeded", reward: "0.41234", gpuSeconds: "60" } },
  { result: { outcome: "Failed", cause: "OutOfMemory", message: "it needs 9 GiB" } },
  { result: { outcome: "Rejected", cause: "OverConstraint", message: "it has 9 parameters" } },
  { attempts: [{ ...job, startTime: "2026-03-01T01:59:00Z" }] },
  { attempts: [job], conditions: [pending] },
  { attempts: [job], conditions: [pending] },
];

function statusOf(spec: object, fields: ArchitectureSearchStatus, events: ToldEvent[] = [], isLive = true) {
  const view: ReadView = {
    search: search({ ...searching, startTime: start, gpuSeconds: "3540", ...fields }, spec),
    trials: statuses.map((status, index) => makeTrial(index, status)),
    entries: [],
    running: [{ trial: "s-3", stage: "0", progress: { stage: 0, epoch: 1, epochs: 2 } }],
    policy: [],
  };
  return { view, summary: summarise(view, isLive), events, isLive, now };
}
const words = { where: "namespace mine", report: "segnas report s" };

test("one search: counts, what is spent and left, what trains, waits and failed, and the events that say more", () => {
  const event = (about: string, reason: string, note: string): ToldEvent => ({
    ...{ about, type: "Warning", reason, note, time: "2026-03-01T01:55:00Z" },
  });
  const events = [
    { ...event("s", "Searching", "it began"), type: "Normal" },
    event("s-1", "OutOfMemory", "it needs 9 GiB"),
    event("s-4", "Unschedulable", "Unschedulable: no room"),
    event("s-3", "Evicted", "attempt 0: no memory left"),
  ];
  const trials = { ...counts, running: 1, pending: 2, succeeded: 1, failed: 1, rejected: 1, stopped: 1 };
  const budget = { gpuHours: "2", activeDeadlineSeconds: 7200 };
  const text = statusText(
    statusOf({ budget }, { trials, best, policyEntropy: "1.2", policyUpdates: 1 }, events),
    words,
  );
  const parameters = makeTrial(0).spec.parameters.toLocaleString("en-US");
  for (const line of [
    "s in namespace mine: Searching",
    "Trials      3 of 20 ended: 1 succeeded, 1 failed, 1 over a constraint; 1 training, 2 waiting",
    "  of these  1 stopped by the gate",
    "Best        0.412 (s-0): mIoU 30.9%, 222,718 parameters",
    "Policy      pathConsistency, 1 update, entropy 1.200 nats a decision",
    "GPU time    1.00 of 2 hours, 1.00 left",
    "Time        1 h of 2 h, 1 h left",
    "  s-3  stage 0  epoch 1/2",
    "  s-4, s-5 for 10 min: Unschedulable: no room",
    "  s-1: it ran out of memory: it needs 9 GiB",
    "  s-2: it has 9 parameters",
    "    5m ago  s: Searching: it began",
    "    5m ago  Warning: s-3: Evicted: attempt 0: no memory left",
    "More: segnas report s",
  ])
    assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
  assert.match(text, new RegExp(`1 {2}s-0 {5}0\\.412 +${parameters}`));
  assert.equal(text.match(/Unschedulable/g)!.length, 1);
});

test("a search that has ended has nothing left to wait for", () => {
  const over = condition("Failed", "InvalidConfiguration", "the trainer refuses the configuration: no data");
  const fields = { conditions: [over], completionTime: "2026-03-01T01:30:00Z", trials: counts };
  const text = statusText(statusOf({ budget: { gpuHours: "2" } }, fields), words);
  assert.match(text, /^s in namespace mine: Failed \(InvalidConfiguration\)\n {2}the trainer refuses/);
  assert.match(text, /\nGPU time {2}1\.00 of 2 hours\nTime {6}30 min\n/);
  assert.doesNotMatch(text, /Waiting|To go|left/);
});

test("a search that no process runs any more is stopped, whatever was written last", () => {
  const status = statusOf({}, { trials: { ...counts, running: 1 } }, [], false);
  const text = statusText({ ...status, view: { ...status.view, running: [] } }, words);
  assert.match(text, /^s in namespace mine: Stopped\n {2}no process runs it/);
  assert.doesNotMatch(text, /training|Training/);
});

test("the document says what the text says", () => {
  const document = JSON.parse(JSON.stringify(statusDocument(statusOf({}, { trials: counts, best }))));
  assert.equal(document.spentSeconds, 3600);
  assert.deepEqual(document.waiting, [
    { why: "Unschedulable: no room", names: ["s-4", "s-5"], since: job.creationTime },
  ]);
  assert.deepEqual(
    document.failures.map(({ name }: { name: string }) => name),
    ["s-1"],
  );
});
