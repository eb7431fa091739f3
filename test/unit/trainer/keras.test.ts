// The encoder out of Keras's MobileNetV2: hard facts of the one that nsfwjs carries, and small made-up ones.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ENCODER_SLOTS, type Encoder } from "@segnas/trainer/model/encoder.ts";
import { readHdf5 } from "@segnas/trainer/model/hdf5.ts";
import { importEncoder } from "@segnas/trainer/model/keras.ts";
import { writeSafetensors } from "@segnas/trainer/model/safetensors.ts";
import { testFolder } from "./folder.ts";

const folder = testFolder();
const size = (shape: number[]) => shape.reduce((product, n) => product * n, 1);

function checkFacts({ arrays, epsilon, mean, deviation }: Encoder): void {
  assert.deepEqual({ epsilon, mean, deviation }, { epsilon: 1e-3, mean: 127.5, deviation: 127.5 });
  assert.deepEqual([...arrays.keys()].sort(), ENCODER_SLOTS.map(({ name }) => name).sort());
  for (const { name, shape } of ENCODER_SLOTS) {
    assert.equal(arrays.get(name)!.length, size(shape), name);
    assert.ok(arrays.get(name)!.every(Number.isFinite), name);
  }
  // The redundant expand is not there: an identity, and BN at its first values.
  const expand = arrays.get("encoder.0.0.expand.conv.weight")!;
  assert.deepEqual(
    [...expand],
    Array.from({ length: 32 * 32 }, (_, i) => (Math.floor(i / 32) === i % 32 ? 1 : 0)),
  );
  for (const [role, value] of Object.entries({ gamma: 1, beta: 0, mean: 0, variance: 1 }))
    assert.ok(arrays.get(`encoder.0.0.expand.bn.${role}`)!.every((x) => x === value));
}

test("nsfwjs gives an encoder whose numbers are those of a trained network", async () => {
  const encoder = await importEncoder("nsfwjs");
  checkFacts(encoder);
  assert.equal(encoder.source, "nsfwjs");
  for (const { name, role } of ENCODER_SLOTS) {
    const values = encoder.arrays.get(name)!;
    // uint8 keeps the smallest variances only to a step of the tensor's range.
    if (role === "variance")
      assert.ok(
        values.every((x) => x >= -1e-6),
        name,
      );
    if (role === "weight" && !name.startsWith("encoder.0.0.expand"))
      assert.ok(new Set(values).size > 50, `${name}: ${new Set(values).size} different values`);
  }
  const stem = encoder.arrays.get("encoder.stem.conv.weight")!;
  assert.ok(Math.max(...stem) > 0.1 && Math.min(...stem) < -0.1, "filters look at differences");
});

/** Keras's names with our slots, as its layers are called. */
const KERAS: [keras: string, ours: string][] = [
  ["Conv1", "encoder.stem"],
  ["expanded_conv", "encoder.0.0"],
  ["block_1", "encoder.1.0"],
  ["block_2", "encoder.1.1"],
  ["block_3", "encoder.2.0"],
  ["block_4", "encoder.2.1"],
  ["block_5", "encoder.2.2"],
];
const ROLES = { gamma: "gamma", beta: "beta", mean: "moving_mean", variance: "moving_variance" } as const;

/** Every array that Keras has of the encoder, filled with numbers that tell where they are from. */
function kerasArrays(): Map<string, { shape: number[]; values: Float32Array<ArrayBuffer>; slot: string }> {
  const found = new Map();
  for (const [i, { name, role, shape, layer }] of ENCODER_SLOTS.entries()) {
    if (name.startsWith("encoder.0.0.expand")) continue;
    const [keras, ours] = KERAS.find(([, prefix]) => layer.startsWith(`${prefix}.`))!;
    const [part, kind] = layer.slice(ours.length + 1).split(".");
    let kerasName: string;
    if (keras === "Conv1")
      kerasName = part === "bn" ? `bn_Conv1/${ROLES[role as keyof typeof ROLES]}` : "Conv1/kernel";
    else if (kind === "bn") kerasName = `${keras}_${part}_BN/${ROLES[role as keyof typeof ROLES]}`;
    else kerasName = `${keras}_${part}/${part === "depthwise" ? "depthwise_kernel" : "kernel"}`;
    const values = Float32Array.from({ length: size(shape) }, (_, k) => i + (k % 4) / 4);
    found.set(kerasName, { shape, values, slot: name });
  }
  return found;
}

interface Weight {
  name: string;
  shape: number[];
  dtype: string;
  quantization?: { dtype: string; min: number; scale: number };
}

