// Where a trial's encoder comes from: the imported file, a file of the person's own, or a warm-up that the trials
// of a search share through the cache folder.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PUBLISHED, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import type { Dataset } from "../data/dataset.ts";
import { ENCODER_SLOTS, type Encoder, readEncoder, SCRATCH, writeEncoder } from "../model/encoder.ts";
import { Model } from "../model/model.ts";
import { initialArrays, slotsOf } from "../model/parameters.ts";
import type { TrialConfiguration } from "./configuration.ts";
import type { Sharing } from "./prepared.ts";
import type { Session } from "./session.ts";
import { sharedValue } from "./shared.ts";
import { imageBatches, stage1Optimizers, trainEpoch } from "./stages.ts";

/** The file that set-up imports; SEGNAS_ENCODER names another place (in an image, say). */
const IMPORTED = fileURLToPath(new URL("../../.setup/encoder.safetensors", import.meta.url));

/** The encoder that the trial asks for. Throws UserError where its file is missing or does not fit. */
export async function obtainEncoder(
  trial: TrialConfiguration,
  dataset: Dataset,
  classWeights: readonly number[] | undefined,
  { cache, session }: Sharing,
): Promise<Encoder> {
  const { encoder } = trial.training;
  if (encoder.source !== "WarmUp") return encoderAtHand(trial);
  return warmedUp(trial, dataset, classWeights, cache, encoder.warmUpEpochs, session);
}

/** The same without training: a warm-up gives what it would start from, enough to check and to measure with. */
export async function encoderAtHand({ training, searchSeed }: TrialConfiguration): Promise<Encoder> {
  const { encoder } = training;
  if (encoder.source === "File") return readEncoder(encoder.path);
  if (encoder.source === "WarmUp") {
    const arrays = initialArrays(ENCODER_SLOTS, random(searchSeed, "warm-up"));
    return { ...SCRATCH, arrays, source: `${encoder.warmUpEpochs} epochs of warm-up` };
  }
  return readEncoder(process.env.SEGNAS_ENCODER ?? IMPORTED).catch((error) => {
    throw new UserError(
      `${error.message} (training.encoder.source Imported needs it: run \`npm run setup\`, or write WarmUp or File)`,
    );
  });
}

/** Trains the encoder end to end under arch0's decoder, once for all trials of a search. */
async function warmedUp(
  trial: TrialConfiguration,
  dataset: Dataset,
  classWeights: readonly number[] | undefined,
  cache: string,
  epochs: number,
  session: Session,
): Promise<Encoder> {
  const { crop, augmentation, stage1, loss, copyAverages } = trial.training;
  const key = createHash("sha256")
    .update(
      JSON.stringify({
        epochs,
        crop,
        augmentation,
        stage1,
        loss,
        classWeights,
        copyAverages,
        space: trial.space,
        classes: dataset.classes,
        seed: trial.searchSeed,
      }),
    )
    .update(await dataset.training.hash())
    .digest("hex")
    .slice(0, 32);
  const path = join(cache, `encoder-${key}.safetensors`);
  return sharedValue(
    path,
    () => readEncoder(path).catch(() => undefined),
    () => warmUp(trial, dataset, classWeights, epochs, session),
    (encoder) => writeEncoder(path, encoder),
    session,
  );
}

async function warmUp(
  trial: TrialConfiguration,
  dataset: Dataset,
  classWeights: readonly number[] | undefined,
  epochs: number,
  session: Session,
): Promise<Encoder> {
  const { training, searchSeed, space } = trial;
  const stage1 = { ...training.stage1, epochs };
  const steps = Math.floor(dataset.training.names.length / stage1.batchSize);
  const network = expand(
    parseArchitecture(PUBLISHED.arch0),
    { ...space, classes: dataset.classes },
    training.crop,
  );
  const slots = [...slotsOf(network, "encoder"), ...slotsOf(network, "decoder")];
  const model = Model.from(network, initialArrays(slots, random(searchSeed, "warm-up")), SCRATCH.epsilon);
  // Both parts start from nothing: both learn at the decoder's rate.
  const both = { ...stage1, encoderLearningRate: stage1.decoderLearningRate };
  const optimizers = stage1Optimizers(model, both, steps);
  const encoder = { ...SCRATCH, arrays: new Map(), source: `${epochs} epochs of warm-up` };
  const batches = imageBatches(dataset.training, network, training, encoder, classWeights);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    session.enter("WarmUp", epoch, epochs, steps);
    const stream = random(searchSeed, "warm-up", epoch);
    await trainEpoch(model, network, batches(stream), optimizers, training.copyAverages, session);
  }
  const all = model.arrays();
  const arrays = new Map(ENCODER_SLOTS.map(({ name }) => [name, all.get(name)!]));
  model.dispose();
  optimizers.encoder.dispose();
  optimizers.decoder.dispose();
  return { ...encoder, arrays };
}
