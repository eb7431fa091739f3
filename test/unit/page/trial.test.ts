// One trial as the page shows it, from whatever is left of it.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { PageView } from "@segnas/operator/web/page/source.ts";
import { picturesDocument, trialDocument } from "@segnas/operator/web/page/trial.ts";
import { sampleUniform, toDecisions } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";
import { succeeded } from "../ledger/entries.ts";

const time = "2026-03-01T00:00:00Z";
const decisions = toDecisions(sampleUniform(random(5)));
const slots = [{ stage: 0, epoch: 2, reward: 0.25, meanIoU: 0.125 }];
const view = (parts: Partial<PageView>): PageView => ({
  ...{ search: makeSearch(), trials: [], entries: [], policy: [], running: [], events: [], isLive: true },
  ...parts,
});
const elsewhere = {
  log: (_: unknown, job: string, isRunning: boolean) =>
    isRunning ? { shows: "its log", command: `cat ${job}` } : undefined,
  artifacts: () => ({ none: "They lie elsewhere." }),
};

const folder = mkdtempSync(join(tmpdir(), "segnas-page-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const here = { ...elsewhere, artifacts: () => ({ folder }) };
const write = (trial: string, file: string, content: string): void => {
  mkdirSync(join(folder, trial, "pictures"), { recursive: true });
  writeFileSync(join(folder, trial, file), content);
};

test("of a trial whose object is gone there is what the ledger has", async () => {
  const stages = [{ stage: "0", seconds: 40.5 }];
  const entry = succeeded(3, { decisions, slots, stages, policyVersion: 2, outcome: "Succeeded" });
  const imported = succeeded(0, { decisions, index: -4, source: "other" });
  const told = await trialDocument(view({ entries: [imported, entry] }), 3, elsewhere);
  assert.deepEqual([told?.validations, told?.stages], [slots, stages]);
  assert.deepEqual([told?.trial, told?.policyVersion, told?.attempts], ["s-3", 2, []]);
  assert.match(told!.svg!, /^<svg/);
  // Of another search.
  assert.equal(await trialDocument(view({ entries: [imported] }), -4, elsewhere), undefined);
  assert.equal(await trialDocument(view({}), 3, elsewhere), undefined);
});

test("a trial that trains tells of its attempts, and the log of the one that runs", async () => {
  const failed = { startTime: time, endTime: "2026-03-01T00:01:00Z", cause: "Error", message: "it broke" };
  const status = {
    attempts: [
      { number: 0, job: "s-1-0", ...failed },
      { number: 1, job: "s-1-1", startTime: time },
    ],
  };
  const event = { about: "s-1", type: "Warning", reason: "Error", note: "it broke", time };
  const events = [event, { ...event, about: "s-11" }];
  const told = await trialDocument(view({ trials: [makeTrial(1, status)], events }), 1, elsewhere);
  assert.deepEqual(told?.attempts, [
    { number: 0, startedAt: time, endedAt: failed.endTime, message: "it broke" },
    { number: 1, startedAt: time, log: { shows: "its log", command: "cat s-1-1" } },
  ]);
  assert.deepEqual([told?.events, told?.stages], [[event], []]);
  assert.equal(told?.words, "tried again: it broke");
});

test("the curve that a trainer writes comes before what it told, as far as it is whole", async () => {
  const line = { stage: 1, epoch: 4, reward: 0.5, meanIoU: 0.25, loss: 0.75, iou: [null] };
  const odd = [
    { ...line, epoch: "four" },
    { ...line, loss: null },
  ].map((it) => JSON.stringify(it));
  write("s-0", "curve.jsonl", [JSON.stringify(line), ...odd, '{"stage":1,"epo'].join("\n"));
  const entries = [succeeded(0, { decisions, slots }), succeeded(1, { decisions, slots })];
  const { iou: _, ...point } = line;
  const { loss: __, ...without } = point;
  const told = await trialDocument(view({ entries }), 0, here);
  assert.deepEqual(told?.validations, [point, without]);
  assert.deepEqual((await trialDocument(view({ entries }), 1, here))?.validations, slots);
});

test("pictures are those of the trial, or a sentence says why there are none", async () => {
  for (const what of ["image", "truth", "prediction"]) write("s-2", `pictures/0-${what}.png`, what);
  write("s-2", "pictures/classes.json", JSON.stringify([{ name: "road", color: "#123456" }]));
  const entries = [succeeded(2, { decisions }), succeeded(3, { decisions, reward: 0.9 })];
  const told = await picturesDocument(view({ entries }), 2, here);
  assert.deepEqual(told?.legend, [{ name: "road", color: "#123456" }]);
  const truth = told!.pictures[0]!.truth;
  assert.equal(truth, `data:image/png;base64,${Buffer.from("truth").toString("base64")}`);
  assert.equal((await picturesDocument(view({ entries }), 3, here))?.none, "It has left no pictures.");
  assert.equal((await picturesDocument(view({ entries }), 2, elsewhere))?.none, "They lie elsewhere.");
  assert.equal(await picturesDocument(view({ entries }), 4, here), undefined);
});
