// What is trained to learn what a search's rewards are worth: which networks, how long, from which encoder, with which
// seeds. What is most telling comes first, so that an interruption leaves something to read.
import { type Architecture, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { sampleUniform } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";

/** Where a trial's encoder comes from: set-up's file, or a warm-up on the data set itself. */
export type Source = "Imported" | "WarmUp";
/**
 * A search's training, or one that goes on after it: both with the paper's decay of stage 1's averages, .99. Or the
 * short one with .9, as examples/camvid.yaml has it.
 */
export type Budget = "short" | "shortDecay9" | "long";

/** One training. Equal ones are run once, whatever part of the report asks for them. */
export interface Training {
  architecture: string;
  encoder: Source;
  budget: Budget;
  seed: number;
}

/** What came of it. Slots are its validations, in order. */
export interface Run extends Training {
  reward: number;
  slots: { stage: number; epoch: number; reward: number; meanIoU: number }[];
  parameters: number;
  macs: number;
  /** By the clock, on a machine that had other work too. */
  seconds: number;
}

export const SEEDS = [1, 2, 3, 4, 5];
/** Uniform draws, the same every time: random-0 and so on. */
export const DRAWN = Array.from({ length: 20 }, (_, i) => `random-${i}`);
/** Whose rewards are asked of five seeds. */
export const REPEATED = ["arch0", "arch1"];
/** Which are trained from both encoders. */
export const COMPARED = ["arch0", "arch1", "random-0"];
/** What is smaller than in examples/camvid.yaml, whose epochs and batches stay: half the size in either direction. */
export const SIZES = { longerSide: 240, crop: { height: 112, width: 112 }, statisticsBatches: 20 };
/** Epochs of the long training's stage 1, and of a warm-up; stage 0 is the search's. */
export const LONG_EPOCHS = 6;
export const WARM_UP_EPOCHS = 5;
/** Short and long trainings of one network share no seed: else they would share first weights and order. */
const SHORT_SEED = 2;
const LONG_SEED = 1;

/** The network of a name: a published one's, or random-N. */
export function architectureOf(name: string): Architecture {
  const draw = /^random-(\d+)$/.exec(name);
  return draw ? sampleUniform(random(1, "results", Number(draw[1]))) : parseArchitecture(name);
}

const training = (architecture: string, budget: Budget, seed: number, encoder: Source = "Imported") => ({
  ...{ architecture, encoder, budget, seed },
});

/** The spread's trainings. */
const spread = SEEDS.flatMap((seed) => REPEATED.map((name) => training(name, "short", seed)));
/** The encoder's. A long training goes through the short one of its seed, so that one of each tells both. */
const encoders = COMPARED.flatMap((name) => [
  training(name, "long", LONG_SEED, "WarmUp"),
  training(name, "long", LONG_SEED),
]);
/** The correlation's, network by network. */
const correlation = DRAWN.flatMap((name) => [
  training(name, "short", SHORT_SEED),
  training(name, "long", LONG_SEED),
]);
const decay = DRAWN.map((name) => training(name, "shortDecay9", SHORT_SEED));

export const isSame = (a: Training, b: Training): boolean =>
  a.architecture === b.architecture && a.encoder === b.encoder && a.budget === b.budget && a.seed === b.seed;

/** All that is to be trained, each once, in the order in which it is. */
export const PLAN: readonly Training[] = [...spread, ...encoders, ...correlation, ...decay].filter(
  (one, i, all) => all.findIndex((other) => isSame(one, other)) === i,
);
