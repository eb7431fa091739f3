// What a trial will cost, from a few real steps: `segnas plan` asks before a search starts.
import { setImmediate } from "node:timers/promises";
import { random } from "@segnas/searchspace/random.ts";
import { augment, batch } from "../data/augment.ts";
import type { Model } from "../model/model.ts";
import { dispose } from "../tensorflow/runtime.ts";
import type { TrialConfiguration } from "./configuration.ts";
import { imageTensor } from "./input.ts";
import { type Prepared, prepare, stage0Images } from "./prepared.ts";
import { imageBatches, optimizerOf, stage1Optimizers, targetOf } from "./stages.ts";
import { expansions, predict } from "./validate.ts";

export interface Measurement {
  trainingImages: number;
  heldOutImages: number;
  /** Where the encoder's weights are from. */
  encoder: string;
  secondsPerTrial: number;
  /** Making the feature cache, after a warm-up if there is one: once for all trials that share them. */
  secondsForFeatures: number;
  /** The largest resident memory. */
  residentBytes: number;
}

/** Steps timed, after one that warms up. */
const STEPS = 2;

/** Seconds of one call, after a first that is not counted. */
async function timed(work: () => Promise<void> | void): Promise<number> {
  await work();
  const start = performance.now();
  for (let i = 0; i < STEPS; i++) {
    await work();
    await setImmediate();
  }
  return (performance.now() - start) / 1000 / STEPS;
}

export async function measure(trial: TrialConfiguration): Promise<Measurement> {
  const prepared = await prepare(trial);
  const { dataset, encoder, model } = prepared;
  const { training } = trial;
  const { stage0, stage1 } = training;
  const networkFor = expansions(trial, dataset.classes);
  const sample = await dataset.heldOut.read(0);
  const validation =
    (await timed(() => void predict(model, networkFor, sample, encoder, training.validationTile))) *
    dataset.heldOut.names.length;
  const images = stage0Images(training, dataset);
  let [shared, perTrial] = [0, 0];
  if (stage0.epochs > 0) {
    const views = images * stage0.views;
    const found = await measureStage0(prepared, model);
    shared = views * found.view;
    perTrial +=
      (stage0.epochs * Math.floor(views / stage0.batchSize) + training.statisticsBatches / 3) * found.step +
      validation;
  }
  const warmUpEpochs = training.encoder.source === "WarmUp" ? training.encoder.warmUpEpochs : 0;
  if (stage1.epochs + warmUpEpochs > 0) {
    const step = await measureStage1(prepared, model);
    const steps = Math.floor(dataset.training.names.length / stage1.batchSize);
    // Without the backward pass a batch of statistics costs about a third of a step.
    perTrial += stage1.epochs * ((steps + training.statisticsBatches / 3) * step + validation);
    shared += warmUpEpochs * steps * step;
  }
  const peak = process.resourceUsage().maxRSS * 1024;
  model.dispose();
  return {
    trainingImages: dataset.training.names.length,
    heldOutImages: dataset.heldOut.names.length,
    encoder: encoder.source,
    secondsPerTrial: perTrial,
    secondsForFeatures: shared,
    residentBytes: peak,
  };
}

async function measureStage0({ trial, dataset, encoder, network, classWeights }: Prepared, model: Model) {
  const { crop, augmentation, stage0 } = trial.training;
  const view = async (i: number) =>
    augment(
      await dataset.training.read(i % dataset.training.names.length),
      { crop, ...augmentation },
      random(0, "measure", i),
    );
  const encode = async () => {
    const image = imageTensor(await view(0), 1, encoder);
    dispose(image, ...model.evaluate(network, new Map([[0, image]]), network.nodes.slice(0, 2)));
  };
  const seconds = await timed(encode);
  const views = batch(await Promise.all(Array.from({ length: stage0.batchSize }, (_, i) => view(i))));
  const image = imageTensor(views, stage0.batchSize, encoder);
  const nodes = model.evaluate(network, new Map([[0, image]]), network.nodes.slice(0, 2));
  const start = new Map(nodes.map((node, i) => [network.nodes[i]!, node]));
  const node0 = network.values[network.nodes[0]!]!;
  const target = targetOf(views, { loss: trial.training.loss, classWeights }, node0);
  const decoder = optimizerOf(model.vector("decoder"), stage0, stage0.learningRate, STEPS);
  const step = await timed(() => void model.step(network, start, target, { decoder }));
  decoder.dispose();
  dispose(image, ...nodes);
  return { view: seconds, step };
}

async function measureStage1(
  { trial, dataset, encoder, network, classWeights }: Prepared,
  model: Model,
): Promise<number> {
  const batches = imageBatches(dataset.training, network, trial.training, encoder, classWeights);
  const optimizers = stage1Optimizers(model, trial.training.stage1, STEPS);
  const step = await timed(async () => {
    for await (const { start, target, free } of batches(random(0, "measure"), 1)) {
      model.step(network, start, target, optimizers);
      free();
    }
  });
  optimizers.encoder.dispose();
  optimizers.decoder.dispose();
  return step;
}
