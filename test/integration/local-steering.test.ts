// People change a search while it runs: what runs is not harmed, nothing is made too often, nothing is left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { keyOf } from "@segnas/operator/api/store.ts";
import { gpuSeconds } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { steeredSearch } from "./local-steered.ts";

const timeout = 60_000;
type Steered = Awaited<ReturnType<typeof steeredSearch>>;

const jobUids = async ({ jobs }: Steered) => (await jobs()).map(({ metadata }) => metadata.uid);
const causes = async ({ trials }: Steered) =>
  (await trials()).map(({ status }) => status?.attempts?.map(({ cause }) => cause ?? null));
const indices = async ({ entries }: Steered) => (await entries()).map(({ index }) => index);
const reason = async ({ get }: Steered, type: string) =>
  (await get()).status?.conditions?.find((it) => it.type === type && it.status === "True")?.reason;

test("suspended, what runs stops cleanly; resumed, the same trials go on", { timeout }, async (context) => {
  const steered = await steeredSearch(context, { maxTrials: 4, parallelism: 3, retries: 0 });
  await steered.training(0, 1, 2);
  const uids = (await steered.trials()).map(({ metadata }) => metadata.uid);
  await steered.steer({ suspend: true });
  await steered.condition("Suspended");
  await steered.until(async () => (await steered.jobs()).length === 0);
  await steered.alive(0);
  for (const index of [0, 1, 2]) assert.match(steered.log(`quick-${index}-0`), /^stopped$/m);
  assert.deepEqual(await causes(steered), [["Suspended"], ["Suspended"], ["Suspended"]]);
  const spent = (await steered.trials()).map(({ status }) => gpuSeconds(status!.attempts!));
  for (const seconds of spent) assert.ok(seconds > 0);

  steered.release(0, 1, 2, 3);
  await steered.steer({ suspend: false });
  await steered.condition("Complete");
  assert.deepEqual(await indices(steered), [0, 1, 2, 3]);
  assert.deepEqual(await causes(steered), [...Array(3).fill(["Suspended", null]), [null]]);
  const trials = await steered.trials();
  assert.deepEqual(
    trials.slice(0, 3).map(({ metadata }) => metadata.uid),
    uids,
  );
  for (const [index, seconds] of spent.entries()) {
    const { attempts, result } = trials[index]!.status!;
    assert.equal(result?.outcome, "Succeeded");
    assert.equal(
      result.gpuSeconds,
      gpuSeconds(attempts!)
        .toFixed(3)
        .replace(/\.?0+$/, ""),
    );
    assert.ok(Number(result.gpuSeconds) > seconds);
  }
  assert.equal(steered.made.length, 4);
});

test("parallelism raised makes more at once; lowered, it ends nothing that runs", {
  timeout,
}, async (context) => {
  const steered = await steeredSearch(context, { maxTrials: 5, parallelism: 1 });
  await steered.training(0);
  assert.equal(steered.made.length, 1);
  await steered.steer({ parallelism: 3 });
  await steered.training(0, 1, 2);
  const running = await jobUids(steered);
  await steered.steer({ parallelism: 1 });
  await steered.observed();
  assert.deepEqual(await jobUids(steered), running);
  steered.release(0, 1);
  await steered.entered(2);
  // Another runs still.
  await steered.until(async () => (await steered.jobs()).length === 1);
  assert.equal(steered.made.length, 3);
  steered.release(2);
  await steered.training(3);
  assert.equal(steered.made.length, 4);
  steered.release(3, 4);
  await steered.condition("Complete");
  assert.deepEqual(await causes(steered), Array(5).fill([null]));
  await steered.alive(0);
});

test("maxTrials lowered lets what runs finish; raised, the search goes on", { timeout }, async (context) => {
  const steered = await steeredSearch(context, { maxTrials: 6, parallelism: 3 });
  await steered.training(0, 1, 2);
  await steered.steer({ maxTrials: 1 });
  await steered.observed();
  assert.equal((await steered.jobs()).length, 3);
  steered.release(0);
  await steered.entered(1);
  assert.equal(await reason(steered, "Complete"), undefined);
  steered.release(1, 2);
  await steered.condition("Complete");
  assert.deepEqual(await indices(steered), [0, 1, 2]);
  await steered.steer({ maxTrials: 4 });
  await steered.training(3);
  assert.equal(await reason(steered, "Complete"), undefined);
  await steered.steer({ maxTrials: 5 });
  await steered.training(3, 4);
  steered.release(3, 4);
  await steered.condition("Complete");
  assert.deepEqual(await indices(steered), [0, 1, 2, 3, 4]);
  assert.deepEqual(await causes(steered), Array(5).fill([null]));
  assert.equal(steered.made.length, 5);
});

