// Runs a network: its list of layers forwards, and backwards for the gradients.
// One table says what each kind of layer does both ways.
import type { Layer, Network, ValueShape } from "@segnas/searchspace/network.ts";
import * as k from "../tensorflow/kernels.ts";
import { dispose, type Tensor, tidy } from "../tensorflow/runtime.ts";
import { disposeFolded, type Folded, type FoldedLayer, foldedLayers, foldNorms } from "./folded.ts";
import { epsilonOf } from "./parameters.ts";

/** Values that a run starts from, by index: the image (value 0), or the encoder's two nodes. */
export type Start = Map<number, Tensor>;

/** What a run reads: parameters and running statistics by name (`<layer>.<role>`). */
export interface Weights {
  parameters: Map<string, Tensor>;
  statistics: Map<string, Tensor>;
  /** BN's epsilon of the encoder's layers: the imported encoder was trained with its own. */
  encoderEpsilon: number;
}

/**
 * Evaluation normalises by the running statistics: convolutions that have taken over their BN are made where it is not
 * given them. Training normalises by the batch's, and moves the running ones by `momentum`.
 */
export type Mode = { kind: "Evaluation"; folded?: Folded } | { kind: "Training"; momentum: number };

/** A forward pass: values by index; in training also what the backward pass needs and the moved statistics. */
export interface Run {
  start: Start;
  values: Map<number, Tensor>;
  reserved: Map<string, Tensor[]>;
  statistics: Map<string, Tensor>;
}

interface Context {
  layer: Layer;
  shape: ValueShape;
  inputs: Tensor[];
  array: (role: string) => Tensor;
  epsilon: number;
}

interface Backward {
  /** Gradients by input, in order; undefined where none is needed. */
  inputs: (Tensor | undefined)[];
  parameters?: Record<string, Tensor>;
}

type Kind<K extends Layer["kind"]> = Context & { layer: Extract<Layer, { kind: K }> };

interface Operation<K extends Layer["kind"]> {
  forward(context: Kind<K>): Tensor;
  backward(context: Kind<K>, y: Tensor, dy: Tensor, needsInput: boolean): Backward;
}

/** BN is not here: it alone reads statistics and differs between training and evaluation. */
const OPERATIONS: { [K in Exclude<Layer["kind"], "BatchNorm">]: Operation<K> } = {
  Conv2D: {
    forward({ layer, inputs: [x], array }) {
      const y = (layer.depthwise ? k.depthwise : k.conv2d)(x!, array("weight"), layer);
      return layer.bias ? k.addBias(y, array("bias")) : y;
    },
    backward({ layer, inputs: [x], array }, _y, dy, needsInput) {
      const { dx, dw } = layer.depthwise
        ? k.depthwiseGradient(x!, array("weight"), dy, layer)
        : k.conv2dGradient(x!, array("weight"), dy, layer, needsInput);
      return {
        inputs: [dx],
        parameters: layer.bias ? { weight: dw, bias: k.biasGradient(dy) } : { weight: dw },
      };
    },
  },
  Relu: {
    forward: ({ inputs: [x] }) => k.relu(x!),
    backward: (_, y, dy) => ({ inputs: [k.reluGradient(y, dy)] }),
  },
  Relu6: {
    forward: ({ inputs: [x] }) => k.relu6(x!),
    backward: (_, y, dy) => ({ inputs: [k.relu6Gradient(y, dy)] }),
  },
  Add: {
    forward: ({ inputs: [a, b] }) => k.add(a!, b!),
    backward: (_, _y, dy) => ({ inputs: [dy, k.identity(dy)] }),
  },
  WeightedSum: {
    forward: ({ inputs: [x, y], array }) => k.add(k.multiply(x!, array("a")), k.multiply(y!, array("b"))),
    backward: ({ inputs: [x, y], array }, _, dy) => ({
      inputs: [k.multiply(dy, array("a")), k.multiply(dy, array("b"))],
      parameters: {
        a: k.sum(k.multiply(dy, x!), [0, 1, 2]),
        b: k.sum(k.multiply(dy, y!), [0, 1, 2]),
      },
    }),
  },
  Concat: {
    forward: ({ inputs }) => k.concat(inputs, 3),
    backward: ({ inputs }, _, dy) => ({
      inputs: k.split(
        dy,
        inputs.map((input) => input.shape[3]!),
        3,
      ),
    }),
  },
  MaxPool3x3: {
    forward: ({ layer, inputs: [x] }) => k.maxPool3x3(x!, layer.stride),
    backward: ({ layer, inputs: [x] }, y, dy) => ({
      inputs: [k.maxPool3x3Gradient(x!, y, dy, layer.stride)],
    }),
  },
  GlobalAveragePool: {
    forward: ({ inputs: [x] }) => k.globalAveragePool(x!),
    backward: ({ inputs: [x] }, _, dy) => ({ inputs: [k.globalAveragePoolGradient(x!, dy)] }),
  },
  Resize: {
    forward: ({ shape, inputs: [x] }) => k.resizeBilinear(x!, shape.height, shape.width),
    backward: ({ inputs: [x] }, _, dy) => ({ inputs: [k.resizeBilinearGradient(x!, dy)] }),
  },
  Broadcast: {
    forward: ({ shape, inputs: [x] }) => k.broadcast(x!, shape.height, shape.width),
    backward: (_, _y, dy) => ({ inputs: [k.broadcastGradient(dy)] }),
  },
  RepeatChannels: {
    forward: ({ layer, inputs: [x] }) => k.repeatChannels(x!, layer.times),
    backward: ({ layer, inputs: [x] }, _, dy) => ({
      inputs: [k.repeatChannelsGradient(x!, dy, layer.times)],
    }),
  },
};

