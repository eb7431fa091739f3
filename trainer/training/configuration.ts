// What a trial is told (SEGNAS_TRIAL), checked and filled in from the preset: the trainer's only configuration.
import {
  type Architecture,
  type NetworkSettings,
  parseArchitecture,
} from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { choice, fields, integer, show } from "@segnas/searchspace/fields.ts";
import type { Size } from "../data/augment.ts";
import { type DatasetSpec, parseDataset } from "../data/dataset.ts";
import { decimal } from "./decimal.ts";
import { type Gate, parseGate } from "./gate.ts";
import type { RewardMetric } from "./metrics.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

export interface StageSettings {
  epochs: number;
  batchSize: number;
  weightDecay: number;
  polyakDecay: number;
  gradientClip: number;
  /** Of the learning rates, over the stage's steps. */
  schedule: Schedule;
}

export interface Training {
  /** Images and labels are brought to this longer side before anything else; undefined: as they are. */
  longerSide: number | undefined;
  crop: Size;
  /** Undefined: whole images. */
  validationCrop: Size | undefined;
  /** Images are validated in tiles of this size; undefined: each at once. */
  validationTile: Size | undefined;
  /** Stage 0 learns from at most so many images. */
  maxTrainingImages: number;
  augmentation: { minScale: number; maxScale: number; flip: boolean };
  encoder:
    | { source: "Imported" }
    | { source: "File"; path: string }
    | { source: "WarmUp"; warmUpEpochs: number };
  stage0: StageSettings & { views: number; learningRate: number };
  stage1: StageSettings & { encoderLearningRate: number; decoderLearningRate: number };
  /** The size at which logits and labels meet. */
  loss: "LogitsSize" | "FullSize";
  classWeights: { type: "None" } | { type: "Balanced" } | { type: "Given"; weights: number[] };
  /** At the end of each epoch the averaged weights take the place of the trained ones. */
  copyAverages: boolean;
  /** Batches that the averaged copy's BN statistics are made from; 0 keeps the raw ones. */
  statisticsBatches: number;
  /** From the first training step on; undefined: none. */
  timeLimitSeconds: number | undefined;
}

export interface TrialConfiguration {
  name: string;
  seed: number;
  /** The search's: what all its trials share (synthetic images, views of the feature cache) is drawn from it. */
  searchSeed: number;
  architecture: Architecture;
  space: Omit<NetworkSettings, "classes">;
  metric: RewardMetric;
  dataset: DatasetSpec;
  training: Training;
  gate: Gate;
}

/** The paper's values (arXiv 1904.02365), ours where it leaves a choice open. */
const PAPER: Training = {
  longerSide: undefined,
  crop: { height: 321, width: 321 },
  validationCrop: undefined,
  validationTile: undefined,
  maxTrainingImages: 1000,
  augmentation: { minScale: 0.5, maxScale: 2, flip: true },
  encoder: { source: "Imported" },
  stage0: {
    epochs: 5,
    batchSize: 32,
    views: 1,
    learningRate: 7e-3,
    weightDecay: 0,
    polyakDecay: 0.9,
    gradientClip: 3,
    schedule: { type: "Constant" },
  },
  stage1: {
    epochs: 5,
    batchSize: 16,
    encoderLearningRate: 5e-4,
    decoderLearningRate: 2e-3,
    weightDecay: 1e-5,
    polyakDecay: 0.99,
    gradientClip: 3,
    schedule: { type: "Constant" },
  },
  loss: "LogitsSize",
  classWeights: { type: "None" },
  copyAverages: false,
  statisticsBatches: 50,
  timeLimitSeconds: undefined,
};

export const PRESETS = {
  paper: PAPER,
  /**
   * Batches for 8 GB: of 2,000 random architectures 99 in 100 take less than 5 GB at 321 x 321 in either stage, by the
   * size of their maps times the 1.2 that resident memory came to on a CPU.
   */
  gpu8GB: {
    ...PAPER,
    stage0: { ...PAPER.stage0, batchSize: 12 },
    stage1: { ...PAPER.stage1, batchSize: 8 },
  },
  /** A quarter of the pixels, half of the images, and three epochs of stage 1. */
  cpu: {
    ...PAPER,
    crop: { height: 161, width: 161 },
    maxTrainingImages: 500,
    stage0: { ...PAPER.stage0, batchSize: 16 },
    stage1: { ...PAPER.stage1, epochs: 3, batchSize: 8 },
    statisticsBatches: 20,
  },
} satisfies Record<string, Training>;

