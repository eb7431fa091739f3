// The recurrent policy: what it proposes, and one update by any of its algorithms.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import type { Random } from "@segnas/searchspace/random.ts";
import { CHOICES, FIRST_CHOICE, forward, type Tape } from "./network.ts";
import type { Experience, Policy, Proposal, Update } from "./policy.ts";
import { minibatchesOf } from "./rows.ts";
import type { GradientSettings } from "./settings.ts";
import { decodeState, encodeState, initialState } from "./state.ts";
import { scoreRow, takeStep, tapeFor } from "./step.ts";
import { entropyOf, sampling } from "./uniform.ts";

export function recurrentPolicy(settings: GradientSettings, seed: number, saved?: Uint8Array): Policy {
  const state = saved === undefined ? initialState(settings, seed) : decodeState(settings, saved);
  const { parameters } = state;

  /** Where decisions are not fed back, what the network says of all of them since the last update. */
  let independent: Distributions | undefined;

  function propose(index: number, draw = 0): Proposal {
    const chosen = sampling(seed, index, draw);
    const decisions: number[] = [];
    const distributions = follow((now, decision) => {
      decisions[decision] = sample(now, decision, chosen);
      return decisions[decision];
    });
    return { decisions, logProbability: scoreRow(distributions, 0, decisions).logProbability };
  }

  function score(decisions: readonly number[]): number {
    const distributions = follow((_, decision) => decisions[decision]!);
    return scoreRow(distributions, 0, decisions).logProbability;
  }

  /** The distributions met on the way of these choices, each asked for when its own distribution is known. */
  function follow(choose: (distributions: Distributions, decision: number) => number): Distributions {
    if (settings.feedDecisions) {
      const tape = tapeFor(1);
      forward(parameters, tape, (_, decision) => choose(tape, decision));
      return tape;
    }
    independent ??= independentDistributions();
    for (const decision of DECISIONS.keys()) choose(independent, decision);
    return independent;
  }

  function independentDistributions(): Distributions {
    const tape = tapeFor(1);
    forward(parameters, tape, () => 0);
    return { logProbabilities: tape.logProbabilities.slice() };
  }

  function probabilities(): number[][] {
    const tape = tapeFor(1);
    forward(parameters, tape, (_, decision) => likeliest(tape, decision));
    return DECISIONS.map((_, decision) => Array.from(logProbabilitiesOf(tape, decision), Math.exp));
  }

  function learn(batch: readonly Experience[]): Update {
    if (batch.length === 0) throw new Error("an update needs at least one trial");
    const total = { loss: 0, gradientNorm: 0, steps: 0 };
    for (const minibatch of minibatchesOf(settings, seed, state, batch)) {
      const { loss, gradientNorm } = takeStep(parameters, state.adam, settings, minibatch);
      total.loss += loss;
      total.gradientNorm += gradientNorm;
      total.steps++;
    }
    state.policyUpdates++;
    independent = undefined;
    return {
      policyUpdates: state.policyUpdates,
      entropy: entropyOf(probabilities()),
      baseline: state.baseline ?? 0,
      loss: total.loss / total.steps,
      gradientNorm: total.gradientNorm / total.steps,
    };
  }

  return { propose, score, learn, probabilities, state: () => encodeState(settings, state) };
}

/** The distributions of the 44 decisions, as a tape has them. */
type Distributions = Pick<Tape, "logProbabilities">;

function logProbabilitiesOf(tape: Distributions, decision: number): Float64Array {
  const first = FIRST_CHOICE[decision]!;
  return tape.logProbabilities.subarray(first, FIRST_CHOICE[decision + 1] ?? CHOICES);
}

function sample(tape: Distributions, decision: number, draw: Random): number {
  const logProbabilities = logProbabilitiesOf(tape, decision);
  const last = logProbabilities.length - 1;
  let left = draw.uniform();
  for (let choice = 0; choice < last; choice++) {
    left -= Math.exp(logProbabilities[choice]!);
    if (left < 0) return choice;
  }
  return last;
}

function likeliest(tape: Distributions, decision: number): number {
  const logProbabilities = logProbabilitiesOf(tape, decision);
  return logProbabilities.indexOf(Math.max(...logProbabilities));
}
