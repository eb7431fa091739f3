// One step of learning on a minibatch: PPO's or REINFORCE's loss, its gradient, Adam.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { backward } from "./backpropagation.ts";
import { CHOICES, FIRST_CHOICE, forward, newTape, type Tape } from "./network.ts";
import { type Adam, adamStep } from "./optimizer.ts";
import { type Parameters, parametersOf } from "./parameters.ts";
import type { PpoSettings, ReinforceSettings } from "./settings.ts";

/** What is learned from: decisions, their log-probability when they were taken, and how much better they did. */
export interface Row {
  decisions: readonly number[];
  logProbability: number;
  advantage: number;
}

export type Loss =
  | Pick<PpoSettings, "name" | "clip" | "entropyCoefficient">
  | Pick<ReinforceSettings, "name" | "entropyCoefficient">;

// Working memory of this thread, shared by all policies: nothing in it outlives a call.
const tapes = new Map<number, Tape>();
const gradients = new Map<boolean, Parameters>();

/** The tape for so many rows. Its contents last until the next call into the network. */
export function tapeFor(rows: number): Tape {
  const tape = tapes.get(rows) ?? newTape(rows);
  tapes.set(rows, tape);
  return tape;
}

/** Log-probability and entropy (nats) of the 44 decisions, as a tape's row has them. */
export function scoreRow(
  tape: Tape,
  row: number,
  decisions: readonly number[],
): { logProbability: number; entropy: number } {
  let logProbability = 0;
  let entropy = 0;
  for (let decision = 0; decision < DECISIONS.length; decision++) {
    const at = row * CHOICES + FIRST_CHOICE[decision]!;
    logProbability += tape.logProbabilities[at + decisions[decision]!]!;
    entropy += entropyAt(tape, at, decision);
  }
  return { logProbability, entropy };
}

function entropyAt({ logProbabilities }: Tape, at: number, decision: number): number {
  let entropy = 0;
  for (let choice = 0; choice < DECISIONS[decision]!.choices; choice++) {
    entropy -= Math.exp(logProbabilities[at + choice]!) * logProbabilities[at + choice]!;
  }
  return entropy;
}

/**
 * The loss of a minibatch, a mean over its rows:
 * - PPO (arXiv 1707.06347): -min(r A, clip(r, 1 - c, 1 + c) A) - e H, r the ratio of the row's probability now to
 *   that when it was taken, H the entropy summed over the decisions;
 * - REINFORCE: -A log p - e H.
 * With decisions fed back, H is the sum of the entropies along the row's own path, and its gradient leaves out
 * how the path itself would change.
 * The gradient lasts until the next call.
 */
export function lossAndGradient(
  parameters: Parameters,
  loss: Loss,
  rows: readonly Row[],
): { loss: number; gradient: Parameters } {
  const { feedDecisions } = parameters;
  const gradient = gradients.get(feedDecisions) ?? parametersOf(feedDecisions);
  gradients.set(feedDecisions, gradient);
  gradient.values.fill(0);
  if (loss.entropyCoefficient === 0 && rows.every(({ advantage }) => advantage === 0)) {
    return { loss: 0, gradient };
  }
  // The published network runs alike for all rows, so one sequence carries the sum of their gradients.
  const tape = tapeFor(feedDecisions ? rows.length : 1);
  forward(parameters, tape, (row, decision) => rows[row]!.decisions[decision]!);
  tape.logitGradients.fill(0);
  let total = 0;
  let zero = loss.entropyCoefficient === 0;
  for (const [index, row] of rows.entries()) {
    const tapeRow = feedDecisions ? index : 0;
    const { logProbability, entropy } = scoreRow(tape, tapeRow, row.decisions);
    let gain = row.advantage * logProbability;
    let slope = row.advantage;
    if (loss.name === "ppo") {
      const ratio = Math.exp(logProbability - row.logProbability);
      const clipped = Math.min(Math.max(ratio, 1 - loss.clip), 1 + loss.clip);
      gain = Math.min(ratio * row.advantage, clipped * row.advantage);
      slope = gain === ratio * row.advantage ? gain : 0;
    }
    total -= gain + loss.entropyCoefficient * entropy;
    zero &&= slope === 0;
    addLogitGradients(
      tape,
      tapeRow,
      row.decisions,
      -slope / rows.length,
      -loss.entropyCoefficient / rows.length,
    );
  }
  if (!zero) backward(parameters, tape, gradient);
  return { loss: total / rows.length, gradient };
}

/** Adds `byLogProbability` d log p / d logit + `byEntropy` d H / d logit. */
function addLogitGradients(
  tape: Tape,
  row: number,
  decisions: readonly number[],
  byLogProbability: number,
  byEntropy: number,
): void {
  for (let decision = 0; decision < DECISIONS.length; decision++) {
    const at = row * CHOICES + FIRST_CHOICE[decision]!;
    const entropy = byEntropy === 0 ? 0 : entropyAt(tape, at, decision);
    for (let choice = 0; choice < DECISIONS[decision]!.choices; choice++) {
      const logProbability = tape.logProbabilities[at + choice]!;
      const probability = Math.exp(logProbability);
      const taken = choice === decisions[decision] ? 1 : 0;
      tape.logitGradients[at + choice]! +=
        byLogProbability * (taken - probability) - byEntropy * probability * (logProbability + entropy);
    }
  }
}

/** One step of Adam on a minibatch. Returns its loss before the step and the gradient's norm before clipping. */
export function takeStep(
  parameters: Parameters,
  adam: Adam,
  settings: Loss & { learningRate: number; gradientClip: number },
  rows: readonly Row[],
): { loss: number; gradientNorm: number } {
  const { loss, gradient } = lossAndGradient(parameters, settings, rows);
  const gradientNorm = adamStep(
    adam,
    parameters.values,
    gradient.values,
    settings.learningRate,
    settings.gradientClip,
  );
  return { loss, gradientNorm };
}
