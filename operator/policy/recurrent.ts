// The recurrent policy: what it proposes, and one update by any of its algorithms.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import type { Random } from "@segnas/searchspace/random.ts";
import { CHOICES, FIRST_CHOICE, forward, type Tape } from "./network.ts";
import { type Parameters, parametersOf } from "./parameters.ts";
import type { Experience, Policy, Proposer, Update } from "./policy.ts";
import { minibatchesOf } from "./rows.ts";
import type { GradientSettings } from "./settings.ts";
import { decodeState, encodeState, initialState } from "./state.ts";
import { scoreRow, takeStep, tapeFor } from "./step.ts";
import { entropyOf, sampling } from "./uniform.ts";

export function recurrentPolicy(settings: GradientSettings, seed: number, saved?: Uint8Array): Policy {
  const state = saved === undefined ? initialState(settings, seed) : decodeState(settings, saved);
  const { parameters } = state;

  /** Where decisions are not fed back, the proposer since the last update: it runs the network once. */
  let known: Proposer | undefined;

  function proposer(): Proposer {
    if (settings.feedDecisions) {
      return proposerOf(seed, fed(parametersOf(true, parameters.values.slice())));
    }
    known ??= proposerOf(seed, independent(parameters));
    return known;
  }

  /** The same, but only until the next update: the parameters are not copied. */
  const now = (): Proposer => (settings.feedDecisions ? proposerOf(seed, fed(parameters)) : proposer());

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
    known = undefined;
    return {
      policyUpdates: state.policyUpdates,
      entropy: entropyOf(now().probabilities()),
      baseline: state.baseline ?? 0,
      loss: total.loss / total.steps,
      gradientNorm: total.gradientNorm / total.steps,
    };
  }

  return {
    propose: (index, draw) => now().propose(index, draw),
    score: (decisions) => now().score(decisions),
    probabilities: () => now().probabilities(),
    learn,
    proposer,
    state: () => encodeState(settings, state),
  };
}

/** The distributions of the 44 decisions, as a tape has them. */
type Distributions = Pick<Tape, "logProbabilities">;

/** The distributions met on the way of these choices, each asked for when its own distribution is known. */
type Follow = (choose: (distributions: Distributions, decision: number) => number) => Distributions;

function proposerOf(seed: number, follow: Follow): Proposer {
  return {
    propose(index, draw = 0) {
      const chosen = sampling(seed, index, draw);
      const decisions: number[] = [];
      const distributions = follow((now, decision) => {
        decisions[decision] = sample(now, decision, chosen);
        return decisions[decision];
      });
      return { decisions, logProbability: scoreRow(distributions, 0, decisions).logProbability };
    },
    score(decisions) {
      const distributions = follow((_, decision) => decisions[decision]!);
      return scoreRow(distributions, 0, decisions).logProbability;
    },
    probabilities() {
      const distributions = follow(likeliest);
      return DECISIONS.map((_, decision) =>
        Array.from(logProbabilitiesOf(distributions, decision), Math.exp),
      );
    },
  };
}

/** Runs the network for each way. */
function fed(parameters: Parameters): Follow {
  return (choose) => {
    const tape = tapeFor(1);
    forward(parameters, tape, (_, decision) => choose(tape, decision));
    return tape;
  };
}

/** Runs the network once: whatever is chosen, the distributions are the same, and all that is kept of it. */
function independent(parameters: Parameters): Follow {
  const tape = tapeFor(1);
  forward(parameters, tape, () => 0);
  const distributions = { logProbabilities: tape.logProbabilities.slice() };
  return (choose) => {
    for (const decision of DECISIONS.keys()) choose(distributions, decision);
    return distributions;
  };
}

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