/** The table's entry for a layer; the cast says that each kind finds its own. */
const operationOf = (layer: Layer): Operation<Layer["kind"]> =>
  OPERATIONS[layer.kind as keyof typeof OPERATIONS] as Operation<Layer["kind"]>;

function contextOf(network: Network, layer: Layer, weights: Weights, run: Run): Context {
  return {
    layer,
    shape: network.values[layer.output]!,
    inputs: layer.inputs.map((input) => (run.start.get(input) ?? run.values.get(input))!),
    array: (role) => weights.parameters.get(`${layer.name}.${role}`)!,
    epsilon: epsilonOf(layer, weights.encoderEpsilon),
  };
}

/**
 * Runs the given layers in order from `start` (values that are there already: the image, or the encoder's two
 * nodes; they stay the caller's). In evaluation a value is freed after its last use unless `wanted`; in training
 * those stay that the backward pass needs. Free what is left with `disposeRun`.
 */
export function forward(
  network: Network,
  layers: Layer[],
  weights: Weights,
  start: Start,
  wanted: number[],
  mode: Mode,
): Run {
  const run: Run = { start, values: new Map(), reserved: new Map(), statistics: new Map() };
  if (mode.kind === "Evaluation") {
    const folded = mode.folded ?? foldNorms(layers, weights);
    evaluate(network, foldedLayers(layers, wanted), weights, folded, wanted, run);
    if (!mode.folded) disposeFolded(folded);
    return run;
  }
  const uses = usesOf(layers);
  for (const layer of layers) {
    const context = contextOf(network, layer, weights, run);
    if (layer.kind === "BatchNorm") normaliseBatch(context, weights, mode.momentum, run);
    else run.values.set(layer.output, forwardOf(layer, context));
    // A rectifier's gradient is told by what it has let through.
    const [input] = layer.inputs;
    if (isRectifier(layer) && uses.get(input!) === 1 && !wanted.includes(input!)) free(run.values, input!);
  }
  return run;
}

const isRectifier = ({ kind }: Layer): boolean => kind === "Relu" || kind === "Relu6";

/** How many of the layers each value goes into. */
function usesOf(layers: Layer[]): Map<number, number> {
  const uses = new Map<number, number>();
  for (const input of layers.flatMap(({ inputs }) => inputs)) uses.set(input, (uses.get(input) ?? 0) + 1);
  return uses;
}

const forwardOf = (layer: Layer, context: Context): Tensor =>
  tidy(() => [operationOf(layer).forward(context)])[0]!;

/** Runs layers in evaluation mode; a value is freed after its last use. */
function evaluate(
  network: Network,
  layers: (Layer | FoldedLayer)[],
  weights: Weights,
  folded: Folded,
  wanted: number[],
  run: Run,
): void {
  const lastUse = new Map(
    layers.flatMap((layer, step) => layer.inputs.map((input) => [input, step] as const)),
  );
  for (const [step, layer] of layers.entries()) {
    if (layer.kind === "FoldedConv2D") {
      const [input] = layer.inputs;
      const x = (run.start.get(input!) ?? run.values.get(input!))!;
      const { weight, bias } = folded.get(layer.name)!;
      const [y] = tidy(() => [k.convolveFused(x, weight, bias, layer)]);
      run.values.set(layer.output, y!);
    } else {
      const context = contextOf(network, layer, weights, run);
      const y = layer.kind === "BatchNorm" ? normalise(context, weights) : forwardOf(layer, context);
      run.values.set(layer.output, y);
    }
    const ended = new Set(
      layer.inputs.filter((input) => lastUse.get(input) === step && !wanted.includes(input)),
    );
    for (const value of ended) free(run.values, value);
  }
}

