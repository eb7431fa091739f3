// The gradient of the recurrent policy's network, by back-propagation through time.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { addOuterProducts, loadBackward, readGradientsOf } from "./matrix.ts";
import {
  CHOICES,
  copyUnits,
  ENCODER_STEPS,
  FIRST_CHOICE,
  fedDecision,
  type LayerTape,
  STEPS,
  type Tape,
} from "./network.ts";
import { GATES, LAYERS, type Parameters, READS, UNITS } from "./parameters.ts";

/**
 * Adds to `gradient` what `tape.logitGradients` (the loss's derivative by each logit) means for each parameter.
 * Runs once after a `forward`, whose gates it overwrites.
 */
export function backward(parameters: Parameters, tape: Tape, gradient: Parameters): void {
  const { rows, decisions } = tape;
  const [lower, upper] = tape.layers as [LayerTape, LayerTape];
  const width = rows * UNITS;
  for (const [index, { weights }] of parameters.layers.entries()) loadBackward(index, weights);
  const outputGradient = [new Float64Array(width), new Float64Array(width)] as const;
  const cellGradient = [new Float64Array(width), new Float64Array(width)] as const;
  const readGradient = new Float64Array(rows * READS);
  for (let step = STEPS - 1; step >= 0; step--) {
    const decision = step - ENCODER_STEPS;
    if (decision >= 0) headBackward(parameters, tape, decision, gradient, outputGradient[1]);
    layerBackward(1, upper, rows, step, outputGradient[1], cellGradient[1], readGradient);
    for (let row = 0; row < rows; row++) addUnits(readGradient, row * READS, outputGradient[0], row * UNITS);
    layerBackward(0, lower, rows, step, outputGradient[0], cellGradient[0], readGradient);
    const fed = fedDecision(parameters, step);
    for (let row = 0; row < rows; row++) {
      if (step === 0) addUnits(readGradient, row * READS, gradient.start, 0);
      else if (fed === undefined) addUnits(readGradient, row * READS, outputGradient[1], row * UNITS);
      else {
        const choice = decisions[row * DECISIONS.length + fed]!;
        addUnits(readGradient, row * READS, gradient.heads[DECISIONS[fed]!.head]!.embedding, choice * UNITS);
      }
    }
  }
  for (let index = 0; index < LAYERS; index++) {
    const { reads, gates } = tape.layers[index]!;
    const { weights, inputBias, recurrentBias } = gradient.layers[index]!;
    addOuterProducts(gates, reads, weights, STEPS * rows);
    for (let row = 0; row < STEPS * rows; row++) {
      for (let gate = 0; gate < GATES; gate++) inputBias[gate]! += gates[row * GATES + gate]!;
    }
    recurrentBias.set(inputBias);
  }
}

function addUnits(from: Float64Array, fromAt: number, to: Float64Array, toAt: number): void {
  for (let unit = 0; unit < UNITS; unit++) to[toAt + unit]! += from[fromAt + unit]!;
}

function headBackward(
  parameters: Parameters,
  tape: Tape,
  decision: number,
  gradient: Parameters,
  outputGradient: Float64Array,
): void {
  const { weights } = parameters.heads[DECISIONS[decision]!.head]!;
  const slopes = gradient.heads[DECISIONS[decision]!.head]!;
  const { outputs } = tape.layers[LAYERS - 1]!;
  for (let row = 0; row < tape.rows; row++) {
    const from = ((ENCODER_STEPS + decision) * tape.rows + row) * UNITS;
    const at = row * CHOICES + FIRST_CHOICE[decision]!;
    for (let choice = 0; choice < slopes.bias.length; choice++) {
      const slope = tape.logitGradients[at + choice]!;
      slopes.bias[choice]! += slope;
      for (let unit = 0; unit < UNITS; unit++) {
        slopes.weights[choice * UNITS + unit]! += slope * outputs[from + unit]!;
        outputGradient[row * UNITS + unit]! += slope * weights[choice * UNITS + unit]!;
      }
    }
  }
}

/**
 * One step of a layer backwards. `outputGradient` [rows, UNITS] is the loss's derivative by this step's output and
 * becomes the part of the step before that goes through the recurrent weights; `cellGradient` likewise.
 * `readGradient` [rows, READS] is overwritten.
 */
function layerBackward(
  layer: number,
  tape: LayerTape,
  rows: number,
  step: number,
  outputGradient: Float64Array,
  cellGradient: Float64Array,
  readGradient: Float64Array,
): void {
  const { gates, cells, squashed } = tape;
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < UNITS; unit++) {
      const own = row * UNITS + unit;
      const at = step * rows * UNITS + own;
      const gate = (step * rows + row) * GATES + unit;
      const input = gates[gate]!;
      const forget = gates[gate + UNITS]!;
      const candidate = gates[gate + 2 * UNITS]!;
      const output = gates[gate + 3 * UNITS]!;
      const before = step === 0 ? 0 : cells[at - rows * UNITS]!;
      const byOutput = outputGradient[own]!;
      const byCell = cellGradient[own]! + byOutput * output * (1 - squashed[at]! * squashed[at]!);
      gates[gate] = byCell * candidate * input * (1 - input);
      gates[gate + UNITS] = byCell * before * forget * (1 - forget);
      gates[gate + 2 * UNITS] = byCell * input * (1 - candidate * candidate);
      gates[gate + 3 * UNITS] = byOutput * squashed[at]! * output * (1 - output);
      cellGradient[own] = byCell * forget;
    }
  }
  readGradientsOf(layer, gates, readGradient, step * rows, rows);
  for (let row = 0; row < rows; row++)
    copyUnits(readGradient, row * READS + UNITS, outputGradient, row * UNITS);
}
