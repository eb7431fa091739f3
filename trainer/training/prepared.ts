// A trial made ready: its data, encoder and first weights, and whether its settings fit them.
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Network } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { resizeTo } from "../data/augment.ts";
import { type Dataset, openDataset, type Split } from "../data/dataset.ts";
import type { Encoder } from "../model/encoder.ts";
import { Model } from "../model/model.ts";
import { initialArrays, slotsOf } from "../model/parameters.ts";
import type { Training, TrialConfiguration } from "./configuration.ts";
import { encoderAtHand, obtainEncoder } from "./encoder.ts";
import type { Session } from "./session.ts";
import { expansions } from "./validate.ts";
import { checkClassWeights, obtainClassWeights } from "./weights.ts";

/** A trial ready to train: what stages, validation and measurement work on. */
export interface Prepared {
  trial: TrialConfiguration;
  dataset: Dataset;
  encoder: Encoder;
  network: Network;
  model: Model;
  /** Of each class in the loss; undefined: all weigh 1. */
  classWeights: readonly number[] | undefined;
}

/** Where trials keep what they share, and who is told of making it. */
export interface Sharing {
  cache: string;
  session: Session;
}

/**
 * Opens the data and the encoder and makes the first weights. Without `sharing` nothing is trained or counted for
 * it: enough to check and to measure with. Throws UserError for what a person must mend.
 */
export async function prepare(trial: TrialConfiguration, sharing?: Sharing): Promise<Prepared> {
  const { training, searchSeed, seed } = trial;
  const dataset = resized(await openDataset(trial.dataset, searchSeed), training.longerSide);
  checkBatches(training, dataset);
  checkClassWeights(training, dataset);
  const classWeights = sharing && (await obtainClassWeights(training, dataset, sharing));
  const encoder = sharing
    ? await obtainEncoder(trial, dataset, classWeights, sharing)
    : await encoderAtHand(trial);
  const network = expansions(trial, dataset.classes)(training.crop);
  const decoder = initialArrays(slotsOf(network, "decoder"), random(seed, "initial"));
  const model = Model.from(network, new Map([...encoder.arrays, ...decoder]), encoder.epsilon);
  return { trial, dataset, encoder, network, model, classWeights };
}

/** The data set with images and labels of this longer side. */
function resized(dataset: Dataset, longerSide: number | undefined): Dataset {
  if (longerSide === undefined) return dataset;
  const of = (split: Split): Split => ({
    names: split.names,
    async read(index) {
      const sample = await split.read(index);
      return { name: sample.name, ...resizeTo(sample, longerSide) };
    },
    hash: async () => `${await split.hash()} ${longerSide}`,
  });
  return { ...dataset, training: of(dataset.training), heldOut: of(dataset.heldOut) };
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
