// Labels as a loss takes them, at the size where they meet the logits.

/** Labels of a batch: [batch, height, width], class indices or IGNORED. */
export interface Target {
  label: Uint8Array;
  height: number;
  width: number;
  /** The weight of each class in the loss; left out: all weigh 1. */
  classWeights?: readonly number[] | undefined;
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
  return { ...target, label, height, width };
}
