// One search as the page shows it, and where searches stand.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ArchitectureSearchStatus } from "@segnas/operator/api/generated/architecturesearches.ts";
import { listed } from "@segnas/operator/web/page/list.ts";
import { type Losses, noteLosses, searchDocument } from "@segnas/operator/web/page/search.ts";
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
    running: [{ trial: "s-1", stage: "0", progress: { stage: 0, epoch: 2, epochs: 5, loss: 1.5 } }],
    events: [],
  };
  const losses: Losses = new Map();
  noteLosses(losses, view.running);
  const { running, waiting } = searchDocument(view, emptyTable(), losses, []);
  assert.deepEqual(running, [
    { trial: "s-1", index: 1, since: time, stage: "0", epoch: 2, epochs: 5, losses: [1.5] },
    { trial: "s-4", index: 4, since: time, stage: "Setup", losses: [] },
  ]);
  assert.deepEqual(waiting, [{ why: "for its first attempt", trials: ["s-2", "s-3"] }]);
});

test("of losses there are never many, the first and the last among them, and none of what has ended", () => {
  const losses: Losses = new Map();
  const note = (loss: number) => noteLosses(losses, [{ trial: "s-0", stage: "0", progress: { loss } }]);
  for (let step = 0; step < 5000; step++) {
    note(step);
    note(step);
    assert.ok(losses.get("s-0")!.length <= 120);
  }
  const kept = losses.get("s-0")!;
  assert.deepEqual([kept[0], kept.at(-1)], [0, 4999]);
  assert.deepEqual(
    kept,
    kept.toSorted((a, b) => a - b),
  );
  noteLosses(losses, []);
  assert.equal(losses.size, 0);
});
