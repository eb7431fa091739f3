// The two stages of a trial: the decoder alone on the encoder's cached features, then everything end to end.
// Each epoch is one pass over shuffled batches; a last batch that is not full is dropped.
import type { Network } from "@segnas/searchspace/network.ts";
import { type Random, random } from "@segnas/searchspace/random.ts";
import { augment, batch, shuffledGroups } from "../data/augment.ts";
import type { Pixels, Split } from "../data/dataset.ts";
import { nearestTarget, type Target } from "../data/target.ts";
import type { Encoder } from "../model/encoder.ts";
import type { Model } from "../model/model.ts";
import type { Start } from "../model/network.ts";
import type { Side } from "../model/parameters.ts";
import { dispose, type Tensor, tensor } from "../tensorflow/runtime.ts";
import type { StageSettings, Training } from "./configuration.ts";
import type { FeatureCache } from "./features.ts";
import { imageTensor } from "./input.ts";
import { Optimizer, type OptimizerState } from "./optimizer.ts";
import type { Prepared } from "./prepared.ts";
import { rateFactor } from "./schedule.ts";
import type { Session } from "./session.ts";

/** A batch as a step takes it; `free` gives its tensors back. */
export interface Batch {
  start: Start;
  target: Target;
  size: number;
  free(): void;
}

/** Batches of one pass, in an order drawn from `random`. */
export type Batches = (random: Random, limit?: number) => AsyncGenerator<Batch>;

/** Loads the next item while the one before is in use. */
async function* ahead<T, U>(items: T[], load: (item: T) => Promise<U>): AsyncGenerator<U> {
  let next = items.length > 0 ? load(items[0]!) : undefined;
  for (let i = 0; next; i++) {
    const loaded = await next;
    const following = items[i + 1];
    next = following === undefined ? undefined : load(following);
    // A load that fails while another batch is in use is reported when its turn comes.
    next?.catch(() => {});
    yield loaded;
  }
}

/** What the loss asks: where labels meet logits, and what each class weighs. */
export interface LossSettings {
  loss: Training["loss"];
  classWeights: readonly number[] | undefined;
}

/** Where labels meet logits: at the logits' size (in stage 0: node 0's), or at the crop's. */
export function targetOf(
  { label, height, width }: Target,
  { loss, classWeights }: LossSettings,
  size: { height: number; width: number },
): Target {
  const target = { label, height, width, classWeights };
  return loss === "FullSize" ? target : nearestTarget(target, size.height, size.width);
}

/** Stage 0's batches: both nodes' features out of the cache. */
export function featureBatches(
  cache: FeatureCache,
  { network, trial: { training }, classWeights }: Prepared,
): Batches {
  const { crop, stage0 } = training;
  const node0 = network.values[network.nodes[0]!]!;
  return async function* (random, limit = Infinity) {
    const groups = shuffledGroups(cache.records, stage0.batchSize, random).slice(0, limit);
    for await (const { features, label } of ahead(groups, cache.read)) {
      const nodes = features.map((values, i) => tensor(values, [stage0.batchSize, ...cache.shapes[i]!]));
      yield {
        start: new Map(nodes.map((node, i) => [network.nodes[i]!, node])),
        target: targetOf({ label, ...crop }, { loss: training.loss, classWeights }, node0),
        size: stage0.batchSize,
        free: () => dispose(...nodes),
      };
    }
  };
}

/** Stage 1's batches: augmented crops of the training images. */
export function imageBatches(
  split: Split,
  network: Network,
  training: Training,
  encoder: Encoder,
  classWeights: readonly number[] | undefined,
): Batches {
  const { crop, augmentation, stage1, loss } = training;
  const logits = network.values[network.logits]!;
  return async function* (random, limit = Infinity) {
    const groups = shuffledGroups(split.names.length, stage1.batchSize, random).slice(0, limit);
    // Drawn in order, whatever the order in which files are read.
    const load = async (group: number[]): Promise<Pixels> => {
      const samples = await Promise.all(group.map((index) => split.read(index)));
      return batch(samples.map((sample) => augment(sample, { crop, ...augmentation }, random)));
    };
    for await (const pixels of ahead(groups, load)) {
      const image = imageTensor(pixels, stage1.batchSize, encoder);
      yield {
        start: new Map([[0, image]]),
        target: targetOf(pixels, { loss, classWeights }, logits),
        size: stage1.batchSize,
        free: () => dispose(image),
      };
    }
  };
}

/** An optimiser of one side's vector by a stage's settings; `steps` are those of an epoch. */
export function optimizerOf(
  vector: Tensor,
  stage: StageSettings,
  learningRate: number,
  steps: number,
  state?: OptimizerState,
): Optimizer {
  const factorAt = (step: number) => rateFactor(stage.schedule, step, stage.epochs, steps);
  return new Optimizer(vector, { ...stage, learningRate, factorAt }, state);
}

/** Optimisers for both sides, each with its own learning rate: fresh ones, or such that go on from `states`. */
export function stage1Optimizers(
  model: Model,
  stage1: Training["stage1"],
  steps: number,
  states: Partial<Record<Side, OptimizerState>> = {},
): Record<Side, Optimizer> {
  const optimizer = (side: Side, learningRate: number) =>
    optimizerOf(model.vector(side), stage1, learningRate, steps, states[side]);
  return {
    encoder: optimizer("encoder", stage1.encoderLearningRate),
    decoder: optimizer("decoder", stage1.decoderLearningRate),
  };
}

/**
 * One pass of training steps; with `copyAverages` the averaged weights take the place of the trained ones at its end.
 * Throws Untrainable or Interrupted.
 */
export async function trainEpoch(
  model: Model,
  network: Network,
  batches: AsyncGenerator<Batch>,
  optimizers: { encoder?: Optimizer; decoder: Optimizer },
  copyAverages: boolean,
  session: Session,
): Promise<void> {
  for await (const { start, target, size, free } of batches) {
    const loss = model.step(network, start, target, optimizers);
    free();
    await session.step(loss, size);
  }
  if (!copyAverages) return;
  for (const [side, { average }] of Object.entries(optimizers)) model.assign(side as Side, average);
}

/**
 * The averaged weights as a model of their own, with BN statistics that are the plain mean over `limit` batches
 * (those of the raw weights where that is 0): running statistics of other weights do not fit them.
 */
export async function averagedModel(
  model: Model,
  network: Network,
  optimizers: { encoder?: Optimizer; decoder: Optimizer },
  batches: Batches,
  limit: number,
  seed: number,
  session: Session,
): Promise<Model> {
  const { encoder, decoder } = optimizers;
  const averaged = model.copy({ decoder: decoder.average, ...(encoder && { encoder: encoder.average }) });
  let seen = 0;
  for (let pass = 0; seen < limit; pass++)
    for await (const { start, free } of batches(random(seed, "statistics", pass), limit - seen)) {
      averaged.observe(network, start, 1 / ++seen);
      free();
      await session.advance(0);
    }
  return averaged;
}
