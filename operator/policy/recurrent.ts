// The recurrent policy, which learns from advantages by PPO or REINFORCE.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { type Random, random } from "@segnas/searchspace/random.ts";
import { CHOICES, FIRST_CHOICE, forward, type Tape } from "./network.ts";
import type { Experience, Policy, Proposal, Update } from "./policy.ts";
import type { PpoSettings, ReinforceSettings } from "./settings.ts";
import { decodeState, encodeState, initialState } from "./state.ts";
import { type Row, scoreRow, takeStep, tapeFor } from "./step.ts";

/** Below this, advantages differ by rounding alone and are not divided by their deviation. */
const SMALLEST_DEVIATION = 1e-9;

export function recurrentPolicy(
  settings: PpoSettings | ReinforceSettings,
  seed: number,
  saved?: Uint8Array,
): Policy {
  const state = saved === undefined ? initialState(settings, seed) : decodeState(settings, saved);
  const { parameters } = state;

  function propose(index: number): Proposal {
    const draw = random(seed, "sample", index);
    const tape = tapeFor(1);
    forward(parameters, tape, (_, decision) => sample(tape, decision, draw));
    const decisions = [...tape.decisions];
    return { decisions, logProbability: scoreRow(tape, 0, decisions).logProbability };
  }

  function probabilities(): number[][] {
    const tape = tapeFor(1);
    forward(parameters, tape, (_, decision) => likeliest(tape, decision));
    return DECISIONS.map((_, decision) => Array.from(logProbabilitiesOf(tape, decision), Math.exp));
  }

  function learn(batch: readonly Experience[]): Update {
    if (batch.length === 0) throw new Error("an update needs at least one trial");
    const rows = rowsOf(batch);
    const epochs = settings.name === "ppo" ? settings.epochs : 1;
    const total = { loss: 0, gradientNorm: 0, steps: 0 };
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const minibatch of minibatches(rows, epoch)) {
        const { loss, gradientNorm } = takeStep(parameters, state.adam, settings, minibatch);
        total.loss += loss;
        total.gradientNorm += gradientNorm;
        total.steps++;
      }
    }
    state.policyUpdates++;
    return {
      policyUpdates: state.policyUpdates,
      entropy: probabilities()
        .flat()
        .reduce((sum, p) => (p === 0 ? sum : sum - p * Math.log(p)), 0),
      baseline: state.baseline ?? 0,
      loss: total.loss / total.steps,
      gradientNorm: total.gradientNorm / total.steps,
    };
  }

  /** The batch's rows, each with its advantage over the baseline, which its own reward has moved already. */
  function rowsOf(batch: readonly Experience[]): Row[] {
    const decay = settings.baselineDecay;
    const rows = batch.map(({ decisions, logProbability, reward }) => {
      // The mean starts at the first reward, so the first advantage is 0.
      const baseline = decay * (state.baseline ?? reward) + (1 - decay) * reward;
      state.baseline = baseline;
      return { decisions: [...decisions], logProbability, advantage: reward - baseline };
    });
    if (!settings.scaleAdvantages) return rows;
    const deviation = deviationOf(rows.map(({ advantage }) => advantage));
    if (deviation < SMALLEST_DEVIATION) return rows;
    return rows.map((row) => ({ ...row, advantage: row.advantage / deviation }));
  }

  function minibatches(rows: Row[], epoch: number): Row[][] {
    if (settings.name === "reinforce" || settings.ring === 0) return [rows];
    if (epoch === 0) state.ring = [...state.ring, ...rows].slice(-settings.ring);
    return random(seed, "minibatches", state.policyUpdates, epoch)
      .shuffle(state.ring)
      .map((row) => [row]);
  }

  return { propose, learn, probabilities, state: () => encodeState(settings, state) };
}

function logProbabilitiesOf(tape: Tape, decision: number): Float64Array {
  const first = FIRST_CHOICE[decision]!;
  return tape.logProbabilities.subarray(first, FIRST_CHOICE[decision + 1] ?? CHOICES);
}

function sample(tape: Tape, decision: number, draw: Random): number {
  const logProbabilities = logProbabilitiesOf(tape, decision);
  const last = logProbabilities.length - 1;
  let left = draw.uniform();
  for (let choice = 0; choice < last; choice++) {
    left -= Math.exp(logProbabilities[choice]!);
    if (left < 0) return choice;
  }
  return last;
}

function likeliest(tape: Tape, decision: number): number {
  const logProbabilities = logProbabilitiesOf(tape, decision);
  return logProbabilities.indexOf(Math.max(...logProbabilities));
}

/** The population's. */
function deviationOf(values: number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
