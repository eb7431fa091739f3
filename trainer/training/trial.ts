// One trial from its configuration to its result: data, encoder, stage 0, stage 1, validations, reward.
import { appendFile, mkdir, rm } from "node:fs/promises";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Network } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { type Dataset, openDataset } from "../data/dataset.ts";
import { ENCODER_SLOTS, type Encoder } from "../model/encoder.ts";
import { Model } from "../model/model.ts";
import { type Arrays, initialArrays, slotsOf } from "../model/parameters.ts";
import { writeSafetensors } from "../model/safetensors.ts";
import { Artifacts } from "./artifacts.ts";
import type { Training, TrialConfiguration } from "./configuration.ts";
import { obtainEncoder } from "./encoder.ts";
import { openFeatures } from "./features.ts";
import { type Place, passes } from "./gate.ts";
import { type Metrics, rewardOf } from "./metrics.ts";
import { Optimizer } from "./optimizer.ts";
import { type Session, Untrainable } from "./session.ts";
import { averagedModel, featureBatches, imageBatches, stage1Optimizers, trainEpoch } from "./stages.ts";
import { expansions, validate } from "./validate.ts";

export interface Slot extends Place {
  reward: number;
  meanIoU: number;
}

export interface TrialResult {
  reward: number;
  metrics: Pick<Metrics, "meanIoU" | "meanAccuracy" | "frequencyWeightedIoU">;
  slots: Slot[];
  /** Present where the gate ended the trial before the schedule's end. */
  stopped?: true;
  parameters: number;
  macs: number;
}

export interface Folders {
  /** Shared by trials. */
  cache: string;
  /** This trial's own; undefined: it leaves nothing behind. */
  artifacts: string | undefined;
}

/** A trial ready to train: what stages, validation and measurement work on. */
export interface Prepared {
  trial: TrialConfiguration;
  dataset: Dataset;
  encoder: Encoder;
  network: Network;
  model: Model;
}

/** Opens the data and the encoder and makes the first weights. Throws UserError for what a person must mend. */
export async function prepare(
  trial: TrialConfiguration,
  encoderFor: (dataset: Dataset) => Promise<Encoder>,
): Promise<Prepared> {
  const { training, searchSeed, seed } = trial;
  const dataset = await openDataset(trial.dataset, searchSeed);
  checkBatches(training, dataset);
  const encoder = await encoderFor(dataset);
  const network = expansions(trial, dataset.classes)(training.crop);
  const decoder = initialArrays(slotsOf(network, "decoder"), random(seed, "initial"));
  const model = Model.from(network, new Map([...encoder.arrays, ...decoder]), encoder.epsilon);
  return { trial, dataset, encoder, network, model };
}

/** So many images feed stage 0. */
export const stage0Images = (training: Training, dataset: Dataset): number =>
  Math.min(training.maxTrainingImages, dataset.training.names.length);

function checkBatches(training: Training, dataset: Dataset): void {
  const { stage0, stage1, encoder } = training;
  if (stage0.epochs + stage1.epochs === 0)
    throw new UserError(
      "training.stage0.epochs: 0 in both stages trains nothing, write 1 or more in one of them",
    );
  const check = (stage: string, epochs: number, size: number, samples: number) => {
    if (epochs > 0 && size > samples)
      throw new UserError(
        `training.${stage}.batchSize: ${size} is more than its ${samples} training samples, write at most ${samples}`,
      );
  };
  check("stage0", stage0.epochs, stage0.batchSize, stage0Images(training, dataset) * stage0.views);
  // A warm-up trains in stage 1's batches.
  const warmUpEpochs = encoder.source === "WarmUp" ? encoder.warmUpEpochs : 0;
  check("stage1", stage1.epochs + warmUpEpochs, stage1.batchSize, dataset.training.names.length);
}

