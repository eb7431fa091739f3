// Searches from end to end on one machine, with a pretend trainer: the same whatever the timing, and whoever stops it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SettledEntry } from "@segnas/operator/ledger/entry.ts";
import { startOf } from "@segnas/operator/local/process.ts";
import { openLocalSearch, type SearchView } from "@segnas/operator/local/run.ts";
import { openStore } from "@segnas/operator/local/store.ts";
import { newFolder, options, policyHash, removeFolder, runSearch, timeless } from "./local-fixtures.ts";
import type { Pretence } from "./pretend-trainer.ts";

const folders: string[] = [];
const folder = () => {
  const made = newFolder();
  folders.push(made);
  return made;
};
after(() => folders.forEach(removeFolder));

const THIRTY = { maxTrials: 30 };
const QUICK = { milliseconds: 60 };

/** The end state of thirty trials that nobody disturbed. */
let undisturbed: Promise<SearchView> | undefined;
const thirty = () => (undisturbed ??= runSearch(folder(), THIRTY, QUICK));

/** Disturbed searches are half as long: what came of them is a beginning of the long one. */
const FIFTEEN = { maxTrials: 15, retries: 0 };
function assertBeginning(view: SearchView, whole: SearchView): void {
  assert.equal(view.entries.length, FIFTEEN.maxTrials);
  assert.deepEqual(timeless(view.entries), timeless(whole.entries.slice(0, 15)));
  assert.deepEqual(view.policy, whole.policy.slice(0, 3));
}

test("with rewardOrder Index the same seed repeats the same search, whatever the timing", async () => {
  const expected = await thirty();
  assert.equal(expected.entries.length, 30);
  assert.equal(expected.policy.length, 6);
  assert.equal(expected.search.status?.conditions?.[0]?.type, "Complete");
  const versions = expected.trials.map(({ spec }) => spec.policyVersion);
  // Trial i is made after the entries up to i - 4, five to an update.
  assert.deepEqual(
    versions,
    expected.trials.map((_, i) => Math.floor(Math.max(0, i - 3) / 5)),
  );
  const again = await runSearch(folder(), { ...THIRTY, parallelism: 2 }, { milliseconds: 10 });
  assert.deepEqual(timeless(again.entries), timeless(expected.entries));
  assert.deepEqual(again.policy, expected.policy);
  assert.equal(await policyHash(again), await policyHash(expected));
});

test("a search that was stopped goes on where it stopped, and nothing is held against its trials", async () => {
  const state = folder();
  const stop = new AbortController();
  const spec = FIFTEEN;
  const pretence: Pretence = { ...QUICK, misdeeds: { 6: ["hang"] } };
  const local = await openLocalSearch(options(state, spec, pretence));
  const running = local.run(stop.signal);
  while (!(await local.view()).running.some(({ trial }) => trial === "quick-6")) await wait(20);
  stop.abort();
  const stopped = await running;
  const { running: left, trials } = await local.view();
  await local.close();
  assert.equal(stopped.status?.conditions?.[0]?.type, "Suspended");
  assert.deepEqual(left, []);
  assert.equal(trials[6]?.status?.attempts?.[0]?.cause, "Suspended");
  assertBeginning(await runSearch(state, spec, pretence), await thirty());
});

/** Runs a search in a process of its own and kills that once a trial has started. */
async function killAt(trial: string, ...args: string[]): Promise<void> {
  const runner = fileURLToPath(new URL("./local-runner.ts", import.meta.url));
  const child = spawn(process.execPath, [runner, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line);
    if (event.message === "attempt started" && event.trial === trial) child.kill("SIGKILL");
  }
  await exit;
  assert.equal(child.signalCode, "SIGKILL");
}

/** Waits until no process runs that the pods in a folder speak of. */
async function childrenGone(state: string): Promise<void> {
  const store = openStore(state);
  const pods = await store.list("Pod", "default");
  store.close();
  for (const { status } of pods) {
    const [, pid, start] = /(\d+)\/(.+)$/.exec(status?.containerStatuses?.[0]?.containerID ?? "") ?? [];
    while (pid && (await startOf(Number(pid))) === start) await wait(20);
  }
}

test("a process killed in the middle leaves nothing running, nothing lost and nothing twice", async () => {
  const state = folder();
  const spec = FIFTEEN;
  const pretence: Pretence = { ...QUICK, misdeeds: { 3: ["hang"], 11: ["hang"] } };
  const args = [state, JSON.stringify(spec), JSON.stringify(pretence)];
  await killAt("quick-3", ...args);
  await childrenGone(state);
  await killAt("quick-11", ...args);
  const view = await runSearch(state, spec, pretence);
  for (const index of [3, 11]) assert.equal(view.trials[index]?.status?.attempts?.[0]?.cause, "Lost");
  assertBeginning(view, await thirty());
});

