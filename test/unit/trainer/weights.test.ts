// Weights: their layout, files of them that come back the same, and files that are damaged.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { countParameters } from "@segnas/searchspace/count.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import {
  ENCODER_SLOTS,
  type Encoder,
  encoderHash,
  readEncoder,
  SCRATCH,
  writeEncoder,
} from "@segnas/trainer/model/encoder.ts";
import {
  initialArrays,
  layoutOf,
  parameterSlots,
  SIDES,
  slotsOf,
  toArrays,
} from "@segnas/trainer/model/parameters.ts";
import { readSafetensors, writeSafetensors } from "@segnas/trainer/model/safetensors.ts";
import fc from "fast-check";
import { architectures, settings } from "../searchspace/spaces.ts";
import { testFolder } from "./folder.ts";

const folder = testFolder();
const size = { height: 64, width: 64 };

test("a layout holds as many numbers as the search space counts, and names each array once", () => {
  fc.assert(
    fc.property(architectures, settings, (architecture, chosen) => {
      const network = expand(architecture, chosen, size);
      const counts = countParameters(network);
      for (const side of SIDES) {
        const { length, sizes } = layoutOf(parameterSlots(network, side));
        assert.equal(length, counts[side]);
        assert.equal(
          sizes.reduce((sum, n) => sum + n, 0),
          length,
        );
      }
      const names = SIDES.flatMap((side) => slotsOf(network, side)).map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
    }),
    { numRuns: 40 },
  );
});

test("the encoder has 56,576 parameters and BN statistics of their own", () => {
  const parameters = ENCODER_SLOTS.filter(({ role }) => role !== "mean" && role !== "variance");
  assert.equal(layoutOf(parameters).length, 56_576);
});

test("a vector's arrays in their order are the vector", () => {
  const layout = layoutOf(ENCODER_SLOTS);
  const vector = Float32Array.from({ length: layout.length }, (_, i) => i);
  const arrays = toArrays(layout, vector);
  assert.deepEqual(
    [...arrays.keys()],
    layout.slots.map(({ name }) => name),
  );
  assert.deepEqual(
    [...arrays.values()].flatMap((array) => [...array]),
    [...vector],
  );
});

test("first values: He-normal by fan out, BN at 1 and 0, from the stream alone", () => {
  const arrays = initialArrays(ENCODER_SLOTS, random(3, "initial"));
  assert.deepEqual(arrays, initialArrays(ENCODER_SLOTS, random(3, "initial")));
  for (const { name, role, shape } of ENCODER_SLOTS) {
    const values = arrays.get(name)!;
    if (role !== "weight") {
      const wanted = role === "gamma" || role === "variance" ? 1 : 0;
      assert.ok(
        values.every((value) => value === wanted),
        name,
      );
      continue;
    }
    const [ky, kx, , outputs] = shape as [number, number, number, number];
    const wanted = Math.sqrt(2 / (ky * kx * outputs));
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    // The deviation of n normal numbers strays by about 1 / sqrt(2 n); five times that is far.
    const far = 5 / Math.sqrt(2 * values.length);
    assert.ok(Math.abs(deviation / wanted - 1) < far, `${name}: deviation ${deviation}, wanted ${wanted}`);
  }
});

const names = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((it) => it !== "__metadata__" && it !== "__proto__");
const floats = fc.array(fc.float({ noNaN: true }), { maxLength: 30 });

test("a safetensors file comes back the same, to the bit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(names, names),
      fc.uniqueArray(fc.tuple(names, floats), { selector: ([name]) => name, maxLength: 5 }),
      async (metadata, arrays) => {
        const tensors = new Map(
          arrays.map(([name, values]) => [
            name,
            { shape: [values.length], values: Float32Array.from(values) },
          ]),
        );
        const path = join(folder, "round.safetensors");
        await writeSafetensors(path, { metadata: { ...metadata }, tensors });
        const found = await readSafetensors(path);
        assert.deepEqual({ ...found.metadata }, { ...metadata });
        // A name like "1" moves to the front of a JSON object: the order is not kept.
        assert.deepEqual(new Map([...found.tensors].sort()), new Map([...tensors].sort()));
      },
    ),
    { numRuns: 50 },
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith(".partial")),
    [],
  );
});

test("the numbers begin at a multiple of eight bytes, as the format asks", async () => {
  const path = join(folder, "aligned.safetensors");
  for (const name of ["a", "ab", "é", "日本語"]) {
    const values = Float32Array.of(1, 2);
    await writeSafetensors(path, { metadata: {}, tensors: new Map([[name, { shape: [2], values }]]) });
    const bytes = readFileSync(path);
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    assert.equal(start % 8, 0);
    assert.equal(bytes.length, start + 8);
  }
});

