// What a trial leaves behind for people: weights, its curve, predictions of every held-out image, and pictures.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { encode } from "fast-png";
import sharp from "sharp";
import { IGNORED, type Sample } from "../data/sample.ts";

/** So many held-out images are shown as pictures. */
const PICTURES = 4;

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

/** The folder of one trial; without a path everything is left out. */
export class Artifacts {
  readonly #folder: string | undefined;
  readonly #classNames: string[];

  constructor(folder: string | undefined, classNames: string[]) {
    this.#folder = folder;
    this.#classNames = classNames;
  }

  path(...parts: string[]): string | undefined {
    return this.#folder && join(this.#folder, ...parts);
  }

  /** Starts the predictions and pictures of a validation: those of the one before go. */
  async clear(): Promise<void> {
    if (!this.#folder) return;
    for (const name of ["predictions", "pictures"]) {
      await rm(join(this.#folder, name), { recursive: true, force: true });
      await mkdir(join(this.#folder, name), { recursive: true });
    }
    const classes = this.#classNames.map((name, index) => ({ name, color: hex(classColour(index)) }));
    await writeFile(join(this.#folder, "pictures", "classes.json"), JSON.stringify(classes));
  }

  /** The prediction of one held-out image: an index PNG of its size, and pictures of the first few. */
  async prediction(index: number, sample: Sample, prediction: Uint8Array): Promise<void> {
    if (!this.#folder) return;
    const { height, width, name } = sample;
    const file = join(this.#folder, "predictions", `${name}.png`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, encode({ width, height, data: prediction, channels: 1, depth: 8 }));
    if (index >= PICTURES) return;
    const picture = (kind: string, rgb: Uint8Array) =>
      sharp(rgb, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(join(this.#folder!, "pictures", `${index}-${kind}.png`));
    await picture("image", sample.image);
    await picture("truth", coloured(sample.label));
    await picture("prediction", coloured(prediction));
  }
}

/** Class indices as RGB; void is black. */
function coloured(labels: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(labels.length * 3);
  for (const [i, label] of labels.entries()) if (label !== IGNORED) rgb.set(classColour(label), i * 3);
  return rgb;
}
