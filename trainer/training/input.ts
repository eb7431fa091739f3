// Images as the network takes them.
import type { Pixels } from "../data/sample.ts";
import type { Encoder } from "../model/encoder.ts";
import { normalise } from "../tensorflow/kernels.ts";
import { type Tensor, tensor, tidy } from "../tensorflow/runtime.ts";

/** RGB bytes of `batch` images of one size to [batch, height, width, 3], scaled as the encoder asks. */
export function imageTensor(
  { image, height, width }: Pixels,
  batch: number,
  { mean, deviation }: Pick<Encoder, "mean" | "deviation">,
): Tensor {
  const [scaled] = tidy(() => [normalise(tensor(image, [batch, height, width, 3]), mean, deviation)]);
  return scaled!;
}
