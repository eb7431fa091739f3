// What a search's `spec.policy` means: the preset's values, overridden field by field and checked.
import { UserError } from "@segnas/searchspace/errors.ts";

/** `spec.policy` as it is written; reals are decimal strings. */
export interface PolicySpec {
  name?: "ppo" | "reinforce" | "random";
  preset?: "default" | "published";
  batchSize?: number;
  epochs?: number;
  learningRate?: string;
  clip?: string;
  gradientClip?: string;
  entropyCoefficient?: string;
  baselineDecay?: string;
  feedDecisions?: boolean;
}

/** What every policy that learns by gradients of its rewards has. */
export interface GradientSettings {
  /** Trials an update. */
  batchSize: number;
  /** Adam's. */
  learningRate: number;
  /** The largest norm of the gradient over all parameters. */
  gradientClip: number;
  /** What a nat of entropy is worth, in units of the advantage. */
  entropyCoefficient: number;
  /** Of the exponential mean of rewards that advantages are taken from. */
  baselineDecay: number;
  /** Whether a decision is the network's next input, so that later ones depend on it. */
  feedDecisions: boolean;
}

export interface PpoSettings extends GradientSettings {
  name: "ppo";
  /** Passes over the rows of an update. */
  epochs: number;
  /** A row counts until its probability has changed by this share. */
  clip: number;
  /** Whether advantages are divided by their deviation within the update. */
  scaleAdvantages: boolean;
  /**
   * 0: an update learns from its own trials, all in one minibatch. Above: from the last so many trials, a ring
   * that starts full of empty rows (no advantage), in random order and one row a minibatch.
   */
  ring: number;
}

export interface ReinforceSettings extends GradientSettings {
  name: "reinforce";
  scaleAdvantages: boolean;
}

/** Uniform choices. It learns nothing; `batchSize` only counts updates as the other policies do. */
export interface RandomSettings {
  name: "random";
  batchSize: number;
}

export type PolicySettings = PpoSettings | ReinforceSettings | RandomSettings;

type Preset = Omit<PpoSettings, "name">;

const PRESETS: Record<"default" | "published", Preset> = {
  // The best of those tried on a landscape of additive utilities, 300 trials: test/bench/policy.ts --learning.
  default: {
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
  // arXiv 1904.02365.
  published: {
    batchSize: 1,
    epochs: 1,
    learningRate: 0.0001,
    clip: 0.1,
    gradientClip: 2,
    entropyCoefficient: 0,
    baselineDecay: 0.95,
    feedDecisions: false,
    scaleAdvantages: false,
    ring: 100,
  },
};

type Field = Exclude<keyof PolicySpec, "name" | "preset">;

const USED_BY: Record<Field, readonly NonNullable<PolicySpec["name"]>[]> = {
  batchSize: ["ppo", "reinforce"],
  epochs: ["ppo"],
  learningRate: ["ppo", "reinforce"],
  clip: ["ppo"],
  gradientClip: ["ppo", "reinforce"],
  entropyCoefficient: ["ppo", "reinforce"],
  baselineDecay: ["ppo", "reinforce"],
  feedDecisions: ["ppo", "reinforce"],
};

/** Throws UserError for a field that the algorithm does not use, and for a value out of its range. */
export function resolvePolicy(spec: PolicySpec = {}): PolicySettings {
  const name = spec.name ?? "ppo";
  for (const field of Object.keys(USED_BY) as Field[]) {
    if (spec[field] !== undefined && !USED_BY[field].includes(name)) {
      throw new UserError(
        `spec.policy.${field}: not used by the policy ${name}; remove it, or set spec.policy.name to ${USED_BY[field].join(" or ")}`,
      );
    }
  }
  const preset = PRESETS[spec.preset ?? "default"];
  const whole = (field: "batchSize" | "epochs") => {
    const value = spec[field] ?? preset[field];
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw outOfRange(field, value, "a whole number of at least 1");
  };
  const real = (
    field: "learningRate" | "clip" | "gradientClip" | "entropyCoefficient" | "baselineDecay",
    inRange: (value: number) => boolean,
    wanted: string,
  ) => {
    const text = spec[field];
    if (text === undefined) return preset[field];
    const value = /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(value) && inRange(value)) return value;
    throw outOfRange(field, text, wanted);
  };
  const batchSize = whole("batchSize");
  if (name === "random") return { name, batchSize };
  const gradient: GradientSettings = {
    batchSize,
    learningRate: real(
      "learningRate",
      (x) => x > 0 && x <= 1,
      'a decimal above 0 and at most 1, e.g. "0.01"',
    ),
    gradientClip: real("gradientClip", (x) => x > 0, 'a decimal above 0, e.g. "2"'),
    entropyCoefficient: real("entropyCoefficient", (x) => x >= 0, 'a decimal of at least 0, e.g. "0.001"'),
    baselineDecay: real("baselineDecay", (x) => x >= 0 && x < 1, 'a decimal from 0 to below 1, e.g. "0.95"'),
    feedDecisions: spec.feedDecisions ?? preset.feedDecisions,
  };
  const { scaleAdvantages, ring } = preset;
  if (name === "reinforce") return { name, ...gradient, scaleAdvantages };
  const clip = real("clip", (x) => x > 0 && x < 1, 'a decimal between 0 and 1, e.g. "0.2"');
  return { name, ...gradient, epochs: whole("epochs"), clip, scaleAdvantages, ring };
}

function outOfRange(field: Field, value: number | string, wanted: string): UserError {
  return new UserError(`spec.policy.${field}: ${JSON.stringify(value)} is out of range; write ${wanted}`);
}
