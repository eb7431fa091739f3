// The encoder's outputs for fixed views of the training images: computed once, kept on disk, read for each batch
// of stage 0. Trials that share a cache folder share them: one makes them while the others wait. Each record has a
// checksum, and one that is damaged is computed again; where the file cannot be written all are, at each use.
import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Network } from "@segnas/searchspace/network.ts";
import { encoderHash } from "../model/encoder.ts";
import type { Model } from "../model/model.ts";
import { partialOf } from "../whole-file.ts";
import { type FeatureSettings, type Parts, Records } from "./records.ts";
import type { Session } from "./session.ts";
import { makeOnce, tellUnusable } from "./shared.ts";

/** One record a view: the features of both nodes (float32), the labels of the crop, and a CRC-32 of these. */
export interface FeatureCache {
  records: number;
  /** Shapes of the two nodes: [height, width, channels]. */
  shapes: [number[], number[]];
  /** Reads records: features as [n, height, width, channels] numbers, labels [n, height, width] of the crop. */
  read(indices: number[]): Promise<{ features: [Float32Array, Float32Array]; label: Uint8Array }>;
  close(): Promise<void>;
}

/** Counts up: a change of what the file holds for one key must not meet an old file. */
const FORMAT = 3;

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

/** Opens the cache in `folder`, after making it where it is not there. Without room for it there is one without a file. */
export async function openFeatures(
  folder: string,
  settings: FeatureSettings,
  model: Model,
  network: Network,
  session: Session,
): Promise<FeatureCache> {
  const source = new Records(settings, model, network);
  const path = join(folder, `features-${await featureKey(settings)}.bin`);
  const size = source.count * recordBytes(source);
  const sizeNow = () =>
    stat(path).then(
      ({ size }) => size,
      () => undefined,
    );
  try {
    await makeOnce({
      path,
      isThere: async () => (await sizeNow()) === size,
      make: async () => {
        const found = await sizeNow();
        if (found !== undefined)
          session.onNote("warn", `${path}: is ${found} bytes where ${size} are expected, and is made again`);
        await make(path, source, session);
      },
      waiting: () => session.advance(0),
    });
    return fileCache(path, await open(path, "r"), source, session);
  } catch (error) {
    tellUnusable(error, folder, "features are computed at each use", session);
    return {
      records: source.count,
      shapes: source.shapes,
      read: (indices) => source.gather(indices, (record, parts) => source.compute(record, parts)),
      close: async () => {},
    };
  }
}

const CHECKSUM_BYTES = 4;
/** Bytes of a record in the file. */
const recordBytes = ({ lengths }: Records): number =>
  lengths.reduce((sum, length) => sum + length, CHECKSUM_BYTES);

function checksumOf(parts: Parts): Buffer {
  const bytes = Buffer.alloc(CHECKSUM_BYTES);
  bytes.writeUInt32LE(parts.reduce((sum, part) => crc32(part, sum), 0));
  return bytes;
}

async function make(path: string, source: Records, session: Session): Promise<void> {
  const partial = partialOf(path);
  const file = await open(partial, "w");
  try {
    const parts = source.lengths.map((length) => new Uint8Array(length)) as Parts;
    for (let record = 0; record < source.count; record++) {
      await source.compute(record, parts);
      await file.appendFile(Buffer.concat([...parts, checksumOf(parts)]));
      await session.advance(1);
    }
    await file.sync();
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
}

function fileCache(path: string, file: FileHandle, source: Records, session: Session): FeatureCache {
  let told = false;
  let closed = false;

  /** Computes a damaged record, and mends the file. */
  async function mend(record: number, parts: Parts): Promise<void> {
    if (!told)
      session.onNote("warn", `${path}: record ${record} is damaged; such records are computed again`);
    told = true;
    await source.compute(record, parts);
    await write(path, Buffer.concat([...parts, checksumOf(parts)]), record * recordBytes(source)).catch(
      () => {},
    );
  }

  return {
    records: source.count,
    shapes: source.shapes,
    read: (indices) =>
      source.gather(indices, async (record, parts) => {
        const checksum = Buffer.alloc(CHECKSUM_BYTES);
        const { bytesRead } = await file
          .readv([...parts, checksum], record * recordBytes(source))
          .catch(() => ({ bytesRead: 0 }));
        if (closed) throw new Error(`${path}: is closed`);
        if (bytesRead < recordBytes(source) || !checksum.equals(checksumOf(parts))) await mend(record, parts);
      }),
    async close() {
      closed = true;
      await file.close();
    },
  };
}

async function write(path: string, bytes: Uint8Array, place: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.write(bytes, 0, bytes.length, place);
  } finally {
    await file.close();
  }
}
