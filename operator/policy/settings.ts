// What a search's `spec.policy` means: the preset's values, overridden field by field and checked.
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ArchitectureSearchSpec } from "../api/generated/architecturesearches.ts";

/** `spec.policy` as it is written; reals are decimal strings. */
export type PolicySpec = Partial<ArchitectureSearchSpec["policy"]>;
export type PolicyName = NonNullable<ArchitectureSearchSpec["policy"]["name"]>;

/** What every recurrent policy has. */
export interface RecurrentSettings {
  /** Trials an update. */
  batchSize: number;
  /** Adam's. */
  learningRate: number;
  /** The largest norm of the gradient over all parameters. */
  gradientClip: number;
  /** Whether a decision is the network's next input, so that later ones depend on it. */
  feedDecisions: boolean;
}

/** What those have that learn from how much better than usual a reward is. */
interface AdvantageSettings extends RecurrentSettings {
  /** What a nat of entropy is worth, in units of the advantage. */
  entropyCoefficient: number;
  /** Of the exponential mean of rewards that advantages are taken from. */
  baselineDecay: number;
  /** Whether advantages are divided by their deviation within the update. */
  scaleAdvantages: boolean;
}

export interface PpoSettings extends AdvantageSettings {
  name: "ppo";
  /** Passes over the rows of an update. */
  epochs: number;
  /** A row counts until its probability has changed by this share. */
  clip: number;
  /**
   * 0: an update learns from its own trials, all in one minibatch. Above: from the last so many trials, a ring
   * that starts full of empty rows (no advantage), in random order and one row a minibatch.
   */
  ring: number;
}

export interface ReinforceSettings extends AdvantageSettings {
  name: "reinforce";
}

/** The network learns to make the best trials so far likely (arXiv 1801.03526). */
export interface PriorityQueueSettings extends RecurrentSettings {
  name: "priorityQueue";
  /** What a nat of entropy is worth beside one of likelihood. */
  entropyCoefficient: number;
  /** Passes over the queue in an update. */
  epochs: number;
  /** How many of the best trials so far the network learns. */
  queueSize: number;
}

/**
 * The network learns a distribution in which the odds of a trial are those of its rank to a power that grows with
 * the trials (path consistency, arXiv 1702.08892, on ranks). Old trials teach as rightly as new ones, bad ones as
 * well as good ones.
 */
export interface PathConsistencySettings extends RecurrentSettings {
  name: "pathConsistency";
  /** Steps of the optimiser an update. */
  epochs: number;
  /** That power after 100 trials; it grows in proportion to their number up to 300, and with the root from then on. */
  sharpness: number;
  /** How many earlier trials, drawn anew for each step, it learns from together with an update's own. */
  replay: number;
}

/** Regularised evolution (arXiv 1802.01548): it learns nothing but which trials were the last, and how good. */
export interface EvolutionSettings {
  name: "evolution";
  batchSize: number;
  /** How many of the last trials may become parents. */
  population: number;
  /** How many of them, drawn with replacement, compete to be the parent of a trial. */
  sampleSize: number;
}

/** Uniform choices. It learns nothing; `batchSize` only counts updates as the other policies do. */
export interface RandomSettings {
  name: "random";
  batchSize: number;
}

export type GradientSettings =
  | PpoSettings
  | ReinforceSettings
  | PriorityQueueSettings
  | PathConsistencySettings;
export type PolicySettings = GradientSettings | EvolutionSettings | RandomSettings;

type Field = Exclude<keyof PolicySpec, "name" | "preset">;

const DEFAULTS: Record<PolicyName, PolicySettings> = {
  ppo: {
    name: "ppo",
    batchSize: 10,
    epochs: 8,
    learningRate: 0.01,
    clip: 0.2,
    gradientClip: 2,
    entropyCoefficient: 0,
    baselineDecay: 0.95,
    feedDecisions: true,
    scaleAdvantages: true,
    ring: 0,
  },
  reinforce: {
    name: "reinforce",
    batchSize: 10,
    learningRate: 0.01,
    gradientClip: 2,
    entropyCoefficient: 0,
    baselineDecay: 0.95,
    feedDecisions: true,
    scaleAdvantages: true,
  },
  priorityQueue: {
    name: "priorityQueue",
    batchSize: 10,
    epochs: 10,
    learningRate: 0.003,
    gradientClip: 2,
    entropyCoefficient: 0.01,
    feedDecisions: true,
    queueSize: 20,
  },
  pathConsistency: {
    name: "pathConsistency",
    batchSize: 10,
    epochs: 8,
    learningRate: 0.01,
    gradientClip: 2,
    feedDecisions: false,
    sharpness: 12,
    replay: 1000,
  },
  evolution: { name: "evolution", batchSize: 1, population: 50, sampleSize: 10 },
  random: { name: "random", batchSize: 10 },
};

