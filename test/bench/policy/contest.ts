// One policy on one landscape: what a search would see and what it would find.
import { createPolicy, type Experience, type Proposal } from "@segnas/operator/policy/policy.ts";
import { type PolicySpec, resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { random } from "@segnas/searchspace/random.ts";
import { type LandscapeName, landscape } from "./landscapes.ts";

/** Who takes part. The names are those of the table. */
export const CONTESTANTS: Record<string, PolicySpec> = {
  random: { name: "random" },
  "ppo, published": { name: "ppo", preset: "published" },
  ppo: { name: "ppo" },
  reinforce: { name: "reinforce" },
  priorityQueue: { name: "priorityQueue" },
  "priorityQueue, not fed back": { name: "priorityQueue", feedDecisions: false },
  evolution: { name: "evolution" },
  "evolution, population 25": { name: "evolution", population: 25 },
  pathConsistency: { name: "pathConsistency" },
  "pathConsistency, fed back": { name: "pathConsistency", feedDecisions: true, replay: 22 },
};

/** A policy's run. All rewards are without noise. */
export interface Run {
  policy: string;
  landscape: LandscapeName;
  seed: number;
  inFlight: number;
  trials: number;
  /** The reward of the trial with the best reward as it was seen: what a person would take. */
  best: number;
  /** Mean of the last 50 trials. */
  last: number;
  /** How much less than the best that a local search without noise found. */
  regret: number;
  /** `best` after every tenth trial. */
  curve: number[];
}

const LAST = 50;
const EVERY = 10;

/**
 * Runs so many trials. With n in flight, trial i is proposed when all but n - 1 of those before it have their
 * rewards, which come in order. The seed is the landscape's, the noise's and the policy's.
 */
export function contest(
  policy: string,
  name: LandscapeName,
  options: { seed: number; inFlight: number; trials: number; optimum: number },
): Run {
  const { seed, inFlight, trials, optimum } = options;
  const { reward, noise } = landscape(name, seed);
  const settings = resolvePolicy(CONTESTANTS[policy]);
  const learner = createPolicy(settings, seed);
  const waiting: ({ index: number } & Proposal)[] = [];
  const rewards: number[] = [];
  const curve: number[] = [];
  let tail: Experience[] = [];
  let bestSeen = Number.NEGATIVE_INFINITY;
  let best = 0;
  for (let next = 0; rewards.length < trials; ) {
    while (waiting.length < inFlight && next < trials)
      waiting.push({ index: next, ...learner.propose(next++) });
    const trial = waiting.shift()!;
    const truth = reward(trial.decisions);
    const seen = truth === 0 ? 0 : truth + noise * random(seed, "noise", trial.index).normal();
    rewards.push(truth);
    if (seen > bestSeen) [bestSeen, best] = [seen, truth];
    if (rewards.length % EVERY === 0) curve.push(best);
    tail.push({ ...trial, reward: seen });
    if (tail.length < settings.batchSize) continue;
    learner.learn(tail);
    tail = [];
  }
  const last = rewards.slice(-LAST);
  return {
    ...{ policy, landscape: name, seed, inFlight, trials, best, curve },
    last: last.reduce((sum, value) => sum + value, 0) / last.length,
    regret: optimum - best,
  };
}
