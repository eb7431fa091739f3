// The loss of a batch: cross-entropy averaged over the pixels that are not void, and its gradient by the logits.
import { IGNORED } from "../data/sample.ts";
import { crossEntropy, reshape, resizeBilinear, resizeBilinearGradient } from "../tensorflow/kernels.ts";
import { read, type Tensor, tensor, tidy } from "../tensorflow/runtime.ts";

/** Labels of a batch: [batch, height, width], class indices or IGNORED. */
export interface Target {
  label: Uint8Array;
  height: number;
  width: number;
}

/**
 * Logits [batch, h, w, classes] are brought to the target's size (bilinear) where theirs differs.
 * Returns the loss and its gradient by the logits as given; both 0 where every pixel is void.
 */
export function lossOf(logits: Tensor, { label, height, width }: Target): { loss: number; gradient: Tensor } {
  const [batch, h, w, classes] = logits.shape as [number, number, number, number];
  const sameSize = h === height && w === width;
  const pixels = batch * height * width;
  const counted = Float32Array.from(label, (value) => (value === IGNORED ? 0 : 1));
  const known = Int32Array.from(label, (value) => (value === IGNORED ? 0 : value));
  let loss = 0;
  const [gradient] = tidy(() => {
    const sized = sameSize ? logits : resizeBilinear(logits, height, width);
    const found = crossEntropy(
      reshape(sized, [pixels, classes]),
      tensor(known, [pixels]),
      tensor(counted, [pixels]),
      counted.reduce((sum, value) => sum + value, 0),
    );
    loss = read(found.loss)[0]!;
    const dSized = reshape(found.dLogits, [batch, height, width, classes]);
    return [sameSize ? dSized : resizeBilinearGradient(logits, dSized)] as [Tensor];
  });
  return { loss, gradient };
}

/** Labels at another size by the nearest pixel (the one at floor(i x from / to), as PyTorch's "nearest"). */
export function nearestTarget(target: Target, height: number, width: number): Target {
  if (target.height === height && target.width === width) return target;
  const batch = target.label.length / (target.height * target.width);
  const label = new Uint8Array(batch * height * width);
  let at = 0;
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < height; y++) {
      const row = (b * target.height + Math.floor((y * target.height) / height)) * target.width;
      for (let x = 0; x < width; x++)
        label[at++] = target.label[row + Math.floor((x * target.width) / width)]!;
    }
  return { label, height, width };
}
