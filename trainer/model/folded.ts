// BN's work done by convolutions: in evaluation BN is a factor and an offset for each channel, so they go into the
// filters and a bias of the convolution before it, and the activation behind them into the same op.
import type { Layer } from "@segnas/searchspace/network.ts";
import * as k from "../tensorflow/kernels.ts";
import { dispose, scalar, type Tensor, tidy } from "../tensorflow/runtime.ts";
import type { Weights } from "./network.ts";
import { epsilonOf } from "./parameters.ts";

/** Filters and bias of the convolutions that have taken over a BN, by their names. */
export type Folded = Map<string, { weight: Tensor; bias: Tensor }>;

type Convolution = Extract<Layer, { kind: "Conv2D" }>;

/** A convolution that makes what its BN, and the activation behind that, would have made. */
export type FoldedLayer = Omit<Convolution, "kind"> & {
  kind: "FoldedConv2D";
  activation: k.Activation;
};

/**
 * Each BN with the convolution before it, where only the BN asks for that one's value. Any other BN is a convolution by
 * itself, 1x1 and depthwise: oneDNN makes that and an activation in one pass over the map, a third of the time.
 */
function* foldable(layers: Layer[]): Generator<{ norm: Layer; conv: Convolution | undefined }> {
  const user = onlyUser(layers);
  const convolutions = new Map<Layer, Convolution>();
  for (const layer of layers) {
    const next = layer.kind === "Conv2D" ? user(layer.output) : undefined;
    if (layer.kind === "Conv2D" && next?.kind === "BatchNorm") convolutions.set(next, layer);
  }
  for (const norm of layers) {
    const conv = convolutions.get(norm);
    if (norm.kind === "BatchNorm" && (conv || k.ONE_DNN)) yield { norm, conv };
  }
}

/** The layer that uses a value, where there is but one. */
function onlyUser(layers: Layer[]): (value: number) => Layer | undefined {
  const users = Map.groupBy(
    layers.flatMap((layer) => layer.inputs.map((value) => ({ value, layer }))),
    ({ value }) => value,
  );
  return (value) => {
    const [first, ...others] = users.get(value) ?? [];
    return others.length === 0 ? first?.layer : undefined;
  };
}

/** Folds every BN of `layers` that can be. The caller frees the answer with `disposeFolded`. */
export function foldNorms(layers: Layer[], weights: Weights): Folded {
  const { parameters, statistics } = weights;
  return new Map(
    [...foldable(layers)].map(({ norm, conv }) => {
      const [weight, bias] = tidy(() => {
        const deviation = k.squareRoot(
          k.add(statistics.get(`${norm.name}.variance`)!, scalar(epsilonOf(norm, weights.encoderEpsilon))),
        );
        const factor = k.divide(parameters.get(`${norm.name}.gamma`)!, deviation);
        const offset = k.multiply(statistics.get(`${norm.name}.mean`)!, factor);
        // A depthwise filter's channels are its last axis but one.
        const factors = conv && !conv.depthwise ? factor : k.reshape(factor, [...factor.shape, 1]);
        return [
          conv
            ? k.multiply(parameters.get(`${conv.name}.weight`)!, factors)
            : k.reshape(factors, [1, 1, ...factors.shape]),
          k.subtract(parameters.get(`${norm.name}.beta`)!, offset),
        ] as [Tensor, Tensor];
      });
      return [(conv ?? norm).name, { weight, bias }];
    }),
  );
}

export function disposeFolded(folded: Folded): void {
  for (const { weight, bias } of folded.values()) dispose(weight, bias);
}

/** The layers of an evaluation with folded convolutions, but for those between which a value is `wanted`. */
export function foldedLayers(layers: Layer[], wanted: number[]): (Layer | FoldedLayer)[] {
  const user = onlyUser(layers);
  const done = new Set<Layer>();
  const made = new Map<Layer, FoldedLayer>();
  for (const { norm, conv } of foldable(layers)) {
    if (conv && wanted.includes(conv.output)) continue;
    const next = wanted.includes(norm.output) ? undefined : user(norm.output);
    const activation = next?.kind === "Relu" || next?.kind === "Relu6" ? next : undefined;
    const last = activation ?? norm;
    for (const layer of [norm, last]) done.add(layer);
    made.set(conv ?? norm, {
      ...(conv ?? { ...norm, ...POINTWISE }),
      ...{ kind: "FoldedConv2D", output: last.output, activation: activation?.kind },
    });
  }
  return layers.flatMap((layer) => made.get(layer) ?? (done.has(layer) ? [] : layer));
}

const POINTWISE = { kernel: 1, stride: 1, dilation: 1, depthwise: true, bias: false };