/** Parses the JSON of SEGNAS_TRIAL. Throws UserError that names the field. */
export function parseTrial(text: string | undefined): TrialConfiguration {
  if (!text) throw new UserError("SEGNAS_TRIAL: is not set, write the trial as JSON in it");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`SEGNAS_TRIAL: is not JSON (${(error as Error).message})`);
  }
  const names = [
    "name",
    "seed",
    "searchSeed",
    "architecture",
    "space",
    "objective",
    "dataset",
    "training",
    "gate",
  ] as const;
  const trial = fields(value, "trial", names, ["name", "seed", "architecture", "dataset"]);
  const space = fields(trial.space ?? {}, "space", ["aggregateChannels", "separableRepeats"], []);
  const objective = fields(trial.objective ?? {}, "objective", ["metric", "failureReward"], []);
  if (typeof trial.name !== "string" || trial.name === "")
    throw new UserError(`name: ${show(trial.name)} is no name, write a text`);
  return {
    name: trial.name,
    seed: integer(trial.seed, "seed", 0, Number.MAX_SAFE_INTEGER),
    searchSeed: integer(trial.searchSeed ?? trial.seed, "searchSeed", 0, Number.MAX_SAFE_INTEGER),
    architecture: parseArchitecture(trial.architecture),
    space: {
      aggregateChannels: integer(space.aggregateChannels ?? 48, "space.aggregateChannels", 1, 4096),
      separableRepeats: integer(space.separableRepeats ?? 1, "space.separableRepeats", 1, 4),
    },
    metric: choice(objective.metric ?? "GeometricMean", "objective.metric", ["GeometricMean", "MeanIoU"]),
    dataset: parseDataset(trial.dataset),
    training: parseTraining(trial.training ?? {}),
    gate: parseGate(trial.gate ?? []),
  };
}

/** The field `training`: what is not written is the preset's. Reals are decimal strings. */
export function parseTraining(value: unknown): Training {
  const names = [
    "preset",
    "longerSide",
    "crop",
    "validationCrop",
    "validationTile",
    "maxTrainingImages",
    "augmentation",
    "encoder",
    "stage0",
    "stage1",
    "loss",
    "classWeights",
    "copyAverages",
    "statisticsBatches",
    "timeLimitSeconds",
  ] as const;
  const given = fields(value, "training", names, []);
  const preset =
    PRESETS[
      choice(given.preset ?? "paper", "training.preset", Object.keys(PRESETS) as (keyof typeof PRESETS)[])
    ];
  const whole = (key: "maxTrainingImages" | "statisticsBatches", from: number) =>
    given[key] === undefined ? preset[key] : integer(given[key], `training.${key}`, from, 1e9);
  const size = (key: "crop" | "validationCrop" | "validationTile") =>
    given[key] === undefined ? preset[key] : parseSize(given[key], `training.${key}`);
  return {
    longerSide:
      given.longerSide === undefined
        ? preset.longerSide
        : integer(given.longerSide, "training.longerSide", 32, 8192),
    crop: size("crop")!,
    validationCrop: size("validationCrop"),
    validationTile: size("validationTile"),
    maxTrainingImages: whole("maxTrainingImages", 1),
    augmentation: parseAugmentation(given.augmentation, preset.augmentation),
    encoder: given.encoder === undefined ? preset.encoder : parseEncoder(given.encoder),
    stage0: merge(given.stage0, preset.stage0, "training.stage0"),
    stage1: merge(given.stage1, preset.stage1, "training.stage1"),
    loss: choice(given.loss ?? preset.loss, "training.loss", ["LogitsSize", "FullSize"]),
    classWeights:
      given.classWeights === undefined ? preset.classWeights : parseClassWeights(given.classWeights),
    copyAverages:
      given.copyAverages === undefined
        ? preset.copyAverages
        : boolean(given.copyAverages, "training.copyAverages"),
    statisticsBatches: whole("statisticsBatches", 0),
    timeLimitSeconds:
      given.timeLimitSeconds === undefined
        ? preset.timeLimitSeconds
        : integer(given.timeLimitSeconds, "training.timeLimitSeconds", 1, 1e9),
  };
}

