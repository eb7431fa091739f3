// An hour of training holds no more memory at its end than after its first minutes: steps, averages, validations and
// their pictures, checkpoints. SEGNAS_SOAK_MINUTES makes it another time.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { EXIT } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { newFolder, removeFolder } from "../integration/local-fixtures.ts";
import { start, trialOf } from "../integration/trainer-fixtures.ts";

const MINUTES = Number(process.env.SEGNAS_SOAK_MINUTES ?? 60);
const root = newFolder();
after(() => removeFolder(root));

const residentMiB = (pid: number): number =>
  Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

test(`${MINUTES} minutes of training`, async (context) => {
  const stage0 = { epochs: 2 };
  const trial = trialOf({ stage0, stage1: { epochs: 1_000_000 } });
  const { child, ended } = start(trial, root, { env: { SEGNAS_CHECKPOINT_SECONDS: "0" } });
  const samples: number[] = [];
  const end = Date.now() + 60_000 * MINUTES;
  while (Date.now() < end && child.exitCode === null) {
    await setTimeout(1000);
    if (child.exitCode === null) samples.push(residentMiB(child.pid!));
  }
  child.kill();
  const { code, stderr } = await ended;
  assert.equal(code, EXIT.tryAgain, `the trainer ended by itself: ${stderr}`);
  const tenth = Math.floor(samples.length / 10);
  const told = Array.from({ length: 10 }, (_, i) => median(samples.slice(i * tenth, (i + 1) * tenth)));
  context.diagnostic(`resident, tenth by tenth: ${told.map((mib) => mib.toFixed(0)).join(", ")} MiB`);
  const grown = told.at(-1)! - told[1]!;
  assert.ok(grown < 20, `resident memory grew by ${grown.toFixed(1)} MiB`);
});
