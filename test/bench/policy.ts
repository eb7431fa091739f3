// What the policy costs in processor time: node test/bench/policy.ts
// What it learns: node test/bench/policy.ts --landscapes (policy/run.ts has its arguments).
// Goal: the published form samples in under 5 ms and an update on 10 trials takes under 1 s.
import { createPolicy, type Experience, type Policy } from "@segnas/operator/policy/policy.ts";
import { type PolicySpec, resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { random } from "@segnas/searchspace/random.ts";
import { runContest } from "./policy/run.ts";

const TRIALS = 10;
/** So many updates before those that are timed: the compiler has settled, and the published ring is full. */
const EARLIER_TRIALS = 110;

function timed(runs: number, work: (run: number) => void): string {
  const times = Array.from({ length: runs }, (_, run) => {
    const start = process.cpuUsage();
    work(run);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  }).sort((a, b) => a - b);
  const show = (ms: number) => ms.toFixed(ms < 100 ? 2 : 0);
  return `${show(times[runs >> 1]!)} ms (${show(times[0]!)} to ${show(times.at(-1)!)})`;
}

function batchOf(policy: Policy, first: number, size: number): Experience[] {
  return Array.from({ length: size }, (_, i) => {
    const index = first + i;
    return { index, ...policy.propose(index), reward: 0.35 + 0.05 * random(1, "reward", index).normal() };
  });
}

function learnTrials(policy: Policy, batchSize: number, first: number, trials: number): void {
  for (let i = 0; i < trials; i += batchSize) policy.learn(batchOf(policy, first + i, batchSize));
}

function costs(title: string, spec: PolicySpec, runs: number): void {
  const settings = resolvePolicy(spec);
  const policy = createPolicy(settings, 1);
  learnTrials(policy, settings.batchSize, 0, EARLIER_TRIALS);
  console.log(`${title}: sample ${timed(50, (run) => policy.propose(run))}`);
  const batches = Array.from({ length: runs }, (_, run) => batchOf(policy, 1000 + run * TRIALS, TRIALS));
  const whole = timed(runs, (run) => {
    const batch = batches[run]!;
    for (let i = 0; i < TRIALS; i += settings.batchSize) policy.learn(batch.slice(i, i + settings.batchSize));
  });
  console.log(`${title}: learn from ${TRIALS} trials, ${TRIALS / settings.batchSize} update(s) ${whole}`);
}

if (process.argv.includes("--landscapes")) {
  runContest(process.argv.slice(2));
} else {
  costs("ppo", { name: "ppo" }, 7);
  costs("reinforce", { name: "reinforce" }, 7);
  costs("priorityQueue", { name: "priorityQueue" }, 7);
  costs("pathConsistency", { name: "pathConsistency" }, 7);
  costs("evolution", { name: "evolution" }, 7);
  // The published update passes over the last 100 trials, whatever it adds to them: one of 10 trials, ten of one.
  costs("ppo, published, 10 trials an update", { name: "ppo", preset: "published", batchSize: 10 }, 7);
  costs("ppo, published", { name: "ppo", preset: "published" }, 3);
}
