// What open searches cost the operator in resident memory: node test/bench/memory.ts [--searches N]... [--trials N]
// [--policy default | published]... Each line is of a process of its own that opens so many searches on a store in a
// folder, then ends so many trials of each. What the watches of an API server keep does not count.
// Goal: 50 open searches fit into the chart's limit of 512 Mi.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Key } from "@segnas/operator/api/store.ts";
import {
  forgetAll,
  reconcileSearch,
  type SearchDependencies,
} from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { settledStatus } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { openStore } from "@segnas/operator/local/store.ts";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import type { PolicySpec } from "@segnas/operator/policy/settings.ts";
import { random } from "@segnas/searchspace/random.ts";
import { searchDependencies } from "../unit/controllers/dependencies.ts";
import { makeSearch } from "../unit/controllers/objects.ts";

/** What is garbage by then has mostly been collected. */
const REST_MS = 1_000;
const POLICIES: Record<string, PolicySpec> = { default: {}, published: { preset: "published" } };

/** MiB. */
interface Figures {
  opened: number;
  learned: number;
  most: number;
}

/** Opens the searches in this process, and ends so many trials of each. */
async function measure(policy: PolicySpec, searches: number, trials: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "segnas-bench-"));
  const store = openStore(folder);
  const dependencies = searchDependencies(store, { startPolicy, keepFinished: true });
  const keys = Array.from({ length: searches }, (_, i) => ({ namespace: "default", name: `s${i}` }));
  for (const { name } of keys) {
    const { metadata: _, ...rest } = makeSearch({ parallelism: 8, maxTrials: 2 * trials, policy });
    await store.create<"ArchitectureSearch">({ ...rest, metadata: { name } });
  }
  await Promise.all(keys.map((key) => reconcileSearch(dependencies, key)));
  const opened = await residentAtRest();
  // Trials take minutes: seldom do two end at once.
  for (let index = 0; index < trials; index++)
    for (const key of keys) await endTrial(dependencies, key, index);
  const learned = await residentAtRest();
  await forgetAll(dependencies);
  store.close();
  rmSync(folder, { recursive: true });
  return { opened, learned, most: process.resourceUsage().maxRSS / 1024 };
}

async function residentAtRest(): Promise<number> {
  await sleep(REST_MS);
  return process.memoryUsage.rss() / 1024 ** 2;
}

/** Ends a trial, as a trainer would, and lets the search go on. */
async function endTrial(dependencies: SearchDependencies, key: Key, index: number): Promise<void> {
  const { store, trials } = dependencies;
  const trial = (await trials.of(key)).find(({ spec }) => spec.index === index)!;
  const reward = String(0.3 + 0.1 * random(1, "reward", index).uniform());
  const metrics = { meanIoU: reward, meanAccuracy: reward, frequencyWeightedIoU: reward };
  const status = settledStatus(trial, [], { outcome: "Succeeded", reward, metrics }, new Date());
  trials.see(await store.updateStatus<"CandidateTrial">({ ...trial, status }));
  await reconcileSearch(dependencies, key);
}

/** The same in a new process. */
function measureApart(policy: string, searches: number): Figures {
  const file = fileURLToPath(import.meta.url);
  const args = [file, "--in-process", "--policy", policy, "--searches", String(searches)];
  args.push("--trials", values.trials);
  const { stdout, status } = spawnSync(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) throw new Error(`${searches} searches: ended with code ${status}`);
  return JSON.parse(stdout.toString());
}

const { values } = parseArgs({
  options: {
    searches: { type: "string", multiple: true, default: ["0", "10", "20", "50"] },
    policy: { type: "string", multiple: true, default: Object.keys(POLICIES) },
    // A batch of the default policy, and more updates of the published one than versions are kept.
    trials: { type: "string", default: "10" },
    "in-process": { type: "boolean", default: false },
  },
});
if (values["in-process"]) {
  const figures = await measure(
    POLICIES[values.policy[0]!]!,
    Number(values.searches[0]),
    Number(values.trials),
  );
  console.log(JSON.stringify(figures));
} else {
  const show = (value: number) => `${value.toFixed(0)} MiB`.padStart(11);
  const title = (text: string) => text.padStart(11);
  for (const policy of values.policy) {
    console.log(`${policy.padEnd(14)}${["opened", "learned", "a search", "most"].map(title).join("")}`);
    let none: number | undefined;
    for (const searches of values.searches.map(Number)) {
      const { opened, learned, most } = measureApart(policy, searches);
      none ??= learned;
      const each =
        searches === 0 ? title("") : `${((learned - none) / searches).toFixed(1)} MiB`.padStart(11);
      console.log(`${`${searches} searches`.padEnd(14)}${show(opened)}${show(learned)}${each}${show(most)}`);
    }
  }
}
