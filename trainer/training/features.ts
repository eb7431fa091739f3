// The encoder's outputs for fixed views of the training images: computed once, kept on disk, read for each batch
// of stage 0. Trials that share a cache folder share them: one makes them while the others wait.
import { createHash, randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Network } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { augment } from "../data/augment.ts";
import { type Split, spread } from "../data/sample.ts";
import { type Encoder, encoderHash } from "../model/encoder.ts";
import type { Model } from "../model/model.ts";
import { dispose, read } from "../tensorflow/runtime.ts";
import type { Training } from "./configuration.ts";
import { imageTensor } from "./input.ts";
import type { Session } from "./session.ts";
import { makeOnce } from "./shared.ts";

/** One record a view: the features of both nodes (float32), then the labels of the crop. */
export interface FeatureCache {
  records: number;
  /** Shapes of the two nodes: [height, width, channels]. */
  shapes: [number[], number[]];
  /** Reads records: features as [n, height, width, channels] numbers, labels [n, height, width] of the crop. */
  read(indices: number[]): Promise<{ features: [Float32Array, Float32Array]; label: Uint8Array }>;
  close(): Promise<void>;
}

/** Counts up: a change of what the file holds for one key must not meet an old file. */
const FORMAT = 2;

export interface FeatureSettings {
  split: Split;
  images: number;
  training: Training;
  encoder: Encoder;
  seed: number;
}

/** The cache's name: a hash of all that its numbers depend on. */
export async function featureKey({
  split,
  images,
  training,
  encoder,
  seed,
}: FeatureSettings): Promise<string> {
  const { crop, augmentation, stage0 } = training;
  const parts = {
    FORMAT,
    images,
    crop,
    augmentation,
    views: stage0.views,
    seed,
    encoder: encoderHash(encoder),
  };
  return createHash("sha256")
    .update(JSON.stringify(parts))
    .update(await split.hash())
    .digest("hex")
    .slice(0, 32);
}

/** Opens the cache in `folder`, after making it where it is not there. */
export async function openFeatures(
  folder: string,
  settings: FeatureSettings,
  model: Model,
  network: Network,
  session: Session,
): Promise<FeatureCache> {
  const path = join(folder, `features-${await featureKey(settings)}.bin`);
  await makeOnce(
    path,
    () => make(path, settings, model, network, session),
    () => session.advance(0),
  );
  return openCache(path, settings, network);
}

const nodeShape = (network: Network, node: number): number[] => {
  const { height, width, channels } = network.values[network.nodes[node]!]!;
  return [height, width, channels];
};
const sizeOf = (shape: number[]): number => shape.reduce((product, n) => product * n, 1);

async function make(
  path: string,
  { split, images, training, seed, encoder }: FeatureSettings,
  model: Model,
  network: Network,
  session: Session,
): Promise<void> {
  const partial = `${path}.${randomUUID()}.partial`;
  const file = await open(partial, "w");
  try {
    const { crop, augmentation, stage0 } = training;
    const total = images * stage0.views;
    const chosen = spread(split.names.length, images);
    for (let record = 0; record < total; record++) {
      const index = chosen[Math.floor(record / stage0.views)]!;
      const view = augment(await split.read(index), { crop, ...augmentation }, random(seed, "view", record));
      const image = imageTensor(view, 1, encoder);
      const nodes = model.evaluate(network, new Map([[0, image]]), network.nodes.slice(0, 2));
      for (const node of nodes) await file.appendFile(bytesOf(read(node)));
      await file.appendFile(view.label);
      dispose(image, ...nodes);
      await session.advance(1);
    }
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function openCache(path: string, settings: FeatureSettings, network: Network): Promise<FeatureCache> {
  const { images, training } = settings;
  const shapes: [number[], number[]] = [nodeShape(network, 0), nodeShape(network, 1)];
  const lengths = [...shapes.map((shape) => sizeOf(shape) * 4), training.crop.height * training.crop.width];
  const recordLength = lengths.reduce((sum, length) => sum + length, 0);
  const records = images * training.stage0.views;
  const file = await open(path, "r");
  const { size } = await file.stat();
  if (size !== records * recordLength) {
    await file.close();
    throw new Error(`${path} is ${size} bytes where ${records * recordLength} are expected: remove it`);
  }
  return {
    records,
    shapes,
    async read(indices) {
      const parts = lengths.map((length) => new Uint8Array(length * indices.length));
      await Promise.all(
        indices.map(async (record, i) => {
          const views = parts.map((part, p) => part.subarray(i * lengths[p]!, (i + 1) * lengths[p]!));
          const { bytesRead } = await file.readv(views, record * recordLength);
          if (bytesRead !== recordLength) throw new Error(`${path}: record ${record} ends early`);
        }),
      );
      const [first, second, label] = parts as [Uint8Array, Uint8Array, Uint8Array];
      return { features: [new Float32Array(first.buffer), new Float32Array(second.buffer)], label };
    },
    close: () => file.close(),
  };
}
