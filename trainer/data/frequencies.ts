// How often classes occur in labels, and weights that make up for it.
import { IGNORED } from "./sample.ts";

/** Pixels by class, and for each class the labelled pixels of the images that it occurs in; void is no class. */
export interface Frequencies {
  pixels: number[];
  pixelsAround: number[];
}

export function noFrequencies(classes: number): Frequencies {
  return { pixels: new Array(classes).fill(0), pixelsAround: new Array(classes).fill(0) };
}

/** Adds one image's labels. */
export function countLabels({ pixels, pixelsAround }: Frequencies, label: Uint8Array): void {
  const own = new Array<number>(pixels.length).fill(0);
  for (const value of label) if (value !== IGNORED) own[value]!++;
  const all = own.reduce((sum, n) => sum + n, 0);
  for (const [c, n] of own.entries()) {
    pixels[c]! += n;
    if (n > 0) pixelsAround[c]! += all;
  }
}

/**
 * Median frequency balancing (Eigen and Fergus, arXiv 1411.4734, section 6.3.2): weight(c) = median / frequency(c),
 * where frequency(c) is the share of class c among the pixels of the images that it occurs in, and the median is
 * that of these frequencies. A class that never occurs, which no loss ever asks for, has weight 1.
 */
export function medianFrequencyWeights({ pixels, pixelsAround }: Frequencies): number[] {
  const frequencies = pixels.map((n, c) => (n === 0 ? 0 : n / pixelsAround[c]!));
  const sorted = frequencies.filter((f) => f > 0).sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return frequencies.map((f) => (f === 0 ? 1 : median / f));
}
