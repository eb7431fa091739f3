// What a network costs: parameters, multiply-accumulates and bytes of activations.
import type { Layer, Network, Part } from "./network.ts";

/** Parameters of one layer: weights, bias, BN's gamma and beta, the weights of a sum (not BN's buffers). */
export function layerParameters(network: Network, layer: Layer): number {
  const inputs = network.values[layer.inputs[0]!]!.channels;
  const outputs = network.values[layer.output]!.channels;
  switch (layer.kind) {
    case "Conv2D":
      return outputs * (layer.depthwise ? 1 : inputs) * layer.kernel ** 2 + (layer.bias ? outputs : 0);
    case "BatchNorm":
    case "WeightedSum":
      return 2 * outputs;
    default:
      return 0;
  }
}

/** Multiply-accumulates of one layer for one image: convolutions only. */
export function layerMacs(network: Network, layer: Layer): number {
  if (layer.kind !== "Conv2D") return 0;
  const inputs = network.values[layer.inputs[0]!]!.channels;
  const { channels, height, width } = network.values[layer.output]!;
  return channels * height * width * (layer.depthwise ? 1 : inputs) * layer.kernel ** 2;
}

export interface ParameterCounts {
  total: number;
  encoder: number;
  /** All but the encoder: blocks, pre-classifier and classifier. */
  decoder: number;
  blocks: number[];
  preClassifier: number;
  classifier: number;
}

export function countParameters(network: Network): ParameterCounts {
  const sum = (wanted: (part: Part) => boolean) =>
    network.layers
      .filter((layer) => wanted(layer.part))
      .reduce((total, layer) => total + layerParameters(network, layer), 0);
  const total = sum(() => true);
  const encoder = sum((part) => part === "Encoder");
  const blocks = network.nodes
    .slice(2)
    .map((_, block) => sum((part) => typeof part === "object" && part.block === block));
  return {
    total,
    encoder,
    decoder: total - encoder,
    blocks,
    preClassifier: sum((part) => part === "PreClassifier"),
    classifier: sum((part) => part === "Classifier"),
  };
}

/** Multiply-accumulates of all convolutions for one image. */
export function countMacs(network: Network): { total: number; encoder: number; decoder: number } {
  let [encoder, decoder] = [0, 0];
  for (const layer of network.layers) {
    if (layer.part === "Encoder") encoder += layerMacs(network, layer);
    else decoder += layerMacs(network, layer);
  }
  return { total: encoder + decoder, encoder, decoder };
}

/**
 * Bytes of activations in float32 for a batch. Training keeps every value for the backward pass;
 * inference frees a value after its last use, so what counts is the moment with the most alive.
 */
export function countActivationBytes(
  network: Network,
  batch: number,
): { training: number; inference: number } {
  const bytes = network.values.map(({ channels, height, width }) => channels * height * width * batch * 4);
  const lastUse = new Map<number, number>();
  for (const [step, layer] of network.layers.entries()) {
    for (const value of layer.inputs) lastUse.set(value, step);
  }
  let live = bytes[0]!;
  let peak = live;
  for (const [step, layer] of network.layers.entries()) {
    live += bytes[layer.output]!;
    peak = Math.max(peak, live);
    for (const value of new Set(layer.inputs)) if (lastUse.get(value) === step) live -= bytes[value]!;
  }
  return { training: bytes.reduce((sum, size) => sum + size, 0), inference: peak };
}
