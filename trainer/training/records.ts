// What a feature cache is made of: a record for each view of an image, and how it is computed.
import type { Network } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { augment } from "../data/augment.ts";
import { type Split, spread } from "../data/sample.ts";
import type { Encoder } from "../model/encoder.ts";
import type { Model } from "../model/model.ts";
import { dispose, read } from "../tensorflow/runtime.ts";
import type { Training } from "./configuration.ts";
import { imageTensor } from "./input.ts";

export interface FeatureSettings {
  split: Split;
  images: number;
  training: Training;
  encoder: Encoder;
  seed: number;
}

/** A record's parts as bytes: both nodes' features, and labels. */
export type Parts = [Uint8Array, Uint8Array, Uint8Array];

/** The records of a cache: their shapes, and how each is computed. */
export class Records {
  readonly count: number;
  readonly shapes: [number[], number[]];
  /** Bytes of each part. */
  readonly lengths: number[];
  readonly #settings: FeatureSettings;
  readonly #model: Model;
  readonly #network: Network;
  readonly #chosen: number[];

  constructor(settings: FeatureSettings, model: Model, network: Network) {
    const { split, images, training } = settings;
    const shape = (node: number) => {
      const { height, width, channels } = network.values[network.nodes[node]!]!;
      return [height, width, channels];
    };
    this.#settings = settings;
    this.#model = model;
    this.#network = network;
    this.#chosen = spread(split.names.length, images);
    this.count = images * training.stage0.views;
    this.shapes = [shape(0), shape(1)];
    const sizes = this.shapes.map((shape) => 4 * shape.reduce((product, n) => product * n, 1));
    this.lengths = [...sizes, training.crop.height * training.crop.width];
  }

  /** Computes one record into `parts`. */
  async compute(record: number, parts: Parts): Promise<void> {
    const { split, training, seed, encoder } = this.#settings;
    const { crop, augmentation, stage0 } = training;
    const index = this.#chosen[Math.floor(record / stage0.views)]!;
    const view = augment(await split.read(index), { crop, ...augmentation }, random(seed, "view", record));
    const image = imageTensor(view, 1, encoder);
    const nodes = this.#model.evaluate(this.#network, new Map([[0, image]]), this.#network.nodes.slice(0, 2));
    for (const [p, bytes] of [...nodes.map((node) => bytesOf(read(node))), view.label].entries())
      parts[p]!.set(bytes);
    dispose(image, ...nodes);
  }

  /** Several records, part by part in one array each; `fill` writes one record's parts where it is told. */
  async gather(indices: number[], fill: (record: number, parts: Parts) => Promise<void>) {
    const joined = this.lengths.map((length) => new Uint8Array(length * indices.length)) as Parts;
    const placeOf = (i: number) =>
      joined.map((part, p) => part.subarray(i * this.lengths[p]!, (i + 1) * this.lengths[p]!)) as Parts;
    await Promise.all(indices.map((record, i) => fill(record, placeOf(i))));
    const [first, second, label] = joined;
    const features: [Float32Array, Float32Array] = [
      new Float32Array(first.buffer),
      new Float32Array(second.buffer),
    ];
    return { features, label };
  }
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
