// The loss of a batch: cross-entropy averaged over the pixels that are not void, each by its class's weight, and its
// gradient by the logits.
import { IGNORED } from "../data/sample.ts";
import type { Target } from "../data/target.ts";
import {
  crossEntropy,
  reshape,
  reshapeInts,
  resizeBilinear,
  resizeBilinearGradient,
} from "../tensorflow/kernels.ts";
import { type Tensor, tensor } from "../tensorflow/runtime.ts";

/** A target as the loss takes it: both [batch, height, width], what a pixel's loss counts for and its class (0: void). */
export interface TargetTensors {
  label: Tensor;
  shares: Tensor;
}

/**
 * With class weights w the loss is the weighted mean, sum(w(y) l) / sum(w(y)) over the pixels (as PyTorch's
 * CrossEntropyLoss has it). The caller frees the answer.
 */
export function targetTensors({ label, height, width, classWeights }: Target): TargetTensors {
  const weights = Float32Array.from(label, (value) => (value === IGNORED ? 0 : (classWeights?.[value] ?? 1)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const known = Int32Array.from(label, (value) => (value === IGNORED ? 0 : value));
  const shape = [label.length / (height * width), height, width];
  return {
    label: tensor(known, shape),
    shares: tensor(total > 0 ? weights.map((weight) => weight / total) : weights, shape),
  };
}

/**
 * Logits [batch, h, w, classes] are brought to the target's size (bilinear) where theirs differs.
 * Returns the loss (a scalar) and its gradient by the logits as given; both 0 where every pixel is void or weighs nothing.
 */
export function lossOf(logits: Tensor, { label, shares }: TargetTensors): { loss: Tensor; gradient: Tensor } {
  const [, h, w, classes] = logits.shape as [number, number, number, number];
  const [batch, height, width] = label.shape as [number, number, number];
  const sameSize = h === height && w === width;
  const pixels = batch * height * width;
  const sized = sameSize ? logits : resizeBilinear(logits, height, width);
  const { loss, dLogits } = crossEntropy(
    reshape(sized, [pixels, classes]),
    reshapeInts(label, [pixels]),
    reshape(shares, [pixels]),
  );
  const gradient = reshape(dLogits, [batch, height, width, classes]);
  return { loss, gradient: sameSize ? gradient : resizeBilinearGradient(logits, gradient) };
}