const runningOf = ({ name }: Layer, { statistics }: Weights): k.Statistics => ({
  mean: statistics.get(`${name}.mean`)!,
  variance: statistics.get(`${name}.variance`)!,
});

function normalise({ layer, inputs: [x], array, epsilon }: Context, weights: Weights): Tensor {
  const running = runningOf(layer, weights);
  return tidy(() => [k.batchNormEvaluation(x!, array("gamma"), array("beta"), running, epsilon)])[0]!;
}

function normaliseBatch(
  { layer, inputs: [x], array, epsilon }: Context,
  weights: Weights,
  momentum: number,
  run: Run,
): void {
  const running = runningOf(layer, weights);
  const [y, mean, variance, ...reserved] = tidy(() => {
    const normed = k.batchNormTraining(x!, array("gamma"), array("beta"), running, epsilon, momentum);
    return [normed.y, normed.statistics.mean, normed.statistics.variance, ...normed.reserved];
  });
  run.values.set(layer.output, y!);
  run.statistics.set(`${layer.name}.mean`, mean!);
  run.statistics.set(`${layer.name}.variance`, variance!);
  run.reserved.set(layer.name, reserved);
}

/**
 * Gradients of the parameters of `layers` (those of the forward run), given the gradient of value `output`.
 * Frees the run's values as it goes. Parameters that nothing reached are missing from the answer.
 */
export function backward(
  network: Network,
  layers: Layer[],
  weights: Weights,
  run: Run,
  output: number,
  gradient: Tensor,
): Map<string, Tensor> {
  const gradients = new Map([[output, gradient]]);
  const parameters = new Map<string, Tensor>();
  for (const layer of layers.toReversed()) {
    const dy = gradients.get(layer.output);
    if (dy) {
      gradients.delete(layer.output);
      const context = contextOf(network, layer, weights, run);
      const found = backwardOf(
        context,
        run,
        dy,
        layer.inputs.some((input) => !run.start.has(input)),
      );
      for (const [role, dw] of Object.entries(found.parameters ?? {}))
        parameters.set(`${layer.name}.${role}`, dw);
      for (const [i, input] of layer.inputs.entries()) {
        const dx = found.inputs[i];
        if (dx) accumulate(gradients, input, dx, run.start);
      }
      if (!found.inputs.includes(dy) && dy !== gradient) dispose(dy);
    }
    free(run.values, layer.output);
  }
  return parameters;
}

function backwardOf(context: Context, run: Run, dy: Tensor, needsInput: boolean): Backward {
  const { layer } = context;
  let found: Backward = { inputs: [] };
  tidy(() => {
    if (layer.kind === "BatchNorm") {
      const {
        inputs: [x],
        array,
        epsilon,
      } = context;
      const { dx, dGamma, dBeta } = k.batchNormGradient(
        x!,
        array("gamma"),
        run.reserved.get(layer.name)!,
        dy,
        epsilon,
      );
      found = { inputs: [dx], parameters: { gamma: dGamma, beta: dBeta } };
    } else {
      found = operationOf(layer).backward(context, run.values.get(layer.output)!, dy, needsInput);
    }
    return [...found.inputs.filter((input) => input !== undefined), ...Object.values(found.parameters ?? {})];
  });
  return found;
}

function accumulate(gradients: Map<number, Tensor>, value: number, dx: Tensor, start: Start): void {
  const before = gradients.get(value);
  if (start.has(value)) dispose(dx);
  else if (!before) gradients.set(value, dx);
  else {
    gradients.set(value, k.add(before, dx));
    dispose(before, dx);
  }
}

function free(values: Map<number, Tensor>, value: number): void {
  const held = values.get(value);
  if (!held) return;
  dispose(held);
  values.delete(value);
}

/** Frees what a run still holds, its moved statistics included. */
export function disposeRun(run: Run): void {
  dispose(...run.values.values(), ...[...run.reserved.values()].flat(), ...run.statistics.values());
}

/** The layers that lead from `start` to `wanted`, in order. */
export function layersBetween(network: Network, start: Start, wanted: number[]): Layer[] {
  const needed = new Set(wanted);
  const layers: Layer[] = [];
  for (const layer of network.layers.toReversed()) {
    if (!needed.has(layer.output) || start.has(layer.output)) continue;
    layers.push(layer);
    for (const input of layer.inputs) needed.add(input);
  }
  return layers.reverse();
}