test("a trial deleted by hand is entered as such, whatever it was doing", { timeout }, async (context) => {
  const spec = { maxTrials: 5, parallelism: 3 };
  const steered = await steeredSearch(context, spec, {}, { gpus: 2 });
  await steered.training(0, 1);
  // The third waits for a GPU.
  await steered.until(async () => (await steered.jobs()).length === 3);
  steered.release(1);
  await steered.until(async () => (await steered.trial(1)).status?.result !== undefined);
  await steered.training(2);
  await steered.until(async () => (await steered.jobs()).some(({ metadata }) => /-3-0$/.test(metadata.name)));
  assert.equal((await steered.get()).status?.entries ?? 0, 0);
  // Settled, but not entered before trial 0 is; waiting for a GPU; running.
  for (const index of [1, 3, 0]) await steered.remove(index);
  await steered.entered(2);
  await steered.training(2, 4);
  assert.equal((await steered.jobs()).length, 2);
  await steered.alive(2);
  steered.release(2, 4);
  await steered.condition("Complete");
  const outcomes = (await steered.entries()).map(({ index, outcome }) => [index, outcome]);
  assert.deepEqual(outcomes, [
    [0, "Deleted"],
    [1, "Deleted"],
    [2, "Succeeded"],
    [3, "Deleted"],
    [4, "Succeeded"],
  ]);
  assert.deepEqual(await causes(steered), [[null], [null]]);
  assert.equal((await steered.get()).status?.trials?.deleted, 3);
  assert.equal(steered.made.length, 5);
  await steered.alive(0);
});

test("a trial deleted while it waits to be tried again leaves nothing", { timeout }, async (context) => {
  const spec = { maxTrials: 2, parallelism: 1, retries: 100 };
  const steered = await steeredSearch(context, spec, { misdeeds: { 0: Array(99).fill(1) } });
  await steered.until(async () => ((await steered.trial(0))?.status?.attempts?.length ?? 0) > 2);
  await steered.remove(0);
  await steered.training(1);
  assert.equal((await steered.jobs()).length, 1);
  steered.release(1);
  await steered.condition("Complete");
  assert.deepEqual(
    (await steered.entries()).map(({ outcome }) => outcome),
    ["Deleted", "Succeeded"],
  );
});

test("a search deleted while trials run leaves no process and no object", { timeout }, async (context) => {
  const steered = await steeredSearch(context, { maxTrials: 9, parallelism: 3 });
  await steered.training(0, 1, 2);
  const search = await steered.get();
  await steered.store.delete("ArchitectureSearch", keyOf(search), { uid: search.metadata.uid! });
  await steered.alive(0);
  for (const index of [0, 1, 2]) assert.match(steered.log(`quick-${index}-0`), /^stopped$/m);
  for (const kind of ["CandidateTrial", "SearchRecord", "Job", "Pod"] as const)
    assert.deepEqual(await steered.store.list(kind, "default"), []);
  assert.deepEqual(steered.faults, []);
});

test("a deadline set midway stops what runs; taken back, the same trials go on", {
  timeout,
}, async (context) => {
  const steered = await steeredSearch(context, { maxTrials: 3, parallelism: 2, retries: 0 });
  steered.release(0);
  await steered.entered(1);
  await steered.training(1, 2);
  await steered.steer({ budget: { activeDeadlineSeconds: 1 } });
  await steered.condition("Complete");
  assert.equal(await reason(steered, "Complete"), "DeadlineExceeded");
  await steered.alive(0);
  await steered.until(async () => (await steered.jobs()).length === 0);
  assert.deepEqual(await causes(steered), [[null], ["Suspended"], ["Suspended"]]);
  assert.deepEqual(await indices(steered), [0]);
  await steered.steer({ budget: { activeDeadlineSeconds: 3600 } });
  steered.release(1, 2);
  await steered.entered(3);
  await steered.condition("Complete");
  assert.equal(await reason(steered, "Complete"), "MaxTrialsReached");
  assert.deepEqual(await causes(steered), [[null], ["Suspended", null], ["Suspended", null]]);
});

test("more failures than maxFailedTrials end the search; raised, it goes on", {
  timeout,
}, async (context) => {
  const spec = { maxTrials: 4, parallelism: 3, maxFailedTrials: 1 };
  const steered = await steeredSearch(context, spec, { misdeeds: { 0: [65], 1: [65] } });
  await steered.condition("Failed");
  assert.equal(await reason(steered, "Failed"), "MaxFailedTrialsReached");
  await steered.alive(0);
  await steered.until(async () => (await steered.jobs()).length === 0);
  assert.deepEqual(await indices(steered), [0, 1]);
  await steered.steer({ maxFailedTrials: 2 });
  steered.release(2, 3);
  await steered.condition("Complete");
  assert.deepEqual(await indices(steered), [0, 1, 2, 3]);
  assert.equal(steered.made.length, 4);
});

test("waiting for a GPU is no waiting for a pod", { timeout }, async (context) => {
  // A Job's start is told to the second: a timeout of 1 s may be over as soon as it begins.
  const spec = { maxTrials: 2, parallelism: 2, pendingTimeoutSeconds: 2, retries: 0 };
  const steered = await steeredSearch(context, spec, {}, { gpus: 1 });
  // Of two that are made at once either may be the first.
  const begun = async () =>
    (await steered.trials()).find(({ status }) => status?.attempts?.at(-1)?.startTime !== undefined);
  await steered.until(async () => (await steered.jobs()).length === 2 && (await begun()) !== undefined);
  await wait(3000);
  const other = (await begun())!.spec.index === 0 ? 1 : 0;
  const [condition] = (await steered.trial(other)).status!.conditions!;
  assert.deepEqual([condition?.type, condition?.reason], ["Progressing", "Pending"]);
  steered.release(0, 1);
  await steered.condition("Complete");
  assert.deepEqual(await causes(steered), [[null], [null]]);
});
