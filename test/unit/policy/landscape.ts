// A reward to learn against without training anything: an additive utility of each choice (method.md, "additive").

import type { Experience, Policy } from "@segnas/operator/policy/policy.ts";
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";

const MEAN = 0.35;
/** Deviation of the reward under uniform choices, and of its noise. */
const DEVIATION = 0.045;
const NOISE = 0.02;

/** The reward of 44 decisions without noise: mean .35, deviation .045 under uniform choices. */
export function additiveLandscape(seed: number): (decisions: readonly number[]) => number {
  const draw = random(seed, "landscape");
  const utilities = DECISIONS.map(({ choices }) => {
    const raw = Array.from({ length: choices }, () => draw.normal());
    const mean = raw.reduce((sum, value) => sum + value, 0) / choices;
    return raw.map((value) => value - mean);
  });
  const variance = utilities.reduce(
    (sum, row) => sum + row.reduce((squares, value) => squares + value * value, 0) / row.length,
    0,
  );
  const scale = DEVIATION / Math.sqrt(variance);
  return (decisions) =>
    decisions.reduce((sum, choice, decision) => sum + scale * utilities[decision]![choice]!, MEAN);
}

/** Runs so many trials, a batch at a time, and gives their rewards without noise (the policy sees them with). */
export function runTrials(policy: Policy, batchSize: number, trials: number, seed: number): number[] {
  const landscape = additiveLandscape(seed);
  const rewards: number[] = [];
  while (rewards.length < trials) {
    const batch: Experience[] = [];
    for (let i = 0; i < batchSize; i++) {
      const index = rewards.length;
      const proposal = policy.propose(index);
      const reward = landscape(proposal.decisions);
      rewards.push(reward);
      batch.push({ index, ...proposal, reward: reward + NOISE * random(seed, "noise", index).normal() });
    }
    policy.learn(batch);
  }
  return rewards;
}
