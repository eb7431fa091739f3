// BN's work done by the convolution before it: in evaluation BN is a factor and an offset for each channel, so they go
// into the filters and a bias, and the activation behind them into the same op.
import type { Layer } from "@segnas/searchspace/network.ts";
import * as k from "../tensorflow/kernels.ts";
import { dispose, scalar, type Tensor, tidy } from "../tensorflow/runtime.ts";
import type { Weights } from "./network.ts";
import { epsilonOf } from "./parameters.ts";

/** Filters and bias of the convolutions that have taken over their BN, by the convolution's name. */
export type Folded = Map<string, { weight: Tensor; bias: Tensor }>;

/** A convolution that makes what its BN, and the activation behind that, would have made. */
export type FoldedLayer = Omit<Extract<Layer, { kind: "Conv2D" }>, "kind"> & {
  kind: "FoldedConv2D";
  activation: k.Activation;
};

/** Convolutions whose value only a BN asks for, each with that BN. */
function* pairs(layers: Layer[]): Generator<[Extract<Layer, { kind: "Conv2D" }>, Layer]> {
  const user = onlyUser(layers);
  for (const layer of layers) {
    const next = user(layer.output);
    if (layer.kind === "Conv2D" && next?.kind === "BatchNorm") yield [layer, next];
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

/** Folds every BN of `layers` that follows a convolution. The caller frees the answer with `disposeFolded`. */
export function foldNorms(layers: Layer[], weights: Weights): Folded {
  const { parameters, statistics } = weights;
  return new Map(
    [...pairs(layers)].map(([conv, norm]) => {
      const [weight, bias] = tidy(() => {
        const deviation = k.squareRoot(
          k.add(statistics.get(`${norm.name}.variance`)!, scalar(epsilonOf(norm, weights.encoderEpsilon))),
        );
        const factor = k.divide(parameters.get(`${norm.name}.gamma`)!, deviation);
        const offset = k.multiply(statistics.get(`${norm.name}.mean`)!, factor);
        // A depthwise filter's channels are its last axis but one.
        const factors = conv.depthwise ? k.reshape(factor, [...factor.shape, 1]) : factor;
        return [
          k.multiply(parameters.get(`${conv.name}.weight`)!, factors),
          k.subtract(parameters.get(`${norm.name}.beta`)!, offset),
        ] as [Tensor, Tensor];
      });
      return [conv.name, { weight, bias }];
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
  for (const [conv, norm] of pairs(layers)) {
    if (wanted.includes(conv.output)) continue;
    const next = wanted.includes(norm.output) ? undefined : user(norm.output);
    const activation = next?.kind === "Relu" || next?.kind === "Relu6" ? next : undefined;
    const last = activation ?? norm;
    made.set(conv, { ...conv, kind: "FoldedConv2D", output: last.output, activation: activation?.kind });
    done.add(norm).add(last);
  }
  return layers.filter((layer) => !done.has(layer)).map((layer) => made.get(layer) ?? layer);
}
