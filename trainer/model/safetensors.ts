// Weights files in the safetensors format: a header of JSON (its length first, 8 bytes little-endian), then the
// numbers. Only float32 is written and read. Files of ours carry a checksum in their metadata.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { UserError } from "@segnas/searchspace/errors.ts";
import { writeWhole } from "../whole-file.ts";

export interface NamedTensor {
  shape: number[];
  values: Float32Array;
}

export interface WeightsFile {
  metadata: Record<string, string>;
  tensors: Map<string, NamedTensor>;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The metadata's own entry: SHA-256, in hex, of the header without it and of the numbers. */
const CHECKSUM = "sha256";

const checksumOf = (header: object, data: Uint8Array[]): string =>
  data
    .reduce((sum, bytes) => sum.update(bytes), createHash("sha256").update(JSON.stringify(header)))
    .digest("hex");

/** Writes the file whole or not at all, and returns when it is on the disk. */
export async function writeSafetensors(path: string, { metadata, tensors }: WeightsFile): Promise<void> {
  const header: Record<string, Entry | Record<string, string>> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const data = [...tensors.values()].map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  );
  header.__metadata__ = { ...metadata, [CHECKSUM]: checksumOf(header, data) };
  const text = JSON.stringify(header);
  // Spaces bring the numbers to a multiple of eight bytes.
  const json = Buffer.from(text + " ".repeat((8 - (Buffer.byteLength(text) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const there = await stat(path).catch(() => undefined);
  if (there && !there.isFile()) throw new UserError(`${path}: is no file, write the path of one`);
  await writeWhole(path, Buffer.concat([length, json, ...data]));
}

/** Reads a file of float32 tensors. Throws UserError naming the file where it is not one, or is damaged. */
export async function readSafetensors(path: string): Promise<WeightsFile> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`${path}: cannot be read (${error.code}); write the path of a weights file`);
  });
  try {
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, Entry>;
    const { __metadata__: metadata = {}, ...entries } = header as unknown as {
      __metadata__?: Record<string, string>;
    } & Record<string, Entry>;
    const { [CHECKSUM]: checksum } = metadata;
    delete metadata[CHECKSUM];
    if (checksum !== undefined && checksum !== checksumOf(header, [bytes.subarray(start)]))
      throw new Error("its checksum does not fit");
    const tensors = new Map(
      Object.entries(entries as Record<string, Entry>).map(([name, { dtype, shape, data_offsets }]) => {
        if (dtype !== "F32") throw new Error(`${name} is ${dtype}, not F32`);
        const [from, to] = data_offsets;
        if (start + to > bytes.length) throw new Error(`${name} ends behind the file's end`);
        if (to - from !== 4 * shape.reduce((product, size) => product * size, 1))
          throw new Error(`${name} has ${to - from} bytes, which do not fill [${shape}]`);
        return [
          name,
          {
            shape,
            values: new Float32Array(
              bytes.buffer.slice(bytes.byteOffset + start + from, bytes.byteOffset + start + to),
            ),
          },
        ];
      }),
    );
    return { metadata, tensors };
  } catch (error) {
    throw new UserError(
      `${path}: is not a safetensors file of float32 numbers (${(error as Error).message})`,
    );
  }
}
