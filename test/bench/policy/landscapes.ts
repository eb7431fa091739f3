// Rewards to learn against without training anything: functions of the 44 decisions, drawn from a seed.
// Under uniform choices (of the constrained one: those within its limit) each has mean .35 and deviation .045, but for
// `real`, which is made of trials (real-trials.ts) and the same for all seeds.
import { countParameters } from "@segnas/searchspace/count.ts";
import { DECISIONS, fromDecisions } from "@segnas/searchspace/decisions.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { type Random, random } from "@segnas/searchspace/random.ts";
import { realTrials } from "./real-trials.ts";

export interface Landscape {
  /** Without noise; 0 for a failure. */
  reward: (decisions: readonly number[]) => number;
  /** Deviation of what a search sees from that; a failure is seen as it is. */
  noise: number;
}

export type LandscapeName = "additive" | "interacting" | "constrained" | "noisy" | "real";

const MEAN = 0.35;
const DEVIATION = 0.045;
const NOISE = 0.02;
const PAIRS = 60;
/** Parameters of arch0 of arXiv 1904.02365 with 19 classes: half of all architectures have more. */
const LIMIT = 280_147;
const SPACE = { aggregateChannels: 48, separableRepeats: 1, classes: 19 };
const SIZE = { height: 321, width: 321 };
const SAMPLES = 400;

type Utility = (decisions: readonly number[]) => number;

/**
 * - additive: a utility for each choice of each decision;
 * - interacting: a utility for each two choices of 60 pairs of decisions;
 * - constrained: as additive, and the more parameters the better, but above 280,147 a failure (reward 0), which
 *   half of all architectures are;
 * - noisy: additive and interacting to equal parts, the noise .06 instead of .02;
 * - real: what a regression on real trials predicts, with the noise of its error.
 */
export function landscape(name: LandscapeName, seed: number): Landscape {
  const draw = random(seed, "landscape", name);
  switch (name) {
    case "additive":
      return { reward: scaled(additive(draw), draw), noise: NOISE };
    case "interacting":
      return { reward: scaled(interacting(draw), draw), noise: NOISE };
    case "noisy": {
      const [one, other] = [scaled(additive(draw), draw), scaled(interacting(draw), draw)];
      return { reward: scaled((decisions) => one(decisions) + other(decisions), draw), noise: 3 * NOISE };
    }
    case "real":
      return realTrials();
    case "constrained": {
      const utility = scaled(additive(draw), draw);
      const fits = (decisions: readonly number[]) => parameters(decisions) <= LIMIT;
      const larger: Utility = (decisions) => utility(decisions) + DEVIATION * Math.log(parameters(decisions));
      const reward = scaled(larger, draw, fits);
      return { reward: (decisions) => (fits(decisions) ? reward(decisions) : 0), noise: NOISE };
    }
  }
}

const normals = (draw: Random, count: number) => Array.from({ length: count }, () => draw.normal());

function additive(draw: Random): Utility {
  const utilities = DECISIONS.map(({ choices }) => normals(draw, choices));
  return (decisions) => decisions.reduce((sum, choice, decision) => sum + utilities[decision]![choice]!, 0);
}

function interacting(draw: Random): Utility {
  const pairs = Array.from({ length: PAIRS }, () => {
    const [first, second] = draw.shuffle(DECISIONS.map((_, decision) => decision)) as [number, number];
    const width = DECISIONS[second]!.choices;
    return { first, second, width, utilities: normals(draw, DECISIONS[first]!.choices * width) };
  });
  return (decisions) =>
    pairs.reduce(
      (sum, { first, second, width, utilities }) =>
        sum + utilities[decisions[first]! * width + decisions[second]!]!,
      0,
    );
}

const uniform = (draw: Random): number[] => DECISIONS.map(({ choices }) => draw.integer(choices));

/** Brought to mean .35 and deviation .045 over uniform choices that count. */
function scaled(
  utility: Utility,
  draw: Random,
  counts: (decisions: number[]) => boolean = () => true,
): Utility {
  const values = Array.from({ length: SAMPLES }, () => uniform(draw))
    .filter(counts)
    .map(utility);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const scale = DEVIATION / Math.sqrt(variance);
  return (decisions) => MEAN + scale * (utility(decisions) - mean);
}

/** Of the network of these decisions with 19 classes, as the search builds it. */
function parameters(decisions: readonly number[]): number {
  return countParameters(expand(fromDecisions(decisions), SPACE, SIZE)).total;
}

const CLIMBS = 12;

/**
 * The best reward that a local search finds: from several uniform starts it takes the best change of each decision
 * in turn until none helps. Of the additive landscape that is the optimum; of the others most likely close to it.
 */
export function optimum({ reward }: Landscape, seed: number): number {
  const draw = random(seed, "optimum");
  let best = Number.NEGATIVE_INFINITY;
  for (let climb = 0; climb < CLIMBS; climb++) {
    const decisions = uniform(draw);
    let height = reward(decisions);
    for (let before = Number.NEGATIVE_INFINITY; height > before; ) {
      before = height;
      for (const [decision, { choices }] of DECISIONS.entries()) {
        for (let choice = 0; choice < choices; choice++) {
          const own = decisions[decision]!;
          decisions[decision] = choice;
          const value = reward(decisions);
          if (value > height) height = value;
          else decisions[decision] = own;
        }
      }
    }
    best = Math.max(best, height);
  }
  return best;
}
