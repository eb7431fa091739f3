// A search with the real trainer, and the rows of the failure table that one machine can make happen for real: the
// cause stands in the trial's condition in the trainer's own words, and no failure poses as a bad score.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { type LocalSearch, openLocalSearch, type SearchView } from "@segnas/operator/local/run.ts";
import { newFolder, removeFolder, search, timeless } from "./local-fixtures.ts";

const trainer = fileURLToPath(new URL("../../trainer/main.ts", import.meta.url));
const small = {
  crop: { height: 32, width: 32 },
  stage0: { epochs: 1, batchSize: 4 },
  stage1: { epochs: 1, batchSize: 4 },
  statisticsBatches: 1,
};
const shapes = { format: "Shapes", shapes: { images: 20, height: 40, width: 48 } };
const one = { maxTrials: 1, parallelism: 1, dataset: shapes };
const limits = (values: object) => ({
  spec: { containers: [{ name: "trainer", resources: { limits: values } }] },
});

let folder: string;
let count = 0;
before(() => {
  folder = newFolder();
});
after(() => removeFolder(folder));

async function run(spec: object, meanwhile?: (local: LocalSearch) => Promise<void>): Promise<SearchView> {
  const stateDir = join(folder, `search${++count}`);
  const local = await openLocalSearch({
    search: search(spec),
    stateDir,
    trainer: { command: [process.execPath, trainer] },
    retryDelay: () => 50,
  });
  try {
    const [, view] = await Promise.all([
      meanwhile?.(local),
      local.run(new AbortController().signal).then(() => local.view()),
    ]);
    return view;
  } finally {
    await local.close();
  }
}

/** Null where the entry has none: nothing is said of the architecture. */
const rewardOf = (entry: LedgerEntry): number | null => ("reward" in entry ? entry.reward : null);

const failedCondition = ({ trials }: SearchView) =>
  trials[0]!.status!.conditions!.find(({ type }) => type === "Failed");

describe("a search with the real trainer", () => {
  it("repeats to the bit: two trials at once, one thread each, rewards by index", async () => {
    const spec = {
      maxTrials: 3,
      parallelism: 2,
      policyLag: 2,
      policy: { batchSize: 2, epochs: 1 },
      dataset: shapes,
      training: small,
      trialTemplate: limits({ cpu: "1" }),
    };
    const first = await run(spec);
    const second = await run(spec);
    assert.equal(first.entries.length, 3);
    for (const entry of first.entries) {
      assert.equal(entry.outcome, "Succeeded");
      const reward = rewardOf(entry);
      assert.ok(reward! > 0 && reward! <= 1, `reward ${reward}`);
      assert.ok(entry.stages?.some(({ stage, seconds }) => stage === "Setup" && seconds > 0));
    }
    assert.deepEqual(timeless(first.entries), timeless(second.entries));
    assert.deepEqual(first.policy, second.policy);
  });
});

describe("failures, made to happen", () => {
  it("a loss that is not finite is a failed architecture", async () => {
    const training = {
      ...small,
      stage0: { epochs: 3, batchSize: 4, learningRate: "1e30", gradientClip: "1e30" },
    };
    const view = await run({ ...one, training });
    assert.deepEqual([view.entries[0]!.outcome, rewardOf(view.entries[0]!)], ["Failed", 0]);
    assert.match(failedCondition(view)!.reason, /NonFinite/);
    assert.match(failedCondition(view)!.message, /loss became|not finite/);
  });

  it("more memory than its limit is a failed architecture", async () => {
    const view = await run({ ...one, training: small, trialTemplate: limits({ memory: "150Mi" }) });
    assert.deepEqual([view.entries[0]!.outcome, rewardOf(view.entries[0]!)], ["Failed", 0]);
    assert.equal(failedCondition(view)!.reason, "OutOfMemory");
    assert.match(failedCondition(view)!.message, /150Mi/);
  });

  it("its time limit passed is a failed architecture", async () => {
    const training = { ...small, stage0: { epochs: 1000, batchSize: 4 }, timeLimitSeconds: 1 };
    const view = await run({ ...one, training });
    assert.deepEqual([view.entries[0]!.outcome, rewardOf(view.entries[0]!)], ["Failed", 0]);
    assert.equal(failedCondition(view)!.reason, "TimeLimit");
  });

  it("data that cannot be read is no verdict on an architecture: the search fails with the trainer's sentence", async () => {
    const data = join(folder, "data");
    for (const part of ["images", "labels"]) {
      mkdirSync(join(data, "train", part), { recursive: true });
      for (const index of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        writeFileSync(join(data, "train", part, `a_${index}.png`), "not a picture");
    }
    const dataset = { format: "Folder", path: data, classes: 3 };
    const view = await run({
      ...one,
      maxTrials: 9,
      dataset,
      training: { ...small, stage0: { epochs: 1, batchSize: 2 } },
    });
    const failed = view.search.status!.conditions!.find(({ type }) => type === "Failed");
    assert.equal(failed?.status, "True");
    assert.match(failed!.message, /a_\d\.png: is not (an image|a PNG) that can be read/);
    assert.ok(view.entries.every((entry) => rewardOf(entry) === null));
  });

  it("a trainer that is killed is tried again, and its reward is that of the trial", async () => {
    const training = { ...small, stage0: { epochs: 20, batchSize: 4 } };
    const undisturbed = await run({ ...one, training, trialTemplate: limits({ cpu: "1" }) });
    const view = await run({ ...one, training, trialTemplate: limits({ cpu: "1" }) }, async (local) => {
      for (;;) {
        const { running } = await local.view();
        if (running[0]?.progress?.stage === 0) break;
        await setTimeout(50);
      }
      // The trainer is our only child.
      for (const pid of children()) process.kill(pid, "SIGKILL");
    });
    assert.equal(view.trials[0]!.status!.attempts!.length, 2);
    assert.deepEqual(timeless(view.entries), timeless(undisturbed.entries));
  });
});

/** Pids of this process's children that run the trainer. */
function children(): number[] {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  return rows
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row))
    .filter((match) => match && Number(match[2]) === process.pid && match[3]!.includes("trainer/main.ts"))
    .map((match) => Number(match![1]));
}