test("each way to fail means what the table says", async () => {
  const misdeeds: Pretence["misdeeds"] = {
    0: [1, 1],
    1: [65],
    2: ["garbage", "garbage", "garbage"],
    3: ["nan"],
    4: [75],
    5: ["hog"],
  };
  const spec = {
    retries: 2,
    objective: { failureReward: "-1" },
    trialTemplate: {
      spec: { containers: [{ name: "trainer", resources: { limits: { memory: "300Mi" } } }] },
    },
  };
  const { entries, trials, search } = await runSearch(folder(), spec, {
    ...QUICK,
    misdeeds,
  });
  const said = (entries as SettledEntry[]).map(({ outcome, cause, reward }) => [outcome, cause, reward]);
  assert.equal(said[0]![0], "Succeeded");
  assert.equal(typeof said[0]![2], "number");
  assert.deepEqual(said[1], ["Failed", "NonFiniteLoss", -1]);
  assert.deepEqual(said[2], ["Infrastructure", "Infrastructure", null]);
  assert.deepEqual(said[3], ["Failed", "NonFiniteLoss", -1]);
  assert.equal(said[4]![0], "Succeeded");
  assert.deepEqual(said[5], ["Failed", "OutOfMemory", -1]);
  const causes = trials.map(({ status }) => status?.attempts?.map(({ cause }) => cause));
  assert.deepEqual(causes[0], ["Error", "Error", undefined]);
  assert.deepEqual(causes[2], ["InvalidResult", "InvalidResult", "InvalidResult"]);
  assert.deepEqual(causes[4], ["TryAgain", undefined]);
  assert.match(trials[0]?.status?.attempts?.[0]?.message ?? "", /exit code 1: something broke/);
  assert.match(trials[2]?.status?.result?.message ?? "", /each of its 3 attempts.*not JSON/);
  const { succeeded, failed, pending, running } = search.status!.trials!;
  assert.deepEqual(
    { succeeded, failed, pending, running },
    { succeeded: 2, failed: 4, pending: 0, running: 0 },
  );
});

test("a configuration that the trainer refuses three times ends the search with the trainer's sentence", async () => {
  const misdeeds: Pretence["misdeeds"] = { 0: [64], 1: [64], 2: [64], 3: ["hang"] };
  const state = folder();
  const { search, entries } = await runSearch(state, { maxTrials: 9 }, { ...QUICK, misdeeds });
  assert.equal(entries.length, 3);
  const failed = search.status?.conditions?.find(({ type }) => type === "Failed");
  assert.equal(failed?.status, "True");
  assert.equal(failed.reason, "InvalidConfiguration");
  assert.match(failed.message, /dataset\.path: no such folder/);
  // Mended and opened again it goes on; its entries stay.
  const mended = await runSearch(state, { maxTrials: 9 }, QUICK);
  assert.equal(mended.entries.length, 9);
  assert.deepEqual(mended.entries.slice(0, 3), entries);
  const complete = mended.search.status?.conditions?.find(({ type }) => type === "Complete");
  assert.equal(complete?.status, "True");
});

test("a search ends at its deadline with what it has found, and what runs is stopped", async () => {
  const spec = { maxTrials: 9, rewardOrder: "Completion", budget: { activeDeadlineSeconds: 2 } };
  const misdeeds: Pretence["misdeeds"] = { 1: ["hang"], 3: ["hang"], 4: ["hang"], 5: ["hang"], 6: ["hang"] };
  const { search, entries, running } = await runSearch(folder(), spec, {
    ...QUICK,
    misdeeds,
  });
  const complete = search.status?.conditions?.find(({ type }) => type === "Complete");
  assert.equal(complete?.reason, "DeadlineExceeded");
  assert.deepEqual(entries.map(({ index }) => index).sort(), [0, 2]);
  assert.deepEqual(running, []);
});

test("a complete search goes on where maxTrials is raised, and refuses what cannot change", async () => {
  const state = folder();
  const spec = { rewardOrder: "Completion", parallelism: 3 };
  await runSearch(state, { ...spec, maxTrials: 3 }, QUICK);
  const { entries, search } = await runSearch(state, { ...spec, maxTrials: 5 }, QUICK);
  assert.deepEqual(entries.map(({ index }) => index).sort(), [0, 1, 2, 3, 4]);
  assert.equal(search.status?.conditions?.[0]?.type, "Complete");
  const other = options(state, { ...spec, policy: { batchSize: 8, epochs: 1 } }, QUICK);
  await assert.rejects(openLocalSearch(other), {
    name: "UserError",
    message:
      /^spec\.policy\.batchSize is 8, but 5 in the search .* another name, or another folder with --state$/,
  });
});

test("a running trial shows its progress", async () => {
  const stop = new AbortController();
  const local = await openLocalSearch(
    options(folder(), { maxTrials: 1 }, { ...QUICK, misdeeds: { 0: ["hang"] } }),
  );
  const running = local.run(stop.signal);
  let view = await local.view();
  while (!view.running[0]?.progress) {
    await wait(50);
    view = await local.view();
  }
  assert.equal(view.running[0].trial, "quick-0");
  assert.equal(view.running[0].progress.epochs, 2);
  stop.abort();
  await running;
  await local.close();
});
