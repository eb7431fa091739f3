import assert from "node:assert/strict";
import { test } from "node:test";
import { eventLines, frame, secondsLeft, sparkline, timeLeft } from "../../../cli/progress.ts";
import { summariseTrial, type TrialSummary } from "../../../operator/web/trial-summary.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";
import { searchOf } from "../web/fixtures.ts";

const paint = (_: string, text: string) => text;

/** The fixture's first trials settled and `running` more under way. */
function moment(settled: number, running: number) {
  const search = searchOf(12, { state: "Running" });
  const trials = search.trials.slice(0, settled + running).map((trial, i): TrialSummary => {
    const { name, index, parameters = 0 } = trial;
    return i < settled ? trial : { name, index, parameters, outcome: "Running" };
  });
  return { ...search, trials, policy: search.policy.filter(({ entry }) => entry <= settled) };
}

test("the first look tells what is there already", () => {
  assert.deepEqual(eventLines(undefined, moment(0, 0)), []);
  const lines = eventLines(undefined, moment(3, 1));
  assert.equal(lines[0], "city goes on: 3 of 12 trials have ended");
  assert.match(lines[1]!, /^city-3 started: [\d,]+ parameters$/);
  assert.equal(lines.length, 2);
});

test("each event is told once, in a line", () => {
  const lines = eventLines(moment(2, 2), moment(4, 1));
  assert.equal(lines.length, 5, lines.join("\n"));
  assert.match(lines[0]!, /^city-2 done: reward 0\.\d{3}, mIoU [\d.]+%, [\d,]+ parameters, \d+ min/);
  assert.match(lines[1]!, /^city-3 done/);
  assert.match(lines[2]!, /^city-4 started/);
  assert.match(lines[3]!, /^best so far: city-2, reward 0\.\d{3} \(4 of 12 trials\)$/);
  assert.equal(lines[4], "policy update 1: entropy 52.000");
  assert.deepEqual(eventLines(moment(4, 1), moment(4, 1)), []);
});

test("the bar is full where maxTrials was lowered below what has ended", () => {
  const search = { ...moment(4, 0), maxTrials: 3 };
  assert.match(
    frame(search, [], { width: 80, height: 24, left: undefined, paint })[0]!,
    /^█{30} {2}4\/3 trials/,
  );
});

test("a failure is told with its cause", () => {
  assert.match(
    eventLines(moment(5, 1), moment(6, 0))[0]!,
    /^city-5 failed: the loss stopped being a finite number/,
  );
});

test("an attempt that failed by the machine's fault is told once", () => {
  const before = moment(4, 1);
  const failedAttempt = { number: 0, message: "exit code 137" };
  const after = {
    ...before,
    trials: before.trials.map((it, i) => (i === 4 ? { ...it, failedAttempt } : it)),
  };
  assert.deepEqual(eventLines(before, after), ["city-4 is tried again: exit code 137"]);
  assert.deepEqual(eventLines(after, after), []);
});

test("the time left is the mean trial's, shared among those that run together", () => {
  const search = moment(4, 0);
  const mean = search.trials.reduce((sum, trial) => sum + trial.seconds!, 0) / 4;
  assert.equal(secondsLeft(search, 2), (8 * mean) / 2);
  assert.equal(secondsLeft(moment(0, 2), 2), undefined);
});

test("how long it takes is told of a search that goes on, by its parallelism as it is now and the GPUs that are there", () => {
  const is = (type: string, parallelism: number) => {
    const search = makeSearch({ parallelism });
    const condition = { type, status: "True", reason: type, message: "", lastTransitionTime: "" };
    return { search: { ...search, status: { conditions: [condition] } } as unknown as typeof search };
  };
  const summary = moment(4, 0);
  const searching = is("Progressing", 4);
  assert.equal(timeLeft(summary, searching), secondsLeft(summary, 4));
  assert.equal(timeLeft(summary, { ...searching, gpus: 2 }), secondsLeft(summary, 2));
  assert.equal(timeLeft(summary, { ...searching, gpus: 8 }), secondsLeft(summary, 4));
  for (const type of ["Suspended", "Stalled", "Complete"])
    assert.equal(timeLeft(summary, is(type, 4)), undefined);
});

