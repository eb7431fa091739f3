// How far two orders of the same items agree, and how sure that is. Pure.
import type { Random } from "@segnas/searchspace/random.ts";
import { quantile } from "../../../cli/statistics.ts";

/** A measure of two lists of equal length, item by item. */
export type Measure = (a: readonly number[], b: readonly number[]) => number;

/** Kendall's tau-b: pairs in the same order less those in opposite orders, over those without ties. NaN where all tie. */
export function kendall(a: readonly number[], b: readonly number[]): number {
  let [sum, inA, inB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j < i; j++) {
      const [x, y] = [Math.sign(a[i]! - a[j]!), Math.sign(b[i]! - b[j]!)];
      sum += x * y;
      inA += x * x;
      inB += y * y;
    }
  return sum / Math.sqrt(inA * inB);
}

const RESAMPLES = 2000;

/**
 * The middle 95% of a measure over samples of the same size drawn from the items with replacement (percentile
 * bootstrap). Samples of which the measure is NaN are left out.
 */
export function interval(
  measure: Measure,
  a: readonly number[],
  b: readonly number[],
  random: Random,
): [low: number, high: number] {
  const measured = Array.from({ length: RESAMPLES }, () => {
    const items = a.map(() => random.integer(a.length));
    return measure(
      items.map((i) => a[i]!),
      items.map((i) => b[i]!),
    );
  }).filter((value) => !Number.isNaN(value));
  return [quantile(measured, 0.025), quantile(measured, 0.975)];
}
