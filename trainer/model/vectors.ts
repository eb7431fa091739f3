// Parameters as flat vectors in TensorFlow, so that optimiser, clipping and averages work on one tensor for each
// side, and the same numbers cut into the arrays that layers use.
import { concat, reshape, split } from "../tensorflow/kernels.ts";
import { type Tensor, tensor, tidy } from "../tensorflow/runtime.ts";
import type { Arrays, Layout } from "./parameters.ts";

/** Puts named arrays into one vector. Throws where one is missing or of another size. */
export function toVector(layout: Layout, arrays: Arrays): Tensor {
  const vector = new Float32Array(layout.length);
  let offset = 0;
  for (const [i, slot] of layout.slots.entries()) {
    const values = arrays.get(slot.name) ?? new Float32Array(0);
    if (values.length !== layout.sizes[i])
      throw new Error(
        `${slot.name}: ${values.length} numbers where [${slot.shape}] needs ${layout.sizes[i]}`,
      );
    vector.set(values, offset);
    offset += values.length;
  }
  return tensor(vector, [layout.length]);
}

/** The vector's arrays as tensors by slot name; the caller frees them. */
export function views(layout: Layout, vector: Tensor): Map<string, Tensor> {
  if (layout.slots.length === 0) return new Map();
  const shaped = tidy(() =>
    split(vector, layout.sizes, 0).map((part, i) => reshape(part, layout.slots[i]!.shape)),
  );
  return new Map(layout.slots.map((slot, i) => [slot.name, shaped[i]!]));
}

/** Joins tensors by slot name (zeros where one is missing) into a vector. */
export function joinVector(layout: Layout, tensors: Map<string, Tensor>): Tensor {
  const [vector] = tidy(() => {
    const parts = layout.slots.map((slot, i) => {
      const part = tensors.get(slot.name);
      return part
        ? reshape(part, [layout.sizes[i]!])
        : tensor(new Float32Array(layout.sizes[i]!), [layout.sizes[i]!]);
    });
    // TensorFlow joins two or more; an empty one changes nothing.
    return [concat([...parts, tensor(new Float32Array(0), [0])], 0)];
  });
  return vector!;
}