// arXiv 1904.02365.
const PUBLISHED_REINFORCE: ReinforceSettings = {
  name: "reinforce",
  batchSize: 1,
  learningRate: 0.0001,
  gradientClip: 2,
  entropyCoefficient: 0,
  baselineDecay: 0.95,
  feedDecisions: false,
  scaleAdvantages: false,
};
const PUBLISHED: Partial<Record<PolicyName, PolicySettings>> = {
  ppo: { ...PUBLISHED_REINFORCE, name: "ppo", epochs: 1, clip: 0.1, ring: 100 },
  reinforce: PUBLISHED_REINFORCE,
  random: { name: "random", batchSize: 1 },
};

interface Range {
  holds: (value: number) => boolean;
  wanted: string;
}

const COUNT: Range = {
  holds: (value) => Number.isSafeInteger(value) && value >= 1,
  wanted: "a whole number of at least 1",
};
const COUNTS: Partial<Record<Field, Range>> = {
  batchSize: COUNT,
  epochs: COUNT,
  queueSize: COUNT,
  replay: COUNT,
  population: COUNT,
  sampleSize: COUNT,
};
const REALS: Partial<Record<Field, Range>> = {
  learningRate: { holds: (x) => x > 0 && x <= 1, wanted: 'a decimal above 0 and at most 1, e.g. "0.01"' },
  clip: { holds: (x) => x > 0 && x < 1, wanted: 'a decimal between 0 and 1, e.g. "0.2"' },
  gradientClip: { holds: (x) => x > 0, wanted: 'a decimal above 0, e.g. "2"' },
  entropyCoefficient: { holds: (x) => x >= 0, wanted: 'a decimal of at least 0, e.g. "0.001"' },
  sharpness: { holds: (x) => x > 0, wanted: 'a decimal above 0, e.g. "10"' },
  baselineDecay: { holds: (x) => x >= 0 && x < 1, wanted: 'a decimal from 0 to below 1, e.g. "0.95"' },
};

/**
 * Without a name the policy is what learned most when measured, or the published one where that preset is asked for.
 * Throws UserError for a field that the algorithm does not use, and for a value out of its range.
 */
export function resolvePolicy({
  preset = "default",
  name = preset === "published" ? "ppo" : "pathConsistency",
  ...fields
}: PolicySpec = {}): PolicySettings {
  const values = preset === "published" ? PUBLISHED[name] : DEFAULTS[name];
  if (values === undefined) {
    throw new UserError(
      `spec.policy.preset: the published form knows no policy ${name}; remove it, or set spec.policy.name to ppo or reinforce`,
    );
  }
  const given = Object.entries(fields).filter(([, value]) => value !== undefined) as [Field, Given][];
  return Object.assign({}, values, ...given.map(([field, value]) => ({ [field]: read(field, value, name) })));
}

type Given = number | string | boolean;

function read(field: Field, value: Given, name: PolicyName): number | boolean {
  if (!(field in DEFAULTS[name])) {
    const users = Object.values(DEFAULTS).filter((settings) => field in settings);
    throw new UserError(
      `spec.policy.${field}: not used by the policy ${name}; remove it, or set spec.policy.name to ${users.map((user) => user.name).join(" or ")}`,
    );
  }
  if (typeof value === "boolean") return value;
  const range = COUNTS[field] ?? REALS[field]!;
  const number = typeof value === "number" ? value : DECIMAL.test(value) ? Number(value) : Number.NaN;
  if (Number.isFinite(number) && range.holds(number)) return number;
  throw new UserError(
    `spec.policy.${field}: ${JSON.stringify(value)} is out of range; write ${range.wanted}`,
  );
}

const DECIMAL = /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/;
