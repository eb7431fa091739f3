// The stage gate: after a validation on the way a trial goes on if its reward beats m (1 - u), where m is the running
// mean of earlier trials' rewards at that slot, and u is drawn from 0 to a tolerance that falls (arXiv 1904.02365).
import { random } from "@segnas/searchspace/random.ts";
import type { ArchitectureSearchSpec } from "../api/generated/architecturesearches.ts";
import type { Slot } from "./entry.ts";

export interface GateSettings {
  /** Of the running means. */
  decay: number;
  /** The largest u of the first 100 trials. */
  tolerance: number;
  /** Whether means are of rewards alone; otherwise they start at .01, as published. */
  biasCorrection: boolean;
}

/** The exponential sum of the rewards at one slot, and how many there were. */
export interface SlotMean {
  stage: number;
  epoch: number;
  sum: number;
  count: number;
}

export interface Threshold {
  stage: number;
  epoch: number;
  /** The trial ends here unless its reward is greater. */
  threshold: number;
}

const PUBLISHED_START = 0.01;
const TRIALS_TO_FALL = 100;
const FALLS = [0.9, 0.8, 0.7, 0.6];
/** What a trial's spec takes: a trainer whose validations never come twice at one place would fill it. */
const MAX_THRESHOLDS = 1000;

/** What spec.gate means; undefined for none. */
export function gateSettings({ type, ...gate }: ArchitectureSearchSpec["gate"]): GateSettings | undefined {
  if (type === "None") return undefined;
  const { decay, tolerance, biasCorrection } = gate;
  return { decay: Number(decay), tolerance: Number(tolerance), biasCorrection };
}

/** The means after one more trial; the very same where it has no slots. In the schedule's order. */
export function observeSlots(
  { decay, biasCorrection }: GateSettings,
  means: readonly SlotMean[],
  slots: readonly Slot[],
): readonly SlotMean[] {
  if (slots.length === 0) return means;
  const after = [...means];
  for (const { stage, epoch, reward } of slots) {
    const place = after.findIndex((mean) => mean.stage === stage && mean.epoch === epoch);
    const { sum, count } = after[place] ?? { sum: biasCorrection ? 0 : PUBLISHED_START, count: 0 };
    const mean = { stage, epoch, sum: decay * sum + (1 - decay) * reward, count: count + 1 };
    if (place < 0) after.push(mean);
    else after[place] = mean;
  }
  return after.sort((a, b) => a.stage - b.stage || a.epoch - b.epoch);
}

/** The running mean at a slot. */
export const meanAt = ({ decay, biasCorrection }: GateSettings, { sum, count }: SlotMean): number =>
  biasCorrection ? sum / (1 - decay ** count) : sum;

/** The largest u of trial `index`. */
export const toleranceAt = ({ tolerance }: GateSettings, index: number): number =>
  FALLS.slice(0, Math.floor(index / TRIALS_TO_FALL)).reduce((product, factor) => product * factor, tolerance);

/**
 * What trial `index` must beat to go on (nothing where there is no gate), at each slot that earlier trials have reached but for the furthest: after
 * the last validation there is nothing to go on to. One u for each trial and slot, from the search's seed.
 */
export function thresholdsOf(
  gate: GateSettings | undefined,
  means: readonly SlotMean[],
  seed: number,
  index: number,
): Threshold[] {
  if (!gate) return [];
  const tolerance = toleranceAt(gate, index);
  return means
    .slice(0, -1)
    .slice(0, MAX_THRESHOLDS)
    .map((mean) => {
      const { stage, epoch } = mean;
      const u = tolerance * random(seed, "gate", index, stage, epoch).uniform();
      const m = meanAt(gate, mean);
      // Another trainer's rewards may be below 0: the threshold is below their mean too.
      return { stage, epoch, threshold: m * (m < 0 ? 1 + u : 1 - u) };
    });
}
