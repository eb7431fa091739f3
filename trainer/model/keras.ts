// Imports the encoder out of a Keras MobileNetV2 of width 1.0 (Conv1 to block_5): from the npm package nsfwjs,
// which carries one, from Keras's own .h5, from a tfjs `model.json` with its shards, or from a safetensors file
// with Keras's names (or ours).
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { ENCODER_SLOTS, type Encoder, readEncoder } from "./encoder.ts";
import { readHdf5 } from "./hdf5.ts";
import type { Arrays, Slot } from "./parameters.ts";
import { type NamedTensor, readSafetensors } from "./safetensors.ts";

/** Keras trains MobileNetV2 with this BN epsilon, on inputs in [-1, 1]. */
const KERAS = { epsilon: 1e-3, mean: 127.5, deviation: 127.5 };

interface ManifestGroup {
  paths: string[];
  weights: { name: string; shape: number[]; dtype: string; quantization?: Quantization }[];
}
interface Quantization {
  dtype: string;
  min: number;
  scale: number;
}

/** Our blocks by stage and place, in Keras's counting. */
const BLOCKS: Record<string, string> = {
  "encoder.0.0": "expanded_conv",
  "encoder.1.0": "block_1",
  "encoder.1.1": "block_2",
  "encoder.2.0": "block_3",
  "encoder.2.1": "block_4",
  "encoder.2.2": "block_5",
};
const ROLES = {
  weight: "kernel",
  gamma: "gamma",
  beta: "beta",
  mean: "moving_mean",
  variance: "moving_variance",
};

/** Keras's name for one of our arrays; undefined for the redundant expand, which Keras does not have. */
function kerasName({ layer, role }: Slot): string | undefined {
  const kerasRole = ROLES[role as keyof typeof ROLES];
  if (layer.startsWith("encoder.stem")) return `${layer.endsWith("bn") ? "bn_Conv1" : "Conv1"}/${kerasRole}`;
  const [, block, part, kind] = /^(encoder\.\d\.\d)\.(\w+)\.(conv|bn)$/.exec(layer)!;
  const keras = BLOCKS[block!]!;
  if (keras === "expanded_conv" && part === "expand") return undefined;
  if (kind === "bn") return `${keras}_${part}_BN/${kerasRole}`;
  return `${keras}_${part}/${part === "depthwise" ? "depthwise_kernel" : "kernel"}`;
}

/** A 1x1 convolution that passes its input through, with BN at its first values: as if it were not there. */
function passThrough({ role, shape }: Slot): Float32Array {
  const channels = shape.at(-1)!;
  if (role === "weight")
    return Float32Array.from({ length: channels * channels }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0));
  return new Float32Array(channels).fill(role === "gamma" || role === "variance" ? 1 : 0);
}

/**
 * The encoder from `source`: "nsfwjs", or the path of a .h5, a tfjs model.json, or a safetensors file with Keras's
 * names. Throws UserError that names the source and what does not fit.
 */
export async function importEncoder(source: string): Promise<Encoder> {
  const tensors = await readSource(source);
  if (tensors.has(ENCODER_SLOTS[0]!.name)) return readEncoder(source);
  const arrays: Arrays = new Map();
  for (const slot of ENCODER_SLOTS) {
    const name = kerasName(slot);
    if (!name) {
      arrays.set(slot.name, passThrough(slot));
      continue;
    }
    const found = tensors.get(name);
    if (!found)
      throw new UserError(`${source}: has no ${name}; give a Keras MobileNetV2 with its BN layers unfolded`);
    if (`${found.shape}` !== `${slot.shape}`)
      throw new UserError(
        `${source}: ${name} is [${found.shape}], not [${slot.shape}]; only width 1.0 fits the encoder`,
      );
    arrays.set(slot.name, found.values);
  }
  return { arrays, ...KERAS, source };
}

async function readSource(source: string): Promise<Map<string, NamedTensor>> {
  if (source === "nsfwjs") return readNsfwjs();
  if (source.endsWith(".json")) return readTfjs(source);
  if (/\.(h5|hdf5)$/.test(source)) return readHdf5(source);
  if (source.endsWith(".safetensors")) return (await readSafetensors(source)).tensors;
  throw new UserError(
    `${source}: is not known; write nsfwjs, or a path that ends in .h5 (Keras), .json (tfjs) or .safetensors`,
  );
}

/** The package's model and shard are modules; the shard is one base64 string. */
function readNsfwjs(): Map<string, NamedTensor> {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve("nsfwjs")), "..", "models", "mobilenet_v2");
  const model = require(join(folder, "model.min.js")) as { weightsManifest: ManifestGroup[] };
  const shard = require(join(folder, "group1-shard1of1.min.js")) as { "group1-shard1of1": string } | string;
  const text = typeof shard === "string" ? shard : shard["group1-shard1of1"];
  return decode(model.weightsManifest[0]!, Buffer.from(text, "base64"), "nsfwjs");
}

async function readTfjs(path: string): Promise<Map<string, NamedTensor>> {
  const bytes = (file: string) =>
    readFile(file).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(`${file}: cannot be read (${error.code}); write the path of a tfjs model.json`);
    });
  let manifest: ManifestGroup[];
  try {
    manifest = JSON.parse((await bytes(path)).toString("utf8")).weightsManifest;
    if (!Array.isArray(manifest) || !manifest.every((group) => group?.paths && group.weights))
      throw new Error("no weightsManifest of paths and weights");
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: is not a tfjs model.json (${(error as Error).message})`);
  }
  const tensors = new Map<string, NamedTensor>();
  for (const group of manifest) {
    const shards = await Promise.all(group.paths.map((file) => bytes(join(dirname(path), file))));
    for (const [name, found] of decode(group, Buffer.concat(shards), path)) tensors.set(name, found);
  }
  return tensors;
}

const WIDTHS: Record<string, number> = { float32: 4, uint8: 1, uint16: 2 };

/** Cuts a group's bytes into its tensors and undoes the quantisation (min + scale x q). */
function decode({ weights }: ManifestGroup, bytes: Buffer, source: string): Map<string, NamedTensor> {
  const tensors = new Map<string, NamedTensor>();
  let offset = 0;
  for (const { name, shape, dtype, quantization } of weights) {
    const type = quantization?.dtype ?? dtype;
    const width = WIDTHS[type];
    if (!width)
      throw new UserError(
        `${source}: ${name} is of type ${type}, which is not known; write float32, uint8 or uint16`,
      );
    const size = shape.reduce((product, n) => product * n, 1);
    if (offset + size * width > bytes.length)
      throw new UserError(`${source}: its shards end before the numbers of ${name}; fetch them again`);
    const at = (i: number) => {
      const place = offset + i * width;
      if (type === "float32") return bytes.readFloatLE(place);
      return type === "uint8" ? bytes.readUInt8(place) : bytes.readUInt16LE(place);
    };
    const { min, scale } = quantization ?? { min: 0, scale: 1 };
    tensors.set(name, { shape, values: Float32Array.from({ length: size }, (_, i) => min + scale * at(i)) });
    offset += size * width;
  }
  return tensors;
}
