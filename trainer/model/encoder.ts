// The encoder's weights file: parameters, statistics, and what belongs to them — how an image is scaled for it
// and BN's epsilon. Made by an import (keras.ts) or by a warm-up.
import { createHash } from "node:crypto";
import { PUBLISHED, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { expand, type Network } from "@segnas/searchspace/network.ts";
import { type Arrays, BN_EPSILON, slotsOf } from "./parameters.ts";
import { readSafetensors, type WeightsFile, writeSafetensors } from "./safetensors.ts";

export interface Encoder {
  arrays: Arrays;
  /** BN's epsilon that the weights were trained with. */
  epsilon: number;
  /** The network's input is (x - mean) / deviation for x in 0 to 255, RGB. */
  mean: number;
  deviation: number;
  /** Where the weights are from, for people. */
  source: string;
}

/** What an encoder that starts from nothing uses. */
export const SCRATCH = { epsilon: BN_EPSILON, mean: 127.5, deviation: 127.5 };

/** Any network will do: the encoder's layers are the same in all. */
const anyNetwork: Network = expand(
  parseArchitecture(PUBLISHED.arch0),
  { classes: 2, aggregateChannels: 1, separableRepeats: 1 },
  { height: 32, width: 32 },
);
export const ENCODER_SLOTS = slotsOf(anyNetwork, "encoder");

export async function writeEncoder(path: string, encoder: Encoder): Promise<void> {
  const { arrays, epsilon, mean, deviation, source } = encoder;
  const tensors = new Map(
    ENCODER_SLOTS.map(({ name, shape }) => [name, { shape, values: arrays.get(name)! }]),
  );
  const metadata = { epsilon: `${epsilon}`, mean: `${mean}`, deviation: `${deviation}`, source };
  await writeSafetensors(path, { metadata, tensors });
}

/** Throws UserError naming the file and what it lacks. */
export async function readEncoder(path: string): Promise<Encoder> {
  return encoderOf(await readSafetensors(path), path);
}

function encoderOf({ metadata, tensors }: WeightsFile, path: string): Encoder {
  const arrays: Arrays = new Map();
  for (const { name, shape } of ENCODER_SLOTS) {
    const found = tensors.get(name);
    if (!found)
      throw new UserError(`${path}: ${name} is missing; make the file with \`segnas encoder import\``);
    if (`${found.shape}` !== `${shape}`)
      throw new UserError(`${path}: ${name} is [${found.shape}] where the encoder needs [${shape}]`);
    arrays.set(name, found.values);
  }
  const number = (key: "epsilon" | "mean" | "deviation") => {
    const value = Number(metadata[key] ?? SCRATCH[key]);
    if (!Number.isFinite(value)) throw new UserError(`${path}: its metadata's ${key} is not a number`);
    return value;
  };
  return {
    arrays,
    epsilon: number("epsilon"),
    mean: number("mean"),
    deviation: number("deviation"),
    source: metadata.source ?? path,
  };
}

/** SHA-256, in hex, of all that the encoder's features depend on beside the image. */
export function encoderHash({ arrays, epsilon, mean, deviation }: Encoder): string {
  const hash = createHash("sha256").update(JSON.stringify({ epsilon, mean, deviation }));
  for (const { name } of ENCODER_SLOTS) {
    const values = arrays.get(name)!;
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
