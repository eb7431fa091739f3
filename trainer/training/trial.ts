// One trial from its configuration to its result: data, encoder, stage 0, stage 1, validations, reward.
import { join } from "node:path";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { random } from "@segnas/searchspace/random.ts";
import { ENCODER_SLOTS } from "../model/encoder.ts";
import { Model } from "../model/model.ts";
import { type Arrays, slotsOf } from "../model/parameters.ts";
import { writeSafetensors } from "../model/safetensors.ts";
import { Artifacts, type CurvePoint } from "./artifacts.ts";
import { Checkpoints } from "./checkpoint.ts";
import type { TrialConfiguration } from "./configuration.ts";
import { openFeatures } from "./features.ts";
import { type Place, passes } from "./gate.ts";
import { type Metrics, rewardOf } from "./metrics.ts";
import type { Optimizer } from "./optimizer.ts";
import { type Prepared, prepare, stage0Images } from "./prepared.ts";
import { type Session, Untrainable } from "./session.ts";
import {
  averagedModel,
  type Batches,
  featureBatches,
  imageBatches,
  optimizerOf,
  stage1Optimizers,
  trainEpoch,
} from "./stages.ts";
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

/** What the trainer is given beside the trial. */
export interface Surroundings {
  /** A folder that trials share. */
  cache: string;
  /** This trial's own folder; undefined: it leaves nothing behind. */
  artifacts: string | undefined;
  /** Checkpoints lie at least so far apart. */
  checkpointSeconds: number;
}

/**
 * Trains and judges one architecture, from the start or from its last checkpoint. Throws UserError, Untrainable,
 * Interrupted, or Unwritable.
 */
export async function runTrial(
  trial: TrialConfiguration,
  surroundings: Surroundings,
  session: Session,
): Promise<TrialResult> {
  const prepared = await prepare(trial, { cache: surroundings.cache, session });
  const { dataset, encoder, network, classWeights } = prepared;
  const { training, seed, searchSeed, metric, gate } = trial;
  const { stage0, stage1, copyAverages, statisticsBatches } = training;
  const artifacts = new Artifacts(surroundings.artifacts, dataset.classNames);
  const checkpoints = new Checkpoints(artifacts, prepared, surroundings.checkpointSeconds, session);
  const networkFor = expansions(trial, dataset.classes);
  const validation = {
    split: dataset.heldOut,
    classes: dataset.classes,
    encoder,
    crop: training.validationCrop,
    tile: training.validationTile,
  };
  let { model } = prepared;

  const saved = await checkpoints.read();
  if (saved) {
    session.onNote("info", `goes on from the checkpoint after stage ${saved.stage}, epoch ${saved.epoch}`);
    session.resume(saved);
    model.dispose();
    model = Model.from(network, saved.arrays, encoder.epsilon);
  }
  await artifacts.begin(saved?.curve ?? []);
  const slots: Slot[] = saved?.curve.map(slotOf) ?? [];
  let metrics: Metrics | undefined;
  let stopped: boolean = false;

  /** Judges a model, notes it in the curve, and says whether the trial goes on. */
  const judge = async (model: Model, stage: 0 | 1, epoch: number) => {
    if (!model.isFinite())
      throw new Untrainable(
        "NonFiniteLoss",
        `the weights are not finite after stage ${stage}, epoch ${epoch}`,
      );
    metrics = await validate(model, networkFor, validation, artifacts, session);
    const { meanIoU, iou } = metrics;
    const point = {
      stage,
      epoch,
      reward: rewardOf(metrics, metric),
      meanIoU,
      loss: session.progress.loss,
      iou,
    };
    slots.push(slotOf(point));
    await artifacts.addPoint(point);
    const last = stage1.epochs === (stage === 1 ? epoch : 0);
    stopped = !last && !passes(gate, point);
    return !last && !stopped;
  };

  const averaged = (optimizers: { encoder?: Optimizer; decoder: Optimizer }, batches: Batches) =>
    averagedModel(model, network, optimizers, batches, statisticsBatches, seed, session);

  let goesOn = true;
  if (stage0.epochs > 0 && saved?.stage !== 1) {
    const settings = {
      split: dataset.training,
      images: stage0Images(training, dataset),
      training,
      encoder,
      seed: searchSeed,
    };
    session.enter("Features", 0, 0, settings.images * stage0.views);
    const cache = await openFeatures(surroundings.cache, settings, model, network, session);
    const steps = Math.floor(cache.records / stage0.batchSize);
    const state = saved?.optimizers.decoder;
    const optimizers = {
      decoder: optimizerOf(model.vector("decoder"), stage0, stage0.learningRate, steps, state),
    };
    try {
      const batches = featureBatches(cache, prepared);
      for (let epoch = 1 + (saved?.epoch ?? 0); epoch <= stage0.epochs; epoch++) {
        session.enter(0, epoch, stage0.epochs, steps);
        const stream = random(seed, "stage0", epoch);
        await trainEpoch(model, network, batches(stream), optimizers, copyAverages, session);
        await checkpoints.write({ stage: 0, epoch }, model, optimizers, slots.length);
      }
      const judged = await averaged(optimizers, batches);
      model.dispose();
      model = judged;
    } finally {
      optimizers.decoder.dispose();
      await cache.close();
    }
    goesOn = await judge(model, 0, stage0.epochs);
  }
  if (goesOn) {
    const resumed = saved?.stage === 1 ? saved : undefined;
    const batches = imageBatches(dataset.training, network, training, encoder, classWeights);
    const steps = Math.floor(dataset.training.names.length / stage1.batchSize);
    const optimizers = stage1Optimizers(model, stage1, steps, resumed?.optimizers);
    for (let epoch = resumed?.epoch ?? 1; goesOn; epoch++) {
      if (epoch !== resumed?.epoch) {
        session.enter(1, epoch, stage1.epochs, steps);
        const stream = random(seed, "stage1", epoch);
        await trainEpoch(model, network, batches(stream), optimizers, copyAverages, session);
        await checkpoints.write({ stage: 1, epoch }, model, optimizers, slots.length);
      }
      const judged = await averaged(optimizers, batches);
      goesOn = await judge(judged, 1, epoch);
      if (goesOn) judged.dispose();
      else {
        model.dispose();
        model = judged;
      }
    }
    optimizers.encoder.dispose();
    optimizers.decoder.dispose();
  }
  await artifacts.keep((folder) => writeWeights(join(folder, "weights.safetensors"), model, prepared));
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

const slotOf = ({ stage, epoch, reward, meanIoU }: CurvePoint): Slot => ({ stage, epoch, reward, meanIoU });

/** The judged weights with all that is needed to use them again. */
async function writeWeights(
  path: string,
  model: Model,
  { trial, dataset, encoder, network }: Prepared,
): Promise<void> {
  const arrays: Arrays = model.arrays();
  const { longerSide } = trial.training;
  const slots = [...ENCODER_SLOTS, ...slotsOf(network, "decoder")];
  await writeSafetensors(path, {
    metadata: {
      architecture: JSON.stringify(trial.architecture),
      settings: JSON.stringify(network.settings),
      classNames: JSON.stringify(dataset.classNames),
      epsilon: `${encoder.epsilon}`,
      mean: `${encoder.mean}`,
      deviation: `${encoder.deviation}`,
      ...(longerSide !== undefined && { longerSide: `${longerSide}` }),
    },
    tensors: new Map(slots.map(({ name, shape }) => [name, { shape, values: arrays.get(name)! }])),
  });
}
