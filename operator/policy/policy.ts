// What proposes architectures and learns from their rewards, whatever the algorithm.
import { evolutionPolicy } from "./evolution.ts";
import { recurrentPolicy } from "./recurrent.ts";
import type { PolicySettings } from "./settings.ts";
import { randomPolicy } from "./uniform.ts";

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
  /**
   * The reward that a trial is measured by, afterwards: the exponential mean of rewards; the queue's worst
   * (priorityQueue); the mean of the trials kept (pathConsistency) or of the population (evolution).
   */
  baseline: number;
  /** Means over the update's minibatches, before each step: the loss, and the gradient's norm before clipping. */
  loss: number;
  gradientNorm: number;
}

/** What a policy says of trials to come. */
export interface Proposer {
  /**
   * The proposal for trial `index`: a function of the seed, the index, the draw and what was learned so far. Draws
   * 0, 1, 2 ... are independent proposals for the same trial.
   */
  propose(index: number, draw?: number): Proposal;
  /**
   * The logarithm of the probability with which the policy, as it is now, makes these decisions, whoever made
   * them. Of a proposal that it has just made: its own, to the bit. Always finite.
   */
  score(decisions: readonly number[]): number;
  /**
   * The distributions of the 44 decisions. Where decisions depend on those before (feedDecisions), these are the
   * conditional ones along the path that takes the likeliest choice at each decision.
   */
  probabilities(): number[][];
}

export interface Policy extends Proposer {
  /** One update on a batch of trials, in their order. Where it fails midway, the policy must not be used any more. */
  learn(batch: readonly Experience[]): Update;
  /** What says for good what the policy says now, in a third of its memory or less. */
  proposer(): Proposer;
  /** All that the policy knows, for createPolicy to go on from bit for bit. */
  state(): Uint8Array;
}

/** Makes a new policy, or goes on from a state. Throws Error where the state is of another kind of policy. */
export function createPolicy(settings: PolicySettings, seed: number, state?: Uint8Array): Policy {
  switch (settings.name) {
    case "random":
      return randomPolicy(seed, state);
    case "evolution":
      return evolutionPolicy(settings, seed, state);
    default:
      return recurrentPolicy(settings, seed, state);
  }
}