/** Trains and judges one architecture. Throws UserError, Untrainable or Interrupted. */
export async function runTrial(
  trial: TrialConfiguration,
  folders: Folders,
  session: Session,
): Promise<TrialResult> {
  const prepared = await prepare(trial, (dataset) => obtainEncoder(trial, dataset, folders.cache, session));
  const { dataset, encoder, network } = prepared;
  const { training, seed, searchSeed, metric, gate } = trial;
  const { stage0, stage1 } = training;
  const artifacts = new Artifacts(folders.artifacts, dataset.classNames);
  const curve = artifacts.path("curve.jsonl");
  if (folders.artifacts) {
    await mkdir(folders.artifacts, { recursive: true });
    await rm(curve!, { force: true });
  }
  const networkFor = expansions(trial, dataset.classes);
  const slots: Slot[] = [];
  let metrics: Metrics | undefined;
  let stopped: boolean = false;

  /** Judges a model, notes it in its slot, and says whether the trial goes on. */
  const judge = async (model: Model, stage: 0 | 1, epoch: number) => {
    if (!model.isFinite())
      throw new Untrainable(
        "NonFiniteLoss",
        `the weights are not finite after stage ${stage}, epoch ${epoch}`,
      );
    const { validationCrop } = training;
    metrics = await validate(
      model,
      networkFor,
      dataset.heldOut,
      validationCrop,
      dataset.classes,
      encoder,
      artifacts,
      session,
    );
    const slot = { stage, epoch, reward: rewardOf(metrics, metric), meanIoU: metrics.meanIoU };
    slots.push(slot);
    if (curve)
      await appendFile(
        curve,
        `${JSON.stringify({ ...slot, loss: session.progress.loss, iou: metrics.iou })}\n`,
      );
    const last = stage1.epochs === (stage === 1 ? epoch : 0);
    stopped = !last && !passes(gate, slot);
    return !last && !stopped;
  };

  let { model } = prepared;
  let goesOn = true;
  if (stage0.epochs > 0) {
    const settings = {
      split: dataset.training,
      images: stage0Images(training, dataset),
      training,
      encoder,
      seed: searchSeed,
    };
    session.enter("Features", 0, 0, settings.images * stage0.views);
    const cache = await openFeatures(folders.cache, settings, model, network, session);
    const batches = featureBatches(cache, network, training);
    const decoder = new Optimizer(model.vector("decoder"), stage0);
    const steps = Math.floor(cache.records / stage0.batchSize);
    for (let epoch = 1; epoch <= stage0.epochs; epoch++) {
      session.enter(0, epoch, stage0.epochs, steps);
      await trainEpoch(model, network, batches(random(seed, "stage0", epoch)), { decoder }, session);
    }
    const averaged = await averagedModel(
      model,
      network,
      { decoder },
      batches,
      training.statisticsBatches,
      seed,
      session,
    );
    await cache.close();
    decoder.dispose();
    model.dispose();
    model = averaged;
    goesOn = await judge(model, 0, stage0.epochs);
  }
  if (goesOn) {
    const batches = imageBatches(dataset.training, network, training, encoder);
    const optimizers = stage1Optimizers(model, stage1);
    const steps = Math.floor(dataset.training.names.length / stage1.batchSize);
    for (let epoch = 1; goesOn; epoch++) {
      session.enter(1, epoch, stage1.epochs, steps);
      await trainEpoch(model, network, batches(random(seed, "stage1", epoch)), optimizers, session);
      const averaged = await averagedModel(
        model,
        network,
        optimizers,
        batches,
        training.statisticsBatches,
        seed,
        session,
      );
      goesOn = await judge(averaged, 1, epoch);
      if (goesOn) averaged.dispose();
      else {
        model.dispose();
        model = averaged;
      }
    }
    optimizers.encoder.dispose();
    optimizers.decoder.dispose();
  }
  const weights = artifacts.path("weights.safetensors");
  if (weights) await writeWeights(weights, model, prepared);
  model.dispose();
  const { meanIoU, meanAccuracy, frequencyWeightedIoU } = metrics!;
  return {
    reward: slots.at(-1)!.reward,
    metrics: { meanIoU, meanAccuracy, frequencyWeightedIoU },
    slots,
    ...(stopped ? { stopped } : {}),
    parameters: countParameters(network).total,
    macs: countMacs(network).total,
  };
}

/** The judged weights with all that is needed to use them again. */
async function writeWeights(
  path: string,
  model: Model,
  { trial, dataset, encoder, network }: Prepared,
): Promise<void> {
  const arrays: Arrays = model.arrays();
  const slots = [...ENCODER_SLOTS, ...slotsOf(network, "decoder")];
  await writeSafetensors(path, {
    metadata: {
      architecture: JSON.stringify(trial.architecture),
      settings: JSON.stringify(network.settings),
      classNames: JSON.stringify(dataset.classNames),
      epsilon: `${encoder.epsilon}`,
      mean: `${encoder.mean}`,
      deviation: `${encoder.deviation}`,
    },
    tensors: new Map(slots.map(({ name, shape }) => [name, { shape, values: arrays.get(name)! }])),
  });
}
