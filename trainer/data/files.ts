// Images and label files in pairs: finding what belongs together, decoding it, and naming the file that is wrong.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { decode } from "fast-png";
import sharp from "sharp";
import { compare } from "./heldout.ts";
import type { Sample, Split } from "./sample.ts";

/** The files of one sample. */
export interface Pair {
  name: string;
  image: string;
  label: string;
}

/** What the values of label files mean. */
export interface Labels {
  classes: number;
  /** The class, or IGNORED, of a label value; undefined for a value that must not be there. */
  classOf(value: number): number | undefined;
  /** How to go on after "... is not one of the classes", for a value that must not be there. */
  advice(value: number): string;
}

/** The visible names in a folder, sorted; undefined where there is no such folder. Throws UserError if it is unreadable. */
export async function list(folder: string): Promise<string[] | undefined> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => !name.startsWith(".")).sort(compare);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return undefined;
    throw new UserError(
      `dataset.path: cannot read the folder ${folder} (${code}); make it a readable folder`,
    );
  }
}

/**
 * The files of a folder with a certain ending, by their names without it.
 * Throws UserError if the folder is missing or unreadable, or two files have the same name.
 */
export async function find(folder: string, ending: RegExp): Promise<Map<string, string>> {
  const files = await list(folder);
  if (!files) throw new UserError(`dataset.path: there is no folder ${folder}; add it`);
  const named = new Map<string, string>();
  for (const file of files.filter((file) => ending.test(file))) {
    const name = file.replace(ending, "");
    const path = join(folder, file);
    const other = named.get(name);
    if (other) throw new UserError(`${other} and ${path}: have the same name; keep one of them`);
    named.set(name, path);
  }
  return named;
}

/**
 * Images with their labels, by name; the maps lead from a name to its file.
 * Throws UserError for an image without label or a label without image; `expected` gives the missing file's path.
 */
export function pair(
  images: Map<string, string>,
  labels: Map<string, string>,
  expected: { image(name: string): string; label(name: string): string },
): Pair[] {
  for (const [name, label] of labels)
    if (!images.has(name)) {
      throw new UserError(`${label}: has no image; add ${expected.image(name)} or remove the label`);
    }
  return [...images].map(([name, image]) => {
    const label = labels.get(name);
    if (!label)
      throw new UserError(`${image}: has no label; add ${expected.label(name)} or remove the image`);
    return { name, image, label };
  });
}

/** A split of files. `format` stands in its hash for how the label values are read. */
export function fileSplit(pairs: Pair[], labels: Labels, format: string): Split {
  const table = Array.from({ length: 256 }, (_, value) => labels.classOf(value) ?? -1);

  async function read(index: number): Promise<Sample> {
    const { name, image: imageFile, label: labelFile } = pairs[index]!;
    const [image, label] = await Promise.all([
      open(imageFile).then((bytes) => decodeImage(bytes, imageFile)),
      open(labelFile).then((bytes) => decodeLabel(bytes, labelFile)),
    ]);
    const { height, width } = image;
    if (label.height !== height || label.width !== width) {
      throw new UserError(
        `${labelFile}: is ${label.height} x ${label.width} (height x width) while its image ${imageFile} is ` +
          `${height} x ${width}; make them the same size`,
      );
    }
    const classes = new Uint8Array(label.data.length);
    for (let i = 0; i < classes.length; i++) {
      const value = label.data[i]!;
      const index = table[value]!;
      if (index < 0) {
        const place = `row ${Math.floor(i / width)}, column ${i % width}`;
        throw new UserError(
          `${labelFile}: label ${value} at ${place} is not one of the ${labels.classes} classes ` +
            `(0 to ${labels.classes - 1}); ${labels.advice(value)}`,
        );
      }
      classes[i] = index;
    }
    return { name, image: image.data, label: classes, height, width };
  }

  /** Each file is read: once is enough. */
  let hashed: Promise<string> | undefined;
  async function hashFiles(): Promise<string> {
    const sum = createHash("sha256").update(JSON.stringify([format, table]));
    for (const { name, image, label } of pairs) {
      for (const bytes of [await open(image), await open(label)]) {
        sum.update(JSON.stringify([name, bytes.length])).update(bytes);
      }
    }
    return sum.digest("hex");
  }

  return {
    names: pairs.map(({ name }) => name),
    read,
    hash() {
      hashed ??= hashFiles();
      return hashed;
    },
  };
}

async function open(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

interface Plane {
  data: Uint8Array;
  height: number;
  width: number;
}

/** An image file as RGB bytes, [height, width, 3]; grey becomes RGB, transparency is dropped. */
async function decodeImage(bytes: Buffer, file: string): Promise<Plane> {
  try {
    const { data, info } = await sharp(bytes)
      .removeAlpha()
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return {
      data: new Uint8Array(data.buffer, data.byteOffset, data.length),
      height: info.height,
      width: info.width,
    };
  } catch (error) {
    throw new UserError(`${file}: is not an image that can be read (${reason(error)}); write it again`);
  }
}

/** A label file's values as they stand, [height, width]: grey levels or palette indices, never colours. */
function decodeLabel(bytes: Buffer, file: string): Plane {
  const png = decodePng(bytes, file);
  const { depth, channels, height, width } = png;
  const want = "write an 8-bit grey or palette PNG of class indices";
  if (channels !== 1)
    throw new UserError(`${file}: has colours (${channels} channels) instead of class indices; ${want}`);
  if (depth === 16) throw new UserError(`${file}: has 16 bits a pixel; ${want}`);
  if (depth === 8) return { data: new Uint8Array(png.data), height, width };
  // The decoder leaves 1, 2 and 4 bits packed, each row from a new byte, and mistakes them where they are interlaced.
  const interlaced = bytes[28] === 1;
  if (interlaced) throw new UserError(`${file}: is interlaced with ${depth} bits a pixel; ${want}`);
  const stride = Math.ceil((width * depth) / 8);
  const data = new Uint8Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = png.data[y * stride + (bit >> 3)]!;
      data[y * width + x] = (byte >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
  return { data, height, width };
}

function decodePng(bytes: Buffer, file: string) {
  try {
    return decode(bytes, { checkCrc: true });
  } catch (error) {
    throw new UserError(`${file}: is not a PNG that can be read (${reason(error)}); write it again`);
  }
}

function reason(error: unknown): string {
  const [line] = String(error instanceof Error ? error.message : error).split("\n");
  return line!.trim();
}
