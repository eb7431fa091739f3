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
import { type Gate, parseGate } from "./gate.ts";
import type { RewardMetric } from "./metrics.ts";

export interface StageSettings {
  epochs: number;
  batchSize: number;
  weightDecay: number;
  polyakDecay: number;
  gradientClip: number;
}

export interface Training {
  crop: Size;
  /** Undefined: whole images. */
  validationCrop: Size | undefined;
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
export const PRESETS: Record<string, Training> = {
  paper: {
    crop: { height: 321, width: 321 },
    validationCrop: undefined,
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
    },
    stage1: {
      epochs: 5,
      batchSize: 16,
      encoderLearningRate: 5e-4,
      decoderLearningRate: 2e-3,
      weightDecay: 1e-5,
      polyakDecay: 0.99,
      gradientClip: 3,
    },
    loss: "LogitsSize",
    statisticsBatches: 50,
    timeLimitSeconds: undefined,
  },
};

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
    "crop",
    "validationCrop",
    "maxTrainingImages",
    "augmentation",
    "encoder",
    "stage0",
    "stage1",
    "loss",
    "statisticsBatches",
    "timeLimitSeconds",
  ] as const;
  const given = fields(value, "training", names, []);
  const preset = PRESETS[choice(given.preset ?? "paper", "training.preset", Object.keys(PRESETS))]!;
  const whole = (key: "maxTrainingImages" | "statisticsBatches", from: number) =>
    given[key] === undefined ? preset[key] : integer(given[key], `training.${key}`, from, 1e9);
  return {
    crop: given.crop === undefined ? preset.crop : parseSize(given.crop, "training.crop"),
    validationCrop:
      given.validationCrop === undefined
        ? preset.validationCrop
        : parseSize(given.validationCrop, "training.validationCrop"),
    maxTrainingImages: whole("maxTrainingImages", 1),
    augmentation: parseAugmentation(given.augmentation, preset.augmentation),
    encoder: given.encoder === undefined ? preset.encoder : parseEncoder(given.encoder),
    stage0: merge(given.stage0, preset.stage0, "training.stage0"),
    stage1: merge(given.stage1, preset.stage1, "training.stage1"),
    loss: choice(given.loss ?? preset.loss, "training.loss", ["LogitsSize", "FullSize"]),
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

const LEAST: Record<string, number> = { epochs: 0, batchSize: 2, views: 1 };

/** A stage's numbers over the preset's: counts are whole numbers, the rest decimal strings of 0 or more. */
function merge<S extends StageSettings>(value: unknown, preset: S, place: string): S {
  const given = fields(value ?? {}, place, Object.keys(preset), []);
  const merged = Object.entries(preset).map(([key, before]) => {
    const written = given[key];
    if (written === undefined) return [key, before];
    const at = `${place}.${key}`;
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

function decimal(value: unknown, place: string): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  if (!Number.isFinite(number) || number < 0)
    throw new UserError(
      `${place}: ${show(value)} is not allowed, write a decimal string of 0 or more, like "0.01"`,
    );
  return number;
}
