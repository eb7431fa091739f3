// The recurrent policy's network: two LSTM layers and a head for each kind of decision.
// It runs two steps for the encoder's nodes and then one step for each of the 44 decisions.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { gatesOf, loadForward } from "./matrix.ts";
import { GATES, LAYERS, type Parameters, READS, UNITS } from "./parameters.ts";

export const ENCODER_STEPS = 2;
export const STEPS = ENCODER_STEPS + DECISIONS.length;

/** Where the choices of each decision begin in a row of `CHOICES` log-probabilities. */
export const FIRST_CHOICE: readonly number[] = DECISIONS.map((_, decision) =>
  DECISIONS.slice(0, decision).reduce((sum, { choices }) => sum + choices, 0),
);
/** Choices of all 44 decisions together. */
export const CHOICES = DECISIONS.reduce((sum, { choices }) => sum + choices, 0);

export interface LayerTape {
  /** [STEPS, rows, READS]: the input and the output of the step before, which the weights read. */
  reads: Float64Array;
  /** [STEPS, rows, GATES]: the gates; their gradients, before the nonlinearity, once `backward` has run. */
  gates: Float64Array;
  /** [STEPS, rows, UNITS] each: the cell, its tanh, the layer's output. */
  cells: Float64Array;
  squashed: Float64Array;
  outputs: Float64Array;
}

/** What `forward` notes down: working memory for `rows` sequences that no call leaves anything in for the next. */
export interface Tape {
  rows: number;
  layers: LayerTape[];
  /** [rows, 44] */
  decisions: Int32Array;
  /** [rows, CHOICES]: the logarithm of each choice's probability, given the choices before where they are fed back. */
  logProbabilities: Float64Array;
  /** [rows, CHOICES]: what the caller of `backward` fills in. */
  logitGradients: Float64Array;
}

export function newTape(rows: number): Tape {
  const perStep = (width: number) => new Float64Array(STEPS * rows * width);
  return {
    rows,
    layers: Array.from({ length: LAYERS }, () => ({
      reads: perStep(READS),
      gates: perStep(GATES),
      cells: perStep(UNITS),
      squashed: perStep(UNITS),
      outputs: perStep(UNITS),
    })),
    decisions: new Int32Array(rows * DECISIONS.length),
    logProbabilities: new Float64Array(rows * CHOICES),
    logitGradients: new Float64Array(rows * CHOICES),
  };
}

/**
 * Runs `tape.rows` sequences side by side. `choose` is asked for each decision of each row once the
 * log-probabilities of its choices stand in the tape.
 *
 * The first step's input is the start vector, the second's and the third's (the first decision's) the network's
 * own output of the step before. From then on the published form goes on with its own output, so that no decision
 * depends on another; with `feedDecisions` the input is `embedding[head, choice]` (100 numbers) of the decision
 * just taken, so that each decision depends on all those before it.
 */
export function forward(
  parameters: Parameters,
  tape: Tape,
  choose: (row: number, decision: number) => number,
): void {
  const { rows, decisions } = tape;
  const [lower, upper] = tape.layers as [LayerTape, LayerTape];
  for (const [index, { weights }] of parameters.layers.entries()) loadForward(index, weights);
  for (let step = 0; step < STEPS; step++) {
    const fed = fedDecision(parameters, step);
    for (let row = 0; row < rows; row++) {
      const to = (step * rows + row) * READS;
      if (step === 0) lower.reads.set(parameters.start, to);
      else if (fed === undefined)
        copyUnits(upper.outputs, ((step - 1) * rows + row) * UNITS, lower.reads, to);
      else {
        const choice = decisions[row * DECISIONS.length + fed]!;
        copyUnits(parameters.heads[DECISIONS[fed]!.head]!.embedding, choice * UNITS, lower.reads, to);
      }
    }
    layerForward(parameters, 0, lower, rows, step);
    for (let row = step * rows; row < (step + 1) * rows; row++) {
      copyUnits(lower.outputs, row * UNITS, upper.reads, row * READS);
    }
    layerForward(parameters, 1, upper, rows, step);
    const decision = step - ENCODER_STEPS;
    if (decision < 0) continue;
    for (let row = 0; row < rows; row++) {
      headForward(parameters, tape, decision, row);
      decisions[row * DECISIONS.length + decision] = choose(row, decision);
    }
  }
}

