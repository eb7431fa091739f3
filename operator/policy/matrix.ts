// The matrix products of an LSTM layer and its gradient. The operands lie in the memory of the kernel: weights are
// brought there once for all 46 steps, what changes from step to step is copied in and out.
import { newKernel, PANEL } from "./kernel.ts";
import { GATES, LAYERS, READS } from "./parameters.ts";

/** Rows that are multiplied at a time; more go in turns. */
const ROWS = 64;
const WEIGHTS = GATES * READS;

// The memory's plan, in float64 numbers.
const GRADIENT = 2 * LAYERS * WEIGHTS;
const LEFT = GRADIENT + WEIGHTS;
const RIGHT = LEFT + ROWS * GATES;
const PRODUCT = RIGHT + ROWS * READS;
const { memory, multiply } = newKernel(8 * (PRODUCT + ROWS * GATES));

/** Brings a layer's weights [GATES, READS] in, for `gatesOf`. */
export function loadForward(layer: number, weights: Float64Array): void {
  let to = forwardAt(layer);
  for (let gate = 0; gate < GATES; gate += PANEL) {
    for (let read = 0; read < READS; read++) {
      for (let column = 0; column < PANEL; column++) memory[to++] = weights[(gate + column) * READS + read]!;
    }
  }
}

/** Brings a layer's weights [GATES, READS] in, for `readGradientsOf`. */
export function loadBackward(layer: number, weights: Float64Array): void {
  copyPanels(weights, 0, backwardAt(layer), GATES, READS);
}

const forwardAt = (layer: number) => 2 * layer * WEIGHTS;
const backwardAt = (layer: number) => (2 * layer + 1) * WEIGHTS;

/** gates[rows, GATES] = reads[rows, READS] W^T of the layer, both from row `first`. */
export function gatesOf(
  layer: number,
  reads: Float64Array,
  gates: Float64Array,
  first: number,
  rows: number,
): void {
  product(forwardAt(layer), reads, first * READS, gates, first * GATES, rows, GATES, READS);
}

/** readGradients[rows, READS] = gateGradients[rows, GATES] W of the layer, from row `first` of gateGradients. */
export function readGradientsOf(
  layer: number,
  gateGradients: Float64Array,
  readGradients: Float64Array,
  first: number,
  rows: number,
): void {
  product(backwardAt(layer), gateGradients, first * GATES, readGradients, 0, rows, READS, GATES);
}

function product(
  weights: number,
  from: Float64Array,
  fromAt: number,
  to: Float64Array,
  toAt: number,
  rows: number,
  columns: number,
  depth: number,
): void {
  for (let row = 0; row < rows; row += ROWS) {
    const count = Math.min(ROWS, rows - row);
    copy(from, fromAt + row * depth, memory, LEFT, count * depth);
    multiply(8 * LEFT, 8 * weights, 8 * PRODUCT, count, columns, depth, 0);
    copy(memory, PRODUCT, to, toAt + row * columns, count * columns);
  }
}

/** weights[GATES, READS] += gateGradients[rows, GATES]^T reads[rows, READS]. */
export function addOuterProducts(
  gateGradients: Float64Array,
  reads: Float64Array,
  weights: Float64Array,
  rows: number,
): void {
  copy(weights, 0, memory, GRADIENT, WEIGHTS);
  for (let row = 0; row < rows; row += ROWS) {
    const count = Math.min(ROWS, rows - row);
    for (let gate = 0; gate < GATES; gate++) {
      const to = LEFT + gate * count;
      for (let i = 0; i < count; i++) memory[to + i] = gateGradients[(row + i) * GATES + gate]!;
    }
    copyPanels(reads, row * READS, RIGHT, count, READS);
    multiply(8 * LEFT, 8 * RIGHT, 8 * GRADIENT, GATES, READS, count, 1);
  }
  copy(memory, GRADIENT, weights, 0, WEIGHTS);
}

/** A row-major matrix [rows, columns], as panels [columns / PANEL, rows, PANEL] in the memory. */
function copyPanels(from: Float64Array, fromAt: number, toAt: number, rows: number, columns: number): void {
  let to = toAt;
  for (let first = 0; first < columns; first += PANEL) {
    for (let row = 0; row < rows; row++) {
      const at = fromAt + row * columns + first;
      for (let column = 0; column < PANEL; column++) memory[to++] = from[at + column]!;
    }
  }
}

function copy(from: Float64Array, fromAt: number, to: Float64Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i]!;
}
