// What proposes architectures and learns from their rewards, whatever the algorithm.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import { recurrentPolicy } from "./recurrent.ts";
import type { PolicySettings } from "./settings.ts";

/** 44 choices and the logarithm of the probability with which the policy made them. */
export interface Proposal {
  decisions: number[];
  logProbability: number;
}

/** A proposal of trial `index` and what came of it. */
export interface Experience extends Proposal {
  index: number;
  reward: number;
}

/** What an update did. */
export interface Update {
  /** Updates so far. */
  policyUpdates: number;
  /** Of the policy afterwards: the sum of the entropies of `probabilities()`, nats. */
  entropy: number;
  /** The exponential mean of rewards, afterwards. */
  baseline: number;
  /** Means over the update's minibatches, before each step: the loss, and the gradient's norm before clipping. */
  loss: number;
  gradientNorm: number;
}

export interface Policy {
  /** The proposal for trial `index`: a function of the seed, the index and what was learned so far. */
  propose(index: number): Proposal;
  /** One update on a batch of trials, in their order. */
  learn(batch: readonly Experience[]): Update;
  /**
   * The distributions of the 44 decisions. Where decisions depend on those before (feedDecisions), these are the
   * conditional ones along the path that takes the likeliest choice at each decision.
   */
  probabilities(): number[][];
  /** All that the policy knows, for createPolicy to go on from bit for bit. */
  state(): Uint8Array;
}

/** Makes a new policy, or goes on from a state. Throws Error where the state is of another kind of policy. */
export function createPolicy(settings: PolicySettings, seed: number, state?: Uint8Array): Policy {
  return settings.name === "random" ? randomPolicy(seed, state) : recurrentPolicy(settings, seed, state);
}

function randomPolicy(seed: number, state?: Uint8Array): Policy {
  const uniform = DECISIONS.map(({ choices }) => new Array<number>(choices).fill(1 / choices));
  const entropy = DECISIONS.reduce((sum, { choices }) => sum + Math.log(choices), 0);
  let policyUpdates = state === undefined ? 0 : Number(new TextDecoder().decode(state));
  if (!Number.isSafeInteger(policyUpdates)) throw new Error("the policy state is not one of random");
  return {
    propose(index) {
      const draw = random(seed, "sample", index);
      return { decisions: DECISIONS.map(({ choices }) => draw.integer(choices)), logProbability: -entropy };
    },
    learn() {
      policyUpdates++;
      return { policyUpdates, entropy, baseline: 0, loss: 0, gradientNorm: 0 };
    },
    probabilities: () => uniform.map((distribution) => [...distribution]),
    state: () => new TextEncoder().encode(String(policyUpdates)),
  };
}