/** The decision whose embedding is a step's input, if it has one. */
export function fedDecision({ feedDecisions }: Parameters, step: number): number | undefined {
  return feedDecisions && step > ENCODER_STEPS ? step - ENCODER_STEPS - 1 : undefined;
}

export function copyUnits(from: Float64Array, fromAt: number, to: Float64Array, toAt: number): void {
  for (let unit = 0; unit < UNITS; unit++) to[toAt + unit] = from[fromAt + unit]!;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Half the time of Math.tanh, exact to 2e-16 absolutely. */
function tanh(x: number): number {
  return 1 - 2 / (1 + Math.exp(2 * x));
}

/** One step of a layer whose input already stands in `reads`. */
function layerForward(
  { layers }: Parameters,
  layer: number,
  tape: LayerTape,
  rows: number,
  step: number,
): void {
  const { reads, gates, cells, squashed, outputs } = tape;
  const first = step * rows;
  for (let row = first; row < first + rows; row++) {
    const to = row * READS + UNITS;
    if (step === 0) reads.fill(0, to, to + UNITS);
    else copyUnits(outputs, (row - rows) * UNITS, reads, to);
  }
  gatesOf(layer, reads, gates, first, rows);
  const { inputBias, recurrentBias } = layers[layer]!;
  for (let row = first; row < first + rows; row++) {
    for (let unit = 0; unit < UNITS; unit++) {
      const at = row * UNITS + unit;
      const gate = row * GATES + unit;
      const preactivation = (offset: number) =>
        gates[gate + offset]! + inputBias[unit + offset]! + recurrentBias[unit + offset]!;
      const input = sigmoid(preactivation(0));
      const forget = sigmoid(preactivation(UNITS));
      const candidate = tanh(preactivation(2 * UNITS));
      const output = sigmoid(preactivation(3 * UNITS));
      const before = step === 0 ? 0 : cells[at - rows * UNITS]!;
      gates[gate] = input;
      gates[gate + UNITS] = forget;
      gates[gate + 2 * UNITS] = candidate;
      gates[gate + 3 * UNITS] = output;
      cells[at] = forget * before + input * candidate;
      squashed[at] = tanh(cells[at]!);
      outputs[at] = output * squashed[at]!;
    }
  }
}

/** Logits of a decision's head, then their log-softmax. */
function headForward(parameters: Parameters, tape: Tape, decision: number, row: number): void {
  const { weights, bias } = parameters.heads[DECISIONS[decision]!.head]!;
  const { logProbabilities } = tape;
  const { outputs } = tape.layers[LAYERS - 1]!;
  const from = ((ENCODER_STEPS + decision) * tape.rows + row) * UNITS;
  const to = row * CHOICES + FIRST_CHOICE[decision]!;
  let largest = Number.NEGATIVE_INFINITY;
  for (let choice = 0; choice < bias.length; choice++) {
    let logit = bias[choice]!;
    for (let unit = 0; unit < UNITS; unit++) logit += weights[choice * UNITS + unit]! * outputs[from + unit]!;
    logProbabilities[to + choice] = logit;
    if (logit > largest) largest = logit;
  }
  let sum = 0;
  for (let choice = 0; choice < bias.length; choice++)
    sum += Math.exp(logProbabilities[to + choice]! - largest);
  const total = largest + Math.log(sum);
  for (let choice = 0; choice < bias.length; choice++) logProbabilities[to + choice]! -= total;
}
