// With rewardOrder Index a trial that hung kept those behind it out of the ledger. When the deadline passed the search was
// Failed and had no best trial, though others had succeeded: an end ranks what has a result, entered or not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { verifyFolder } from "@segnas/operator/local/verify.ts";
import { newFolder, options, removeFolder } from "../integration/local-fixtures.ts";
import type { Pretence } from "../integration/pretend-trainer.ts";
import { Play, start } from "../unit/controllers/play.ts";

test("an end ranks results that wait to be entered, and each is entered once where the search goes on", () => {
  const play = new Play({ rewardOrder: "Index", budget: { activeDeadlineSeconds: 60 } });
  play.run();
  const endTime = new Date(start + 1000).toISOString();
  play.end(1, endTime, { outcome: "Succeeded", reward: "0.4" });
  play.end(2, endTime, { outcome: "Succeeded", reward: "0.9" });
  play.now = start + 60_000;
  play.run();
  assert.equal(play.condition("Complete")?.reason, "DeadlineExceeded");
  assert.equal(play.search.status?.entries, 0);
  assert.equal(play.search.status?.best?.trial, "s-2");
  assert.deepEqual(
    play.search.status?.top?.map(({ trial }) => trial),
    ["s-2", "s-1"],
  );
  assert.equal(play.search.status?.paretoFront?.at(-1)?.trial, "s-2");
  const { budget: _, ...spec } = play.search.spec;
  play.search = { ...play.search, spec, metadata: { ...play.search.metadata, generation: 2 } };
  play.end(0, endTime, { outcome: "Succeeded", reward: "0.5" });
  play.run();
  assert.deepEqual(
    play.entries.map(({ index }) => index),
    [0, 1, 2],
  );
  assert.deepEqual(
    play.search.status?.top?.map(({ trial }) => trial),
    ["s-2", "s-0", "s-1"],
  );
});

test("segnas verify knows such an end", async () => {
  const folder = newFolder();
  const pretence: Pretence = { milliseconds: 20, misdeeds: { 0: ["hang", "hang"] } };
  const spec = { maxTrials: 4, parallelism: 4, policyLag: 4, rewardOrder: "Index" };
  const begun = await openLocalSearch(options(folder, spec, pretence));
  const stop = new AbortController();
  const running = begun.run(stop.signal);
  const results = async () => (await begun.view()).trials.flatMap(({ status }) => status?.result ?? []);
  while ((await results()).length < 3) await wait(20);
  stop.abort();
  await running;
  const rewards = (await results()).map(({ reward }) => Number(reward));
  await begun.close();
  const ended = await openLocalSearch(
    options(folder, { ...spec, budget: { activeDeadlineSeconds: 1 } }, pretence),
  );
  const { status } = await ended.run(new AbortController().signal);
  await ended.close();
  assert.equal(status?.entries, 0);
  assert.equal(Number(status?.best?.reward), Math.max(...rewards));
  assert.deepEqual((await verifyFolder(folder)).findings, []);
  removeFolder(folder);
});