test("a frame has a line for the search and one for each running trial, none wider than the terminal", () => {
  const running = [
    {
      trial: "city-4",
      stage: "0",
      progress: { stage: 0, epoch: 2, epochs: 5, step: 7, steps: 30, loss: 1.25, meanIoU: 0.31 },
    },
    { trial: "city-10", stage: "Features" },
    {
      trial: "city-11",
      stage: undefined,
      progress: { stage: "Setup", epoch: 0, epochs: 0, step: 0, steps: 0 },
    },
    { trial: "city-12", stage: undefined },
  ];
  const wide = frame(moment(4, 3), running, { width: 120, height: 24, left: 300, paint });
  assert.match(wide[0]!, /^█{10}░{20} {2}4\/12 trials {2}best 0\.\d+ \(city-2\) {2}about \d+ min/);
  assert.match(wide[1]!, /^ {2}rewards {2}[▁-█]{4}$/);
  assert.deepEqual(wide.slice(2), [
    "  city-4   stage 0  epoch 2/5  step 7/30  loss 1.250  mIoU 31.0%",
    "  city-10  features",
    "  city-11  setup",
    "  city-12  running",
  ]);
  for (const width of [20, 40, 60, 80])
    for (const line of frame(moment(4, 3), running, { width, height: 24, left: 300, paint }))
      assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
  const low = frame(moment(4, 3), running, { width: 120, height: 4, left: 300, paint });
  assert.deepEqual(low.slice(2), [wide[2], "  and 3 more"]);
  assert.equal(frame(moment(4, 3), running, { width: 120, height: 6, left: 300, paint }).length, 6);
});

test("what settled without training, or was stopped by the gate, says so", () => {
  const before = moment(4, 1);
  const last = (fields: Partial<TrialSummary>) =>
    eventLines(before, {
      ...before,
      trials: before.trials.map((it, i) => (i === 4 ? { ...it, ...fields } : it)),
    })[0];
  const duplicate = last({ outcome: "Succeeded", reward: 0.01, duplicateOf: "city-1" });
  assert.equal(duplicate, "city-4 is the same network as city-1, and gets its result");
  const cause = { cause: "OverConstraint", message: "it has 9 parameters" };
  assert.equal(
    last({ outcome: "Rejected", ...cause }),
    "city-4: it is over a constraint and was not trained: it has 9 parameters",
  );
  assert.match(last({ outcome: "Succeeded", reward: 0.01, stopped: true })!, /, stopped by the gate$/);
});

test("what stands in a trial's way is told once, its turn is not", () => {
  const waits = (name: string, why: string) => {
    const search = moment(4, 0);
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    const told = { type: "Progressing", status: "True" as const, reason: "Pending", message: why };
    const trial = makeTrial(4, { conditions: [{ ...told, lastTransitionTime }] });
    const summary = { ...summariseTrial(trial), name };
    return { ...search, trials: [...search.trials, summary] };
  };
  const none = waits("city-4", "waits for its pod to start");
  const one = waits("city-4", "Unschedulable: 0/1 nodes are available");
  const other = waits("city-4", "container trainer: ImagePullBackOff: Back-off pulling image");
  assert.deepEqual(eventLines(moment(4, 0), none), []);
  assert.deepEqual(eventLines(none, one), ["city-4 waits: Unschedulable: 0/1 nodes are available"]);
  assert.deepEqual(eventLines(one, other), []);
  assert.match(eventLines(none, other)[0]!, /^city-4 waits: container trainer: ImagePullBackOff/);
  const queued = waits("city-4", "its Job is suspended until its queue admits it");
  assert.deepEqual(eventLines(none, queued), [
    "city-4 waits: its Job is suspended until its queue admits it",
  ]);
  for (const why of ["its Job is not let in: exceeded quota", "init container fetch: exit code 1: no bucket"])
    assert.deepEqual(eventLines(none, waits("city-4", why)), [`city-4 waits: ${why}`]);
});

test("a sparkline shows the last values that fit, from the least to the greatest", () => {
  assert.equal(sparkline([0, 0.25, 0.5, 0.75, 1], 80), "▁▃▅▆█");
  assert.equal(sparkline([9, 0, 1], 2), "▁█");
  assert.equal(sparkline([0.5, 0.5], 80), "▁▁");
  assert.deepEqual([sparkline([1], 80), sparkline([], 80), sparkline([1, 2], 1)], ["", "", ""]);
});
