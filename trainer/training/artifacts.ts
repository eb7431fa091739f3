// What a trial leaves behind for people: weights, its curve, predictions of every held-out image, and pictures.
import { access, appendFile, constants, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { encode } from "fast-png";
import sharp from "sharp";
import { IGNORED, type Sample } from "../data/sample.ts";
import { removePartials, writeWhole } from "../whole-file.ts";
import type { Place } from "./gate.ts";
import { isSystemError } from "./shared.ts";

/** So many held-out images are shown as pictures. */
const PICTURES = 4;
const CURVE = "curve.jsonl";

/** Colours that stay apart for any number of classes: hues by the golden angle, lightness in three steps. */
function classColour(index: number): [number, number, number] {
  const hue = (index * 137.508) % 360;
  const lightness = [0.55, 0.38, 0.7][index % 3]!;
  const chroma = (1 - Math.abs(2 * lightness - 1)) * 0.75;
  const channel = (offset: number) => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - (chroma / 2) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

const hex = (colour: number[]): string => `#${colour.map((c) => c.toString(16).padStart(2, "0")).join("")}`;

/** A validation as the curve tells it. */
export interface CurvePoint extends Place {
  reward: number;
  meanIoU: number;
  /** Of the last training step. */
  loss: number | null;
  /** By class. */
  iou: (number | null)[];
}

/** The folder cannot be written: the disk is full, say. Nothing is said of the architecture. */
export class Unwritable extends Error {
  override readonly name = "Unwritable";
}

const line = (point: CurvePoint): string => `${JSON.stringify(point)}\n`;

function pointOf(text: string): CurvePoint | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as CurvePoint) : undefined;
  } catch {
    return undefined;
  }
}

const isAfter = ({ stage, epoch }: Place, other: Place | undefined): boolean =>
  !other || stage > other.stage || (stage === other.stage && epoch > other.epoch);

/** The folder of one trial; without a path everything is left out. Methods throw Unwritable. */
export class Artifacts {
  readonly #folder: string | undefined;
  readonly #classNames: string[];

  constructor(folder: string | undefined, classNames: string[]) {
    this.#folder = folder;
    this.#classNames = classNames;
  }

  /** Runs `work` where there is a folder. */
  async keep(work: (folder: string) => Promise<unknown>): Promise<void> {
    const folder = this.#folder;
    if (folder === undefined) return;
    try {
      await work(folder);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new Unwritable(
        `SEGNAS_ARTIFACTS: ${folder} cannot be written (${error.message}), free space there or make it writable`,
      );
    }
  }

  /** Makes the folder, with the curve so far and without what a killed attempt left half written. */
  async begin(curve: CurvePoint[]): Promise<void> {
    await this.keep(async (folder) => {
      await mkdir(folder, { recursive: true });
      // Sooner than with the first file, which may be hours away.
      await access(folder, constants.W_OK);
      await removePartials(folder);
      if (curve.length > 0) await writeWhole(join(folder, CURVE), curve.map(line).join(""));
      else await rm(join(folder, CURVE), { force: true });
    });
  }

  /**
   * What is there of the curve of an earlier attempt: its points in order, up to the first line that is not whole. One
   * that goes on elsewhere, unseen, may have added what is there already.
   */
  async curve(): Promise<CurvePoint[]> {
    let text = "";
    await this.keep(async (folder) => {
      text = await readFile(join(folder, CURVE), "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
    });
    const points: CurvePoint[] = [];
    for (const line of text.split("\n").slice(0, -1)) {
      const point = pointOf(line);
      if (!point) break;
      if (isAfter(point, points.at(-1))) points.push(point);
    }
    return points;
  }

  async addPoint(point: CurvePoint): Promise<void> {
    // On the disk before a checkpoint counts on it.
    await this.keep((folder) => appendFile(join(folder, CURVE), line(point), { flush: true }));
  }

  /** Starts the predictions and pictures of a validation: those of the one before go. */
  async clear(): Promise<void> {
    await this.keep(async (folder) => {
      for (const name of ["predictions", "pictures"]) {
        await rm(join(folder, name), { recursive: true, force: true });
        await mkdir(join(folder, name));
      }
      const classes = this.#classNames.map((name, index) => ({ name, color: hex(classColour(index)) }));
      await writeFile(join(folder, "pictures", "classes.json"), JSON.stringify(classes));
    });
  }

  /** The prediction of one held-out image: an index PNG of its size, and pictures of the first few. */
  async prediction(index: number, sample: Sample, prediction: Uint8Array): Promise<void> {
    await this.keep(async (folder) => {
      const { height, width, name } = sample;
      const file = join(folder, "predictions", `${name}.png`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, encode({ width, height, data: prediction, channels: 1, depth: 8 }));
      if (index >= PICTURES) return;
      const picture = async (kind: string, rgb: Uint8Array) => {
        const png = sharp(rgb, { raw: { width, height, channels: 3 } }).png();
        // Written by us: sharp's own error would not say that the disk is full.
        await writeFile(join(folder, "pictures", `${index}-${kind}.png`), await png.toBuffer());
      };
      await picture("image", sample.image);
      await picture("truth", coloured(sample.label));
      await picture("prediction", coloured(prediction));
    });
  }
}

/** Class indices as RGB; void is black. */
function coloured(labels: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(labels.length * 3);
  for (const [i, label] of labels.entries()) if (label !== IGNORED) rgb.set(classColour(label), i * 3);
  return rgb;
}
