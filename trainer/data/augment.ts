// Samples as the network sees them: scaled, flipped and cropped for training, whole or centred for validation,
// and stacked into batches.
import type { Random } from "@segnas/searchspace/random.ts";
import { IGNORED, type Pixels } from "./sample.ts";

export interface Size {
  height: number;
  width: number;
}

export interface Augmentation {
  crop: Size;
  /** The scale is drawn evenly from minScale to maxScale. */
  minScale: number;
  maxScale: number;
  /** Mirror half of the samples left to right. */
  flip: boolean;
}

/**
 * A random window of the sample at a random scale: image [crop.height, crop.width, 3], label [crop.height, crop.width].
 * Where the scaled sample is smaller than the crop it lies at a random place in it, on the image's mean colour and
 * void. The image is resampled bilinearly with half-pixel centres, the filter widened when scaling down so that it
 * averages and does not alias; labels take the nearest pixel. It draws four numbers, whatever the settings.
 */
export function augment(
  sample: Pixels,
  { crop, minScale, maxScale, flip }: Augmentation,
  random: Random,
): Pixels {
  const scale = minScale + (maxScale - minScale) * random.uniform();
  const mirrored = random.uniform() < 0.5 && flip;
  const axis = (size: number, length: number) => {
    const scaled = Math.max(1, Math.round(size * scale));
    const room = scaled - length;
    const offset = Math.min(0, room) + random.integer(Math.abs(room) + 1);
    return { size, scaled, offset, length };
  };
  return resample(sample, axis(sample.height, crop.height), axis(sample.width, crop.width), mirrored);
}

/** The whole sample at a scale that gives its longer side so many pixels; image and labels as `augment` does. */
export function resizeTo(sample: Pixels, longerSide: number): Pixels {
  const longer = Math.max(sample.height, sample.width);
  const axis = (size: number) => {
    const scaled = Math.max(1, Math.round((size * longerSide) / longer));
    return { size, scaled, offset: 0, length: scaled };
  };
  return resample(sample, axis(sample.height), axis(sample.width), false);
}

/** The middle of the sample at its own scale, padded as `augment` pads. */
export function centreCrop(sample: Pixels, crop: Size): Pixels {
  const axis = (size: number, length: number) => {
    return { size, scaled: size, offset: Math.floor((size - length) / 2), length };
  };
  return resample(sample, axis(sample.height, crop.height), axis(sample.width, crop.width), false);
}

/** Samples of one size, stacked: image [n, height, width, 3], label [n, height, width]. */
export function batch(samples: readonly Pixels[]): Pixels {
  const { height, width } = samples[0]!;
  const image = new Uint8Array(samples.length * height * width * 3);
  const label = new Uint8Array(samples.length * height * width);
  for (const [i, sample] of samples.entries()) {
    if (sample.height !== height || sample.width !== width) {
      throw new RangeError(`a batch of ${height} x ${width} cannot take ${sample.height} x ${sample.width}`);
    }
    image.set(sample.image, i * height * width * 3);
    label.set(sample.label, i * height * width);
  }
  return { image, label, height, width };
}

/** Shuffled groups of `size` out of `count`, whole ones only. */
export function shuffledGroups(count: number, size: number, random: Random): number[][] {
  const order = random.shuffle(Array.from({ length: count }, (_, i) => i));
  return Array.from({ length: Math.floor(count / size) }, (_, i) => order.slice(i * size, (i + 1) * size));
}

/** A window along one axis: `size` source pixels become `scaled`, of which [offset, offset + length) are wanted. */
interface Axis {
  size: number;
  scaled: number;
  offset: number;
  length: number;
}

/** For each place of the window: the nearest source pixel (-1 outside) and `count` weighted ones from `first` on. */
interface Taps {
  nearest: Int32Array;
  first: Int32Array;
  weights: Float32Array;
  count: number;
}

