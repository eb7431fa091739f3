// Validation: every held-out image whole (or its centre crop), predictions at the label's size, one confusion
// matrix over all.
import { expand, type Network } from "@segnas/searchspace/network.ts";
import { centreCrop, type Size } from "../data/augment.ts";
import type { Sample, Split } from "../data/dataset.ts";
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

/** The class of each pixel, [height, width]: logits brought to the image's size (bilinear), then the largest. */
export function predict(model: Model, network: Network, sample: Sample, encoder: Encoder): Uint8Array {
  const image = imageTensor(sample, 1, encoder);
  const [logits] = model.evaluate(network, new Map([[0, image]]), [network.logits]);
  const [classes] = tidy(() => [argmaxChannels(resizeBilinear(logits!, sample.height, sample.width))]);
  const prediction = Uint8Array.from(readInts(classes!));
  dispose(image, logits!, classes!);
  return prediction;
}

export async function validate(
  model: Model,
  networkFor: (size: Size) => Network,
  split: Split,
  crop: Size | undefined,
  classes: number,
  encoder: Encoder,
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
    const prediction = predict(model, networkFor(sample), sample, encoder);
    count(matrix, sample.label, prediction);
    await artifacts.prediction(index, sample, prediction);
    await session.advance(1);
  }
  const metrics = metricsOf(matrix);
  session.progress.meanIoU = metrics.meanIoU;
  return metrics;
}
