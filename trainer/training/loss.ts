// The loss of a batch: cross-entropy averaged over the pixels that are not void, each by its class's weight, and its
// gradient by the logits.
import { IGNORED } from "../data/sample.ts";
import type { Target } from "../data/target.ts";
import { crossEntropy, reshape, resizeBilinear, resizeBilinearGradient } from "../tensorflow/kernels.ts";
import { read, type Tensor, tensor, tidy } from "../tensorflow/runtime.ts";

/**
 * Logits [batch, h, w, classes] are brought to the target's size (bilinear) where theirs differs. With class weights
 * w the loss is the weighted mean, sum(w(y) l) / sum(w(y)) over the pixels (as PyTorch's CrossEntropyLoss has it).
 * Returns the loss and its gradient by the logits as given; both 0 where every pixel is void or weighs nothing.
 */
export function lossOf(
  logits: Tensor,
  { label, height, width, classWeights }: Target,
): { loss: number; gradient: Tensor } {
  const [batch, h, w, classes] = logits.shape as [number, number, number, number];
  const sameSize = h === height && w === width;
  const pixels = batch * height * width;
  const weights = Float32Array.from(label, (value) => (value === IGNORED ? 0 : (classWeights?.[value] ?? 1)));
  const known = Int32Array.from(label, (value) => (value === IGNORED ? 0 : value));
  let loss = 0;
  const [gradient] = tidy(() => {
    const sized = sameSize ? logits : resizeBilinear(logits, height, width);
    const found = crossEntropy(
      reshape(sized, [pixels, classes]),
      tensor(known, [pixels]),
      tensor(weights, [pixels]),
      weights.reduce((sum, weight) => sum + weight, 0),
    );
    loss = read(found.loss)[0]!;
    const dSized = reshape(found.dLogits, [batch, height, width, classes]);
    return [sameSize ? dSized : resizeBilinearGradient(logits, dSized)] as [Tensor];
  });
  return { loss, gradient };
}
