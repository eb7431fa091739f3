// What a search costs the operator's main thread, trial by trial: node test/bench/reconcile.ts [--trials N]
// The policy learns in its own thread; the store is that of one machine, in a folder; trials end at once.
// Goal: the main thread is never blocked for more than 50 ms.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { forgetAll, reconcileSearch } from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { settledStatus } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { openStore } from "@segnas/operator/local/store.ts";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import { random } from "@segnas/searchspace/random.ts";
import { searchDependencies } from "../unit/controllers/dependencies.ts";
import { makeSearch } from "../unit/controllers/objects.ts";

const { values } = parseArgs({ options: { trials: { type: "string", default: "1000" } } });
const maxTrials = Number(values.trials);
const KEY = { namespace: "default", name: "s" };
const RESOLUTION_MS = 1;

const folder = mkdtempSync(join(tmpdir(), "segnas-bench-"));
const store = openStore(folder, { now: () => new Date() });
const { metadata, ...rest } = makeSearch({ maxTrials, parallelism: 8, rewardOrder: "Completion" });
await store.create<"ArchitectureSearch">({ ...rest, metadata: { name: metadata.name } });
const dependencies = searchDependencies(store, { startPolicy, keepFinished: true });

/** Ends every trial that is open, as a trainer would. */
async function endTrials(open: CandidateTrial[]): Promise<void> {
  for (const trial of open) {
    const reward = String(0.3 + 0.1 * random(1, "reward", trial.spec.index).uniform());
    const metrics = { meanIoU: reward, meanAccuracy: reward, frequencyWeightedIoU: reward };
    const status = settledStatus(trial, [], { outcome: "Succeeded", reward, metrics }, new Date());
    await store.updateStatus<"CandidateTrial">({ ...trial, status });
  }
}

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const start = performance.now();
delay.enable();
for (let settled = 0; settled < maxTrials; ) {
  await reconcileSearch(dependencies, KEY);
  await turn();
  const trials = await dependencies.trials.of(KEY);
  const open = trials.filter(({ status }) => !status?.result);
  await endTrials(open);
  settled = trials.length - open.length;
  await turn();
}
delay.disable();
const seconds = (performance.now() - start) / 1000;
const ms = (nanoseconds: number) => `${(nanoseconds / 1e6 - RESOLUTION_MS).toFixed(1)} ms`;
console.log(`${maxTrials} trials in ${seconds.toFixed(1)} s`);
console.log(
  `main thread blocked: at most ${ms(delay.max)}, 99.9% under ${ms(delay.percentile(99.9))}, 99% under ${ms(delay.percentile(99))}`,
);
await forgetAll(dependencies);
store.close();
rmSync(folder, { recursive: true });
