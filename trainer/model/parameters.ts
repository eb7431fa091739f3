// The parameters and running statistics of a network: their names, shapes and first values, and their order in
// one flat vector a side. Plain data, without TensorFlow.
import type { Layer, Network } from "@segnas/searchspace/network.ts";
import type { Random } from "@segnas/searchspace/random.ts";

/** PyTorch's defaults, which the method uses everywhere but in an imported encoder. */
export const BN_EPSILON = 1e-5;
export const BN_MOMENTUM = 0.1;

/** BN's epsilon in a layer: the imported encoder was trained with its own. */
export const epsilonOf = (layer: Layer, encoderEpsilon: number): number =>
  layer.part === "Encoder" ? encoderEpsilon : BN_EPSILON;

export type Role = "weight" | "bias" | "gamma" | "beta" | "a" | "b" | "mean" | "variance";

/** One array of a layer. `name` is the key in a weights file: `<layer>.<role>`. */
export interface Slot {
  name: string;
  layer: string;
  role: Role;
  shape: number[];
}

export type Side = "encoder" | "decoder";
export const SIDES: Side[] = ["encoder", "decoder"];
const sideOf = (layer: Layer): Side => (layer.part === "Encoder" ? "encoder" : "decoder");

/** Arrays that learning changes (convolution weights are [ky, kx, in, out], depthwise [ky, kx, channels, 1]). */
export function parameterSlots(network: Network, side: Side): Slot[] {
  return network.layers
    .filter((layer) => sideOf(layer) === side)
    .flatMap((layer) => {
      const slot = (role: Role, shape: number[]): Slot => ({
        name: `${layer.name}.${role}`,
        layer: layer.name,
        role,
        shape,
      });
      const outputs = network.values[layer.output]!.channels;
      const inputs = network.values[layer.inputs[0]!]!.channels;
      switch (layer.kind) {
        case "Conv2D": {
          const filter = layer.depthwise ? [outputs, 1] : [inputs, outputs];
          const weight = slot("weight", [layer.kernel, layer.kernel, ...filter]);
          return layer.bias ? [weight, slot("bias", [outputs])] : [weight];
        }
        case "BatchNorm":
          return [slot("gamma", [outputs]), slot("beta", [outputs])];
        case "WeightedSum":
          return [slot("a", [outputs]), slot("b", [outputs])];
        default:
          return [];
      }
    });
}

/** Running means and variances of BN layers: what evaluation normalises by; never learned. */
export function statisticsSlots(network: Network, side: Side): Slot[] {
  return network.layers
    .filter((layer) => layer.kind === "BatchNorm" && sideOf(layer) === side)
    .flatMap((layer) =>
      (["mean", "variance"] as const).map((role) => ({
        name: `${layer.name}.${role}`,
        layer: layer.name,
        role,
        shape: [network.values[layer.output]!.channels],
      })),
    );
}

/** Everything that a weights file of this network holds of one side. */
export const slotsOf = (network: Network, side: Side): Slot[] => [
  ...parameterSlots(network, side),
  ...statisticsSlots(network, side),
];

const sizeOf = (slot: Slot): number => slot.shape.reduce((product, size) => product * size, 1);

/** How the arrays of one part lie in one vector. */
export interface Layout {
  slots: Slot[];
  sizes: number[];
  length: number;
}

export function layoutOf(slots: Slot[]): Layout {
  const sizes = slots.map(sizeOf);
  return { slots, sizes, length: sizes.reduce((sum, size) => sum + size, 0) };
}

/** Named arrays on this side of TensorFlow: what files hold and what initial values are. */
export type Arrays = Map<string, Float32Array>;

/** First values: convolutions He-normal by fan out, BN at 1 and 0, sums at 1, the classifier's bias at 0. */
export function initialArrays(slots: Slot[], random: Random): Arrays {
  return new Map(slots.map((slot) => [slot.name, initialArray(slot, random)]));
}

function initialArray(slot: Slot, random: Random): Float32Array {
  const values = new Float32Array(sizeOf(slot));
  if (slot.role === "weight") {
    const [ky, kx, , outputs] = slot.shape as [number, number, number, number];
    // A depthwise filter feeds one channel: its fan out is its own size.
    const deviation = Math.sqrt(2 / (ky * kx * outputs));
    return values.map(() => deviation * random.normal());
  }
  return values.fill(["bias", "beta", "mean"].includes(slot.role) ? 0 : 1);
}

/** Cuts a vector (its numbers) into named arrays. */
export function toArrays(layout: Layout, numbers: Float32Array): Arrays {
  let offset = 0;
  return new Map(
    layout.slots.map((slot, i) => {
      const values = numbers.slice(offset, offset + layout.sizes[i]!);
      offset += values.length;
      return [slot.name, values];
    }),
  );
}