/** A triangle of half-width 1 source pixel, or 1 scaled pixel where those are larger; at scale 1 it is exact. */
function taps({ size, scaled, offset, length }: Axis): Taps {
  const step = size / scaled;
  const radius = Math.max(1, step);
  const count = Math.min(size, Math.ceil(2 * radius));
  const nearest = new Int32Array(length).fill(-1);
  const first = new Int32Array(length);
  const weights = new Float32Array(length * count);
  for (let i = 0; i < length; i++) {
    if (i + offset < 0 || i + offset >= scaled) continue;
    const centre = (i + offset + 0.5) * step;
    nearest[i] = Math.min(size - 1, Math.floor(centre));
    first[i] = Math.max(0, Math.min(size - count, Math.ceil(centre - radius - 0.5)));
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const weight = Math.max(0, 1 - Math.abs(first[i]! + k + 0.5 - centre) / radius);
      weights[i * count + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < count; k++) weights[i * count + k]! /= sum;
  }
  return { nearest, first, weights, count };
}

function resample(sample: Pixels, vertical: Axis, horizontal: Axis, mirrored: boolean): Pixels {
  const rows = taps(vertical);
  const columns = taps(horizontal);
  if (mirrored) mirror(columns);
  const [height, width] = [vertical.length, horizontal.length];
  const image = new Uint8Array(height * width * 3);
  const label = new Uint8Array(height * width).fill(IGNORED);
  const padded = rows.nearest.includes(-1) || columns.nearest.includes(-1);
  if (padded) {
    const colour = meanColour(sample.image);
    for (let i = 0; i < image.length; i++) image[i] = colour[i % 3]!;
  }

  // Each source row is resampled across once and kept for as long as output rows still need it.
  const row = new Float32Array(width * 3);
  const ring = Array.from({ length: rows.count }, () => ({
    source: -1,
    across: new Float32Array(width * 3),
  }));
  for (let y = 0; y < height; y++) {
    const nearest = rows.nearest[y]!;
    if (nearest < 0) continue;
    row.fill(0.5);
    for (let k = 0; k < rows.count; k++) {
      const weight = rows.weights[y * rows.count + k]!;
      if (weight === 0) continue;
      const source = rows.first[y]! + k;
      const slot = ring[source % rows.count]!;
      if (slot.source !== source) {
        slot.source = source;
        resampleRow(sample.image, source * sample.width * 3, columns, slot.across);
      }
      const { across } = slot;
      for (let i = 0; i < row.length; i++) row[i]! += weight * across[i]!;
    }
    for (let x = 0; x < width; x++) {
      const column = columns.nearest[x]!;
      if (column < 0) continue;
      const at = y * width + x;
      label[at] = sample.label[nearest * sample.width + column]!;
      image[at * 3] = row[x * 3]!;
      image[at * 3 + 1] = row[x * 3 + 1]!;
      image[at * 3 + 2] = row[x * 3 + 2]!;
    }
  }
  return { image, label, height, width };
}

function resampleRow(image: Uint8Array, start: number, columns: Taps, across: Float32Array): void {
  const { first, weights, count } = columns;
  for (let x = 0; x < first.length; x++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    let at = start + first[x]! * 3;
    for (let k = x * count; k < (x + 1) * count; k++) {
      const weight = weights[k]!;
      red += weight * image[at++]!;
      green += weight * image[at++]!;
      blue += weight * image[at++]!;
    }
    across[x * 3] = red;
    across[x * 3 + 1] = green;
    across[x * 3 + 2] = blue;
  }
}

/** Reverses the places of the window. */
function mirror(axis: Taps): void {
  const { nearest, first, count } = axis;
  nearest.reverse();
  first.reverse();
  // Reversing all weights also reverses the `count` within each place: a second reversal puts those right.
  axis.weights.reverse();
  for (let i = 0; i < first.length; i++) axis.weights.subarray(i * count, (i + 1) * count).reverse();
}

function meanColour(image: Uint8Array): [red: number, green: number, blue: number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < image.length; i += 3) {
    sum[0] += image[i]!;
    sum[1] += image[i + 1]!;
    sum[2] += image[i + 2]!;
  }
  return sum.map((total) => Math.round((total * 3) / image.length)) as typeof sum;
}
