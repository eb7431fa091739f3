// Uniform choices: the random policy, what evolution starts from, and the randomness of every policy's proposals.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { type Random, random } from "@segnas/searchspace/random.ts";
import type { Policy, Proposal, Proposer } from "./policy.ts";

/** The distributions of uniform choices. */
export const uniformProbabilities = (): number[][] =>
  DECISIONS.map(({ choices }) => new Array<number>(choices).fill(1 / choices));

/** The sum of the distributions' entropies, nats. */
export function entropyOf(distributions: readonly (readonly number[])[]): number {
  return distributions.flat().reduce((sum, p) => (p === 0 ? sum : sum - p * Math.log(p)), 0);
}

const UNIFORM_ENTROPY = entropyOf(uniformProbabilities());

/** Of any decisions under uniform choices. */
export const UNIFORM_LOG_PROBABILITY = -UNIFORM_ENTROPY;

export function uniformProposal(draw: Random): Proposal {
  return {
    decisions: DECISIONS.map(({ choices }) => draw.integer(choices)),
    logProbability: UNIFORM_LOG_PROBABILITY,
  };
}

/** What the proposal of this trial and draw is drawn with. */
export function sampling(seed: number, index: number, draw: number): Random {
  return draw === 0 ? random(seed, "sample", index) : random(seed, "sample", index, draw);
}

export function randomPolicy(seed: number, state?: Uint8Array): Policy {
  let policyUpdates = state === undefined ? 0 : Number(new TextDecoder().decode(state));
  if (!Number.isSafeInteger(policyUpdates)) throw new Error("the policy state is not one of random");
  const proposer: Proposer = {
    propose: (index, draw = 0) => uniformProposal(sampling(seed, index, draw)),
    score: () => UNIFORM_LOG_PROBABILITY,
    probabilities: uniformProbabilities,
  };
  return {
    ...proposer,
    learn() {
      policyUpdates++;
      return { policyUpdates, entropy: UNIFORM_ENTROPY, baseline: 0, loss: 0, gradientNorm: 0 };
    },
    proposer: () => proposer,
    state: () => new TextEncoder().encode(String(policyUpdates)),
  };
}