/** Writes a tfjs model of two groups, one of float32 and one quantised, the first over two shards. */
function writeTfjs(change: (weights: Weight[]) => void = () => {}, cut = 0): string {
  const arrays = [...kerasArrays()];
  const half = Math.floor(arrays.length / 2);
  const groups = [arrays.slice(0, half), arrays.slice(half)];
  const manifest = groups.map((group, g) => {
    const weights = group.map(([name, { shape, values }]): Weight => {
      const min = values[0]!;
      const dtype = name.includes("BN") ? "uint16" : "uint8";
      return { name, shape, dtype: "float32", ...(g === 1 && { quantization: { dtype, min, scale: 0.25 } }) };
    });
    const bytes = Buffer.concat(
      group.map(([, { values }], i) => {
        const { quantization } = weights[i]!;
        if (!quantization) return Buffer.from(values.buffer);
        const steps = values.map((x) => (x - quantization.min) / quantization.scale);
        return quantization.dtype === "uint8"
          ? Buffer.from(Uint8Array.from(steps))
          : Buffer.from(Uint16Array.from(steps).buffer);
      }),
    );
    // A shard may end anywhere, within a number too.
    const places = g === 0 ? [0, 1001, bytes.length] : [0, bytes.length - cut];
    const paths = places.slice(1).map((end, i) => {
      const path = `group${g}-shard${i}.bin`;
      writeFileSync(join(folder, path), bytes.subarray(places[i], end));
      return path;
    });
    return { paths, weights };
  });
  for (const { weights } of manifest) change(weights);
  const path = join(folder, "model.json");
  writeFileSync(path, JSON.stringify({ weightsManifest: manifest }));
  return path;
}

test("a tfjs model in shards, quantised or not, gives each array its numbers", async () => {
  const encoder = await importEncoder(writeTfjs());
  checkFacts(encoder);
  for (const { slot, values } of kerasArrays().values())
    assert.deepEqual(encoder.arrays.get(slot), values, slot);
});

test("a safetensors file with Keras's names gives the same", async () => {
  const path = join(folder, "keras.safetensors");
  await writeSafetensors(path, { metadata: {}, tensors: kerasArrays() });
  assert.deepEqual((await importEncoder(path)).arrays, (await importEncoder(writeTfjs())).arrays);
});

describe("a source that does not fit is refused in a sentence that names it", () => {
  const refused = (source: () => string, message: RegExp) => async () => {
    await assert.rejects(importEncoder(source()), { name: "UserError", message });
  };
  const first = (change: (weight: Weight) => void) => () =>
    writeTfjs((weights) => weights[0]!.name === "Conv1/kernel" && change(weights[0]!));
  const text = (content: string) => () => {
    const path = join(folder, "text.json");
    writeFileSync(path, content);
    return path;
  };

  test(
    "an unknown source",
    refused(() => "imagenet", /^imagenet: is not known; write nsfwjs, or a path/),
  );
  test(
    "no file",
    refused(() => join(folder, "none.json"), /none\.json: cannot be read \(ENOENT\)/),
  );
  test("no JSON", refused(text("{"), /text\.json: is not a tfjs model\.json \(/));
  test(
    "JSON of something else",
    refused(text("{}"), /text\.json: is not a tfjs model\.json \(no weightsManifest of paths and weights\)/),
  );
  test("null", refused(text("null"), /text\.json: is not a tfjs model\.json \(/));
  test(
    "groups without weights",
    refused(text('{"weightsManifest":[{}]}'), /text\.json: is not a tfjs model\.json \(/),
  );
  test(
    "a missing layer",
    refused(
      first((it) => (it.name = "Conv0/kernel")),
      /model\.json: has no Conv1\/kernel; give/,
    ),
  );
  test(
    "another width",
    refused(
      first((it) => (it.shape = [3, 3, 32, 3])),
      /model\.json: Conv1\/kernel is \[3,3,32,3\], not \[3,3,3,32\]; only width 1\.0 fits/,
    ),
  );
  test(
    "an unknown type",
    refused(
      first((it) => (it.dtype = "float16")),
      /model\.json: Conv1\/kernel is of type float16/,
    ),
  );
  test(
    "a shard cut short",
    refused(() => writeTfjs(undefined, 3), /model\.json: its shards end before the numbers of/),
  );
  test(
    "a missing shard",
    refused(() => {
      const path = writeTfjs();
      writeFileSync(path, JSON.stringify({ weightsManifest: [{ paths: ["gone.bin"], weights: [] }] }));
      return path;
    }, /gone\.bin: cannot be read \(ENOENT\)/),
  );
});

test("Keras's HDF5 layout is read", async () => {
  const stem = fileURLToPath(new URL("../../fixtures/keras-stem.h5", import.meta.url));
  const tensors = await readHdf5(stem);
  const encoder = await importEncoder("nsfwjs");
  assert.deepEqual(tensors.get("Conv1/kernel")!.shape, [3, 3, 3, 32]);
  assert.deepEqual(tensors.get("Conv1/kernel")!.values, encoder.arrays.get("encoder.stem.conv.weight"));
  assert.deepEqual(tensors.get("bn_Conv1/gamma")!.values, encoder.arrays.get("encoder.stem.bn.gamma"));
  await assert.rejects(
    importEncoder(stem),
    /keras-stem\.h5: has no expanded_conv_depthwise\/depthwise_kernel/,
  );
  const damaged = join(folder, "damaged.h5");
  writeFileSync(damaged, "nothing of the kind");
  await assert.rejects(importEncoder(damaged), /damaged\.h5: is not a Keras \.h5 file/);
});
