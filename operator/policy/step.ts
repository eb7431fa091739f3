// One step of learning on a minibatch: PPO's or REINFORCE's loss, its gradient, Adam.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { backward } from "./backpropagation.ts";
import { CHOICES, FIRST_CHOICE, forward, newTape, type Tape } from "./network.ts";
import { type Adam, adamStep } from "./optimizer.ts";
import { type Parameters, parametersOf } from "./parameters.ts";
import type {
  PathConsistencySettings,
  PpoSettings,
  PriorityQueueSettings,
  ReinforceSettings,
} from "./settings.ts";

/** What is learned from: decisions, their log-probability when they were taken, and how much better they did. */
export interface Row {
  decisions: readonly number[];
  /** PPO's ratio is taken from it. */
  logProbability: number;
  /** Of path consistency: how much likelier than the others it is to become, nats. */
  advantage: number;
}

export type Loss =
  | Pick<PpoSettings, "name" | "clip" | "entropyCoefficient">
  | Pick<ReinforceSettings | PriorityQueueSettings, "name" | "entropyCoefficient">
  | Pick<PathConsistencySettings, "name">;

// Working memory of this thread, shared by all policies: nothing in it outlives a call.
const single = newTape(1);
let several = single;
const gradients = new Map<boolean, Parameters>();

/** Rows that the network runs side by side; more go in turns. */
const ROWS = 64;

/**
 * The tape for so many rows, 0.7 MB each: of those for several the largest stays. Its contents last until the next call
 * into the network.
 */
export function tapeFor(rows: number): Tape {
  if (rows === 1) return single;
  if (several.rows < rows) several = newTape(rows);
  return { ...several, rows };
}

/** Log-probability and entropy (nats) of the 44 decisions, as a tape's row has them. */
export function scoreRow(
  tape: Pick<Tape, "logProbabilities">,
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

function entropyAt(
  { logProbabilities }: Pick<Tape, "logProbabilities">,
  at: number,
  decision: number,
): number {
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
 * - REINFORCE: -A log p - e H;
 * - a priority queue: the same, with A = 1 (arXiv 1801.03526);
 * - path consistency: (g - mean g)^2 / 2 where g = log p - A (arXiv 1702.08892 for one reward at the end, its
 *   value the minibatch's mean, as in arXiv 2010.10436).
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
  const entropyCoefficient = "entropyCoefficient" in loss ? loss.entropyCoefficient : 0;
  const needless = loss.name !== "pathConsistency" && entropyCoefficient === 0;
  if (needless && rows.every(({ advantage }) => advantage === 0)) return { loss: 0, gradient };
  // The published network runs alike for all rows, so one sequence carries the sum of their gradients.
  const turns = feedDecisions ? inTurns(rows) : [rows];
  const run = (turn: readonly Row[]): Tape => {
    const tape = tapeFor(feedDecisions ? turn.length : 1);
    forward(parameters, tape, (row, decision) => turn[row]!.decisions[decision]!);
    return tape;
  };
  let tape = single;
  const scores = turns.flatMap((turn) => {
    tape = run(turn);
    return turn.map(({ decisions }, row) => scoreRow(tape, feedDecisions ? row : 0, decisions));
  });
  const gains = gainsOf(
    loss,
    rows,
    scores.map(({ logProbability }) => logProbability),
  );
  const total = gains.reduce((sum, { gain }, i) => sum - (gain + entropyCoefficient * scores[i]!.entropy), 0);
  const flat = entropyCoefficient === 0 && gains.every(({ slope }) => slope === 0);
  // The tape of the last turn is still there.
  for (const [number, turn] of flat ? [] : [...turns.entries()].reverse()) {
    if (number < turns.length - 1) tape = run(turn);
    tape.logitGradients.fill(0);
    for (const [row, { decisions }] of turn.entries()) {
      const { slope } = gains[ROWS * number + row]!;
      const [byLogProbability, byEntropy] = [-slope / rows.length, -entropyCoefficient / rows.length];
      addLogitGradients(tape, feedDecisions ? row : 0, decisions, byLogProbability, byEntropy);
    }
    backward(parameters, tape, gradient);
  }
  return { loss: total / rows.length, gradient };
}

const inTurns = (rows: readonly Row[]): (readonly Row[])[] =>
  Array.from({ length: Math.ceil(rows.length / ROWS) }, (_, turn) =>
    rows.slice(turn * ROWS, (turn + 1) * ROWS),
  );

/** What each row takes from the loss beside its entropy, and the derivative of the sum by its log-probability. */
function gainsOf(
  loss: Loss,
  rows: readonly Row[],
  logProbabilities: readonly number[],
): { gain: number; slope: number }[] {
  if (loss.name === "pathConsistency") {
    const gaps = rows.map(({ advantage }, index) => logProbabilities[index]! - advantage);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    return gaps.map((gap) => ({ gain: -((gap - mean) ** 2) / 2, slope: mean - gap }));
  }
  return rows.map(({ advantage, logProbability: before }, index) => {
    const now = logProbabilities[index]!;
    if (loss.name !== "ppo") return { gain: advantage * now, slope: advantage };
    const ratio = Math.exp(now - before);
    const clipped = Math.min(Math.max(ratio, 1 - loss.clip), 1 + loss.clip);
    const gain = Math.min(ratio * advantage, clipped * advantage);
    return { gain, slope: gain === ratio * advantage ? gain : 0 };
  });
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
