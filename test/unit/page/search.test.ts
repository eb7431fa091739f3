// One search as the page shows it, and where searches stand.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ArchitectureSearchStatus } from "@segnas/operator/api/generated/architecturesearches.ts";
import { listed } from "@segnas/operator/web/page/list.ts";
import { searchDocument } from "@segnas/operator/web/page/search.ts";
import { emptyTable } from "@segnas/operator/web/page/table.ts";
import { standingOf } from "@segnas/operator/web/standing.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";

const time = "2026-03-01T00:00:00Z";
const standing = (status: ArchitectureSearchStatus | undefined, spec: object = {}) =>
  standingOf({ ...makeSearch(spec), ...(status && { status }) });
const condition = (type: string, status: "True" | "False", message: string) => ({
  ...{ type, status, reason: "Because", message, lastTransitionTime: time },
});

test("a search stands where its first true condition says", () => {
  assert.equal(standing(undefined).state, "New");
  const progressing = condition("Progressing", "True", "3 of 20 trials have settled");
  const status = { conditions: [progressing], observedGeneration: 1 };
  assert.deepEqual(standing(status), {
    ...{ state: "Searching", reason: "Because", message: "3 of 20 trials have settled" },
  });
  assert.match(standing({ ...status, observedGeneration: 0 }).message!, /^the operator has not taken up/);
  const stalled = condition("Stalled", "True", "mend it");
  assert.deepEqual(standing({ conditions: [stalled, progressing] }).state, "Stalled");
  const halted = [condition("Progressing", "False", "suspended")];
  assert.equal(standing({ conditions: halted }, { suspend: true }).state, "Stopping");
});

test("what the status tells as text is numbers in the list", () => {
  const best = { trial: "s-1", index: 1, reward: "0.5", meanIoU: "0.25", parameters: 7 };
  const search = { ...makeSearch(), status: { best, gpuSeconds: "7200.5", startTime: time } };
  const { best: told, gpuSeconds, startedAt, counts, outcomes } = listed(search);
  assert.deepEqual(told, { ...best, reward: 0.5, meanIoU: 0.25 });
  assert.deepEqual([gpuSeconds, startedAt, counts.succeeded], [7200.5, time, 0]);
  assert.equal(outcomes, "0 succeeded, 0 failed");
});

test("what trains is told with what its trainer says, what waits with its reason", () => {
  const training = { attempts: [{ number: 0, job: "s-1-0", startTime: time }], stage: "Setup" };
  const view = {
    search: makeSearch(),
    trials: [makeTrial(3), makeTrial(1, training), makeTrial(2), makeTrial(4, training)],
    entries: [],
    policy: [],
    running: [{ trial: "s-1", stage: "0", progress: { stage: 0, epoch: 2, epochs: 5, losses: [1.5, 1.25] } }],
    events: [],
    isLive: true,
  };
  const { running, waiting } = searchDocument(view, emptyTable(), []);
  assert.deepEqual(running, [
    { trial: "s-1", index: 1, since: time, stage: "0", epoch: 2, epochs: 5, losses: [1.5, 1.25] },
    { trial: "s-4", index: 4, since: time, stage: "Setup", losses: [] },
  ]);
  assert.deepEqual(waiting, [{ why: "for its first attempt", trials: ["s-2", "s-3"] }]);
});

test("at a time as many trials train as the search allows, and no more than there are GPUs where they are known", () => {
  const told = { trials: [], entries: [], policy: [], running: [], events: [], isLive: true };
  const view = { search: makeSearch({ parallelism: 4 }), ...told };
  const atATime = (gpus: object) => searchDocument({ ...view, ...gpus }, emptyTable(), []).atATime;
  assert.deepEqual([atATime({}), atATime({ gpus: 1 }), atATime({ gpus: 8 })], [4, 1, 4]);
});

test("what a trainer says that is no course of a loss is not shown as one", () => {
  const training = { attempts: [{ number: 0, job: "s-1-0", startTime: time }], stage: "0" };
  const shown = (losses: unknown) =>
    searchDocument(
      {
        ...{ search: makeSearch(), trials: [makeTrial(1, training)], entries: [], policy: [], events: [] },
        running: [{ trial: "s-1", stage: "0", progress: { losses: losses as number[] } }],
        isLive: true,
      },
      emptyTable(),
      [],
    ).running[0]!.losses;
  assert.deepEqual(["falling", null, { 0: 1 }, [3, null, "2", 1]].map(shown), [[], [], [], [3, 1]]);
  // More than the contract allows would be more than the browser can take.
  assert.equal(shown(Array.from({ length: 200_000 }, (_, i) => i)).at(-1), 199_999);
  assert.equal(shown(Array.from({ length: 200_000 }, (_, i) => i)).length, 120);
});

test("a search that nothing works on has stopped: no trial of it trains", () => {
  const training = { attempts: [{ number: 0, job: "s-1-0", startTime: time }], stage: "0" };
  const made = makeSearch();
  const progressing = condition("Progressing", "True", "3 of 20 trials have settled");
  const trials = { ...{ pending: 2, running: 1, succeeded: 3, failed: 0 }, rejected: 0, deleted: 0 };
  const search = { ...made, status: { conditions: [progressing], trials } };
  const view = {
    search,
    trials: [makeTrial(1, training), makeTrial(2)],
    entries: [],
    policy: [],
    events: [],
    running: [],
  };
  const told = (status: object) =>
    searchDocument(
      { ...view, search: { ...search, status: { ...search.status, ...status } }, isLive: false },
      emptyTable(),
      [],
    );
  const { state, counts, running, waiting } = told({});
  assert.deepEqual([state, counts.running, counts.pending, running, waiting], ["Stopped", 0, 3, [], []]);
  assert.equal(told({ conditions: [condition("Complete", "True", "done")] }).state, "Complete");
});