/** A file with this header, and so many bytes behind it. */
function damaged(header: unknown, data = 8): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(data)]);
}
const entry = (change: object) => ({ a: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...change } });

describe("a damaged safetensors file is refused by name", () => {
  const files: [what: string, bytes: Buffer, reason: RegExp][] = [
    ["empty", Buffer.alloc(0), /./],
    ["too short for a length", Buffer.alloc(5), /./],
    ["a header longer than the file", damaged("{", 0).subarray(0, 9), /JSON/],
    ["a header length beyond numbers", Buffer.alloc(16, 255), /./],
    ["no JSON", damaged("not json"), /JSON/],
    ["null for a header", damaged(null), /./],
    ["another type", damaged(entry({ dtype: "F16" })), /a is F16, not F32/],
    ["numbers cut off", damaged(entry({}), 4), /a ends behind the file's end/],
    ["fewer numbers than the shape has", damaged(entry({ data_offsets: [0, 4] })), /a has 4 bytes, .* \[2\]/],
    ["offsets the wrong way round", damaged(entry({ data_offsets: [8, 0] })), /a has -8 bytes/],
    ["no offsets", damaged({ a: { dtype: "F32", shape: [2] } }), /./],
    ["no shape", damaged({ a: { dtype: "F32", data_offsets: [0, 8] } }), /./],
  ];
  for (const [what, bytes, reason] of files)
    test(what, async () => {
      const path = join(folder, "damaged.safetensors");
      writeFileSync(path, bytes);
      await assert.rejects(readSafetensors(path), (error: Error) => {
        assert.equal(error.name, "UserError");
        assert.ok(error.message.startsWith(`${path}: is not a safetensors file of float32 numbers (`));
        assert.match(error.message, reason);
        return true;
      });
    });
});

const encoder: Encoder = { ...SCRATCH, arrays: initialArrays(ENCODER_SLOTS, random(1)), source: "a test" };

test("an encoder's file comes back the same, its scaling included", async () => {
  const path = join(folder, "encoder.safetensors");
  const own = { ...encoder, epsilon: 1e-3, mean: 120.5, deviation: 60.25 };
  await writeEncoder(path, own);
  const found = await readEncoder(path);
  assert.deepEqual(found, own);
  assert.equal(encoderHash(found), encoderHash(own));
});

test("the encoder's hash changes with any number that features depend on, and not with the source", () => {
  const hash = encoderHash(encoder);
  assert.equal(encoderHash({ ...encoder, source: "elsewhere" }), hash);
  for (const change of [{ epsilon: 1e-3 }, { mean: 0 }, { deviation: 1 }])
    assert.notEqual(encoderHash({ ...encoder, ...change }), hash);
  const arrays = new Map(encoder.arrays);
  const name = "encoder.2.2.project.bn.variance";
  arrays.set(name, arrays.get(name)!.with(31, 1.0000001));
  assert.notEqual(encoderHash({ ...encoder, arrays }), hash);
});

test("an encoder's file that does not fit is refused with the array that is wrong", async () => {
  const path = join(folder, "other.safetensors");
  const write = (
    change: (tensors: Map<string, { shape: number[]; values: Float32Array }>) => void,
    metadata = {},
  ) => {
    const tensors = new Map(
      ENCODER_SLOTS.map(({ name, shape }) => [name, { shape, values: encoder.arrays.get(name)! }]),
    );
    change(tensors);
    return writeSafetensors(path, { metadata, tensors });
  };
  const refused = (message: string) => assert.rejects(readEncoder(path), { name: "UserError", message });

  await write((tensors) => tensors.delete("encoder.stem.bn.mean"));
  await refused(`${path}: encoder.stem.bn.mean is missing; make the file with \`segnas encoder import\``);
  await write((tensors) => {
    const weight = tensors.get("encoder.stem.conv.weight")!;
    tensors.set("encoder.stem.conv.weight", { ...weight, shape: [3, 3, 32, 3] });
  });
  await refused(`${path}: encoder.stem.conv.weight is [3,3,32,3] where the encoder needs [3,3,3,32]`);
  await write(() => {}, { mean: "grey" });
  await refused(`${path}: its metadata's mean is not a number`);
  await assert.rejects(readEncoder(join(folder, "none")), {
    name: "UserError",
    message: /none: cannot be read \(ENOENT\)/,
  });
});