function parseSize(value: unknown, place: string): Size {
  const { height, width } = fields(value, place, ["height", "width"]);
  return {
    height: integer(height, `${place}.height`, 32, 8192),
    width: integer(width, `${place}.width`, 32, 8192),
  };
}

function parseAugmentation(value: unknown, preset: Training["augmentation"]): Training["augmentation"] {
  const place = "training.augmentation";
  const { minScale, maxScale, flip } = fields(value ?? {}, place, ["minScale", "maxScale", "flip"], []);
  const parsed = {
    minScale: minScale === undefined ? preset.minScale : decimal(minScale, `${place}.minScale`),
    maxScale: maxScale === undefined ? preset.maxScale : decimal(maxScale, `${place}.maxScale`),
    flip: flip === undefined ? preset.flip : boolean(flip, `${place}.flip`),
  };
  if (parsed.minScale <= 0 || parsed.maxScale < parsed.minScale)
    throw new UserError(
      `${place}.minScale: ${parsed.minScale} to ${parsed.maxScale} is no range of scales above 0`,
    );
  return parsed;
}

function parseEncoder(value: unknown): Training["encoder"] {
  const place = "training.encoder";
  const { source, path, warmUpEpochs } = fields(value, place, ["source", "path", "warmUpEpochs"], ["source"]);
  switch (choice(source, `${place}.source`, ["Imported", "File", "WarmUp"])) {
    case "Imported":
      return { source: "Imported" };
    case "File":
      if (typeof path !== "string" || path === "")
        throw new UserError(`${place}.path: is missing, write the weights file`);
      return { source: "File", path };
    case "WarmUp":
      return {
        source: "WarmUp",
        warmUpEpochs: integer(warmUpEpochs ?? 5, `${place}.warmUpEpochs`, 1, 10_000),
      };
  }
}

function parseClassWeights(value: unknown): Training["classWeights"] {
  const place = "training.classWeights";
  const { type: written, weights } = fields(value, place, ["type", "weights"], ["type"]);
  const type = choice(written, `${place}.type`, ["None", "Balanced", "Given"]);
  if (type !== "Given") {
    if (weights !== undefined) throw new UserError(`${place}.weights: is for type Given only, leave it out`);
    return { type };
  }
  if (!Array.isArray(weights))
    throw new UserError(`${place}.weights: ${show(weights)} is not a list, write a weight for each class`);
  const numbers = weights.map((weight, i) => decimal(weight, `${place}.weights[${i}]`));
  if (!numbers.some((weight) => weight > 0))
    throw new UserError(`${place}.weights: are all 0, write one above 0`);
  return { type, weights: numbers };
}

const LEAST: Record<string, number> = { epochs: 0, batchSize: 2, views: 1 };

/** A stage's fields over the preset's: counts are whole numbers, reals decimal strings of 0 or more. */
function merge<S extends StageSettings>(value: unknown, preset: S, place: string): S {
  const given = fields(value ?? {}, place, Object.keys(preset), []);
  const merged = Object.entries(preset).map(([key, before]) => {
    const written = given[key];
    if (written === undefined) return [key, before];
    const at = `${place}.${key}`;
    if (key === "schedule") return [key, parseSchedule(written, at)];
    if (key === "batchSize" && written === 1)
      throw new UserError(
        `${at}: 1 gives global pooling's batch norm one value, which has no variance; write 2 or more`,
      );
    if (key in LEAST) return [key, integer(written, at, LEAST[key]!, 1e6)];
    const number = decimal(written, at);
    if (key === "polyakDecay" && number >= 1)
      throw new UserError(`${at}: ${number} is not allowed, write a decimal string below 1, like "0.99"`);
    return [key, number];
  });
  return Object.fromEntries(merged) as S;
}

function boolean(value: unknown, place: string): boolean {
  if (typeof value === "boolean") return value;
  throw new UserError(`${place}: ${show(value)} is not allowed, write true or false`);
}
