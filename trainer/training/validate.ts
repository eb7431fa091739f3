// Validation: every held-out image whole (or its centre crop), at once or in tiles, predictions at the label's size,
// one confusion matrix over all.
import { expand, type Network } from "@segnas/searchspace/network.ts";
import { centreCrop, type Size } from "../data/augment.ts";
import type { Pixels, Split } from "../data/sample.ts";
import { cut, tilesOf } from "../data/tiles.ts";
import type { Encoder } from "../model/encoder.ts";
import type { Model } from "../model/model.ts";
import { argmaxChannels, resizeBilinear } from "../tensorflow/kernels.ts";
import { dispose, readInts, tidy } from "../tensorflow/runtime.ts";
import type { Artifacts } from "./artifacts.ts";
import type { TrialConfiguration } from "./configuration.ts";
import { imageTensor } from "./input.ts";
import { confusionMatrix, count, type Metrics, metricsOf } from "./metrics.ts";
import type { Session } from "./session.ts";

/** Expansions of one architecture by input size. */
export function expansions(
  { architecture, space }: TrialConfiguration,
  classes: number,
): (size: Size) => Network {
  const made = new Map<string, Network>();
  return ({ height, width }) => {
    const key = `${height}x${width}`;
    const network = made.get(key) ?? expand(architecture, { ...space, classes }, { height, width });
    made.set(key, network);
    return network;
  };
}

/**
 * The class of each pixel, [height, width]: logits brought to the image's size (bilinear), then the largest. With a
 * tile size the image is evaluated in such tiles, each as an image of its own.
 */
export function predict(
  model: Model,
  networkFor: (size: Size) => Network,
  image: Pixels,
  encoder: Encoder,
  tile: Size = image,
): Uint8Array {
  const { width } = image;
  const prediction = new Uint8Array(image.height * width);
  for (const { rows, columns } of tilesOf(image, tile)) {
    const part = cut(image, rows, columns);
    const classes = predictWhole(model, networkFor(part), part, encoder);
    for (let y = rows.countFrom; y < rows.countTo; y++) {
      const row = (y - rows.from) * part.width - columns.from;
      prediction.set(
        classes.subarray(row + columns.countFrom, row + columns.countTo),
        y * width + columns.countFrom,
      );
    }
  }
  return prediction;
}

function predictWhole(model: Model, network: Network, pixels: Pixels, encoder: Encoder): Int32Array {
  const image = imageTensor(pixels, 1, encoder);
  const [logits] = model.evaluate(network, new Map([[0, image]]), [network.logits]);
  const [classes] = tidy(() => [argmaxChannels(resizeBilinear(logits!, pixels.height, pixels.width))]);
  const prediction = readInts(classes!);
  dispose(image, logits!, classes!);
  return prediction;
}

/** What a model is judged on, and how. */
export interface Validation {
  split: Split;
  classes: number;
  encoder: Encoder;
  /** The middle of each image; undefined: all of it. */
  crop?: Size | undefined;
  /** In tiles of this size; undefined: at once. */
  tile?: Size | undefined;
}

/** Judges a model on a split. Evaluation mode throughout: the running statistics normalise. */
export async function validate(
  model: Model,
  networkFor: (size: Size) => Network,
  { split, classes, encoder, crop, tile }: Validation,
  artifacts: Artifacts,
  session: Session,
): Promise<Metrics> {
  const { epoch, epochs } = session.progress;
  session.enter("Validation", epoch, epochs, split.names.length);
  const matrix = confusionMatrix(classes);
  await artifacts.clear();
  for (const index of split.names.keys()) {
    const whole = await split.read(index);
    const sample = crop ? { name: whole.name, ...centreCrop(whole, crop) } : whole;
    const prediction = predict(model, networkFor, sample, encoder, tile);
    count(matrix, sample.label, prediction);
    await artifacts.prediction(index, sample, prediction);
    await session.advance(1);
  }
  const metrics = metricsOf(matrix);
  session.progress.meanIoU = metrics.meanIoU;
  return metrics;
}
