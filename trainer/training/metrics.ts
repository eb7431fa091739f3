// Segmentation metrics of one confusion matrix over all validated images (method.md's definitions, which are
// the usual ones of Long et al., arXiv 1411.4038) and the reward made of them.
import { IGNORED } from "../data/sample.ts";

/** counts[truth * classes + prediction] in pixels; ignored truth is in none. */
export interface ConfusionMatrix {
  classes: number;
  counts: Float64Array;
}

export function confusionMatrix(classes: number): ConfusionMatrix {
  return { classes, counts: new Float64Array(classes * classes) };
}

/** Counts the pixels of one image; `truth` and `prediction` are class indices of equal length. */
export function count(
  matrix: ConfusionMatrix,
  truth: ArrayLike<number>,
  prediction: ArrayLike<number>,
): void {
  const { classes, counts } = matrix;
  for (let i = 0; i < truth.length; i++) {
    const t = truth[i]!;
    if (t !== IGNORED) counts[t * classes + prediction[i]!]!++;
  }
}

export interface Metrics {
  meanIoU: number;
  meanAccuracy: number;
  frequencyWeightedIoU: number;
  /** By class; null where the class is in neither truth nor prediction. */
  iou: (number | null)[];
}

/**
 * A class in neither truth nor prediction is left out; one predicted but absent from the truth counts 0 in mean
 * IoU and is left out of mean accuracy; frequencies are the truth's. All 0 where nothing was counted.
 */
export function metricsOf({ classes, counts }: ConfusionMatrix): Metrics {
  const truth = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  for (let t = 0; t < classes; t++)
    for (let p = 0; p < classes; p++) {
      truth[t]! += counts[t * classes + p]!;
      predicted[p]! += counts[t * classes + p]!;
    }
  const hits = (c: number) => counts[c * classes + c]!;
  const all = Array.from({ length: classes }, (_, c) => c);
  const union = (c: number) => truth[c]! + predicted[c]! - hits(c);
  const iou = all.map((c) => (union(c) > 0 ? hits(c) / union(c) : null));
  const present = all.filter((c) => truth[c]! > 0);
  const total = truth.reduce((sum, pixels) => sum + pixels, 0);
  return {
    meanIoU: mean(iou.filter((value) => value !== null)),
    meanAccuracy: mean(present.map((c) => hits(c) / truth[c]!)),
    frequencyWeightedIoU: present.reduce((sum, c) => sum + (truth[c]! / total) * (hits(c) / union(c)), 0),
    iou,
  };
}

const mean = (values: number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

export type RewardMetric = "GeometricMean" | "MeanIoU";

/** The search's reward: (mean IoU x mean accuracy x frequency-weighted IoU)^(1/3), or mean IoU alone. */
export function rewardOf(metrics: Metrics, metric: RewardMetric): number {
  if (metric === "MeanIoU") return metrics.meanIoU;
  return Math.cbrt(metrics.meanIoU * metrics.meanAccuracy * metrics.frequencyWeightedIoU);
}
