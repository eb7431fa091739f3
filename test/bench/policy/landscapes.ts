// Rewards to learn against without training anything: functions of the 44 decisions, drawn from a seed.
// Under uniform choices that do not fail each has mean .35 and deviation .045, but for
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

/** The second five came after all settings: none was chosen by them. */
export const LANDSCAPES = [
  ...(["additive", "interacting", "constrained", "noisy", "real"] as const),
  ...(["rugged", "triples", "sparse", "failing", "deceptive"] as const),
];
export type LandscapeName = (typeof LANDSCAPES)[number];

const MEAN = 0.35;
const DEVIATION = 0.045;
const NOISE = 0.02;
const PAIRS = 60;
const MANY_PAIRS = 250;
const TRIPLES = 40;
/** Decisions that count on the sparse landscape. */
const FEW = 8;
/** Above this utility of its own, .67 deviations over its mean, a quarter of all architectures fail. */
const FAILING = MEAN + 0.03;
const TRAPS = 5;
const TRAP_SIZE = 3;
/** Of a trap over the best choice of each of its decisions, in the unit of the utilities' deviations. */
const TRAP_GAIN = 3;
/** Parameters of arch0 of arXiv 1904.02365 with 19 classes: a third of all architectures have more. */
const LIMIT = 280_147;
const SPACE = { aggregateChannels: 48, separableRepeats: 1, classes: 19 };
const SIZE = { height: 321, width: 321 };
const SAMPLES = 400;

type Utility = (decisions: readonly number[]) => number;

/**
 * - additive: a utility for each choice of each decision;
 * - interacting: a utility for each two choices of 60 pairs of decisions;
 * - constrained: as additive, and the more parameters the better, but above 280,147 a failure (reward 0), which
 *   a third of all architectures are;
 * - noisy: additive and interacting to equal parts, the noise .06 instead of .02;
 * - real: what a regression on real trials predicts, with the noise of its error;
 * - rugged, triples: as interacting, with 250 pairs, or with 40 groups of three decisions;
 * - sparse: as additive, but only 8 decisions count;
 * - failing: additive and interacting to equal parts, and a quarter of all architectures, by further utilities for
 *   each choice, are failures;
 * - deceptive: as additive, but in five groups of three decisions the three worst choices together are worth more
 *   than the three best.
 */
export function landscape(name: LandscapeName, seed: number): Landscape {
  const draw = random(seed, "landscape", name);
  switch (name) {
    case "additive":
      return { reward: scaled(additive(draw), draw), noise: NOISE };
    case "interacting":
      return { reward: scaled(groups(draw, PAIRS, 2), draw), noise: NOISE };
    case "noisy":
      return { reward: mixed(draw), noise: 3 * NOISE };
    case "real":
      return realTrials();
    case "constrained": {
      const utility = scaled(additive(draw), draw);
      const fits = (decisions: readonly number[]) => parameters(decisions) <= LIMIT;
      const larger: Utility = (decisions) => utility(decisions) + DEVIATION * Math.log(parameters(decisions));
      const reward = scaled(larger, draw, fits);
      return { reward: (decisions) => (fits(decisions) ? reward(decisions) : 0), noise: NOISE };
    }
    case "rugged":
      return { reward: scaled(groups(draw, MANY_PAIRS, 2), draw), noise: NOISE };
    case "triples":
      return { reward: scaled(groups(draw, TRIPLES, 3), draw), noise: NOISE };
    case "sparse": {
      const counts = new Set(someDecisions(draw, FEW));
      const utility = additive(draw, (decision) => counts.has(decision));
      return { reward: scaled(utility, draw), noise: NOISE };
    }
    case "failing": {
      const [reward, strain] = [mixed(draw), scaled(additive(draw), draw)];
      return {
        reward: (decisions) => (strain(decisions) > FAILING ? 0 : reward(decisions)),
        noise: NOISE,
      };
    }
    case "deceptive":
      return { reward: scaled(deceptive(draw), draw), noise: NOISE };
  }
}

const normals = (draw: Random, count: number) => Array.from({ length: count }, () => draw.normal());

/** So many different decisions. */
const someDecisions = (draw: Random, count: number): number[] =>
  draw.shuffle(DECISIONS.map((_, decision) => decision)).slice(0, count);

function utilitiesOf(draw: Random): number[][] {
  return DECISIONS.map(({ choices }) => normals(draw, choices));
}

function sumOf(utilities: number[][], decisions: readonly number[]): number {
  return decisions.reduce((sum, choice, decision) => sum + utilities[decision]![choice]!, 0);
}

function additive(draw: Random, counts: (decision: number) => boolean = () => true): Utility {
  const utilities = utilitiesOf(draw).map((own, decision) => (counts(decision) ? own : own.map(() => 0)));
  return (decisions) => sumOf(utilities, decisions);
}

/** A utility for all choices together of each of so many groups of decisions. */
function groups(draw: Random, count: number, size: number): Utility {
  const drawn = Array.from({ length: count }, () => {
    const group = someDecisions(draw, size);
    const places = group.reduce((product, decision) => product * DECISIONS[decision]!.choices, 1);
    return { group, utilities: normals(draw, places) };
  });
  return (decisions) =>
    drawn.reduce((sum, { group, utilities }) => {
      const place = group.reduce(
        (before, decision) => before * DECISIONS[decision]!.choices + decisions[decision]!,
        0,
      );
      return sum + utilities[place]!;
    }, 0);
}

/** Additive and interacting to equal parts. */
function mixed(draw: Random): Utility {
  const [one, other] = [scaled(additive(draw), draw), scaled(groups(draw, PAIRS, 2), draw)];
  return scaled((decisions) => one(decisions) + other(decisions), draw);
}

function deceptive(draw: Random): Utility {
  const utilities = utilitiesOf(draw);
  const worst = utilities.map((own) => own.indexOf(Math.min(...own)));
  const deciding = someDecisions(draw, DECISIONS.length).filter(
    (decision) => utilities[decision]!.length > 2,
  );
  const traps = Array.from({ length: TRAPS }, (_, trap) => {
    const group = deciding.slice(trap * TRAP_SIZE, (trap + 1) * TRAP_SIZE);
    const lost = group.map(
      (decision) => Math.max(...utilities[decision]!) - Math.min(...utilities[decision]!),
    );
    return { group, gain: lost.reduce((sum, own) => sum + own, TRAP_GAIN) };
  });
  return (decisions) =>
    traps
      .filter(({ group }) => group.every((decision) => decisions[decision] === worst[decision]))
      .reduce((sum, { gain }) => sum + gain, sumOf(utilities, decisions));
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
