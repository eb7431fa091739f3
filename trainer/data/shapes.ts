// A data set drawn on the fly, for first searches and tests: figures lie over one another on an uneven background.
// Colours say nothing. A class is a shape and a texture together, and shapes and textures are shared between
// classes, so outlines, detail and their surroundings all matter.
import { createHash } from "node:crypto";
import { type Random, random } from "@segnas/searchspace/random.ts";
import type { Pixels, Split } from "./sample.ts";

export interface ShapesSettings {
  seed: number;
  /** 2 to 6, background included. */
  classes: number;
  height: number;
  width: number;
}

interface Kind {
  name: string;
  shape: "disc" | "box" | "star" | "triangle";
  texture: "plain" | "stripes" | "checks";
  /** How often a figure is of this kind, relative to the others. */
  share: number;
  /** Its size, relative to the others. */
  size: number;
}

/** The classes from 1 on, as far as `classes` goes. Stars are the small, rare class. */
const FIGURES: Kind[] = [
  { name: "plain disc", shape: "disc", texture: "plain", share: 1, size: 1 },
  { name: "striped disc", shape: "disc", texture: "stripes", share: 1, size: 1 },
  { name: "striped box", shape: "box", texture: "stripes", share: 1, size: 1 },
  { name: "checked box", shape: "box", texture: "checks", share: 1, size: 1 },
  { name: "star", shape: "star", texture: "plain", share: 0.7, size: 0.45 },
];

/** What also lies about and belongs to the background. */
const CLUTTER: Kind[] = [
  { name: "plain triangle", shape: "triangle", texture: "plain", share: 0.6, size: 0.9 },
  { name: "striped triangle", shape: "triangle", texture: "stripes", share: 0.6, size: 0.9 },
  { name: "checked triangle", shape: "triangle", texture: "checks", share: 0.6, size: 0.9 },
];

export const shapesNames = ["background", ...FIGURES.map(({ name }) => name)];

/** Goes up with every change of what is drawn: it is part of the hash. */
const VERSION = 1;

/** The images of the given numbers. Each depends on the settings and its number alone. */
export function shapesSplit(settings: ShapesSettings, images: { name: string; index: number }[]): Split {
  return {
    names: images.map(({ name }) => name),
    read: async (at) => ({ name: images[at]!.name, ...draw(settings, images[at]!.index) }),
    hash: async () =>
      createHash("sha256")
        .update(JSON.stringify(["Shapes", VERSION, settings, images]))
        .digest("hex"),
  };
}

/** A picture as it is being drawn: `colours` [height, width, 3], `label` [height, width]. */
interface Canvas {
  colours: Float32Array;
  label: Uint8Array;
  height: number;
  width: number;
}

/** One image and its labels, which are exact: a pixel is of the nearest figure that its centre lies in. */
function draw({ seed, classes, height, width }: ShapesSettings, index: number): Pixels {
  const source = random(seed, "shapes", index);
  const kinds = [...FIGURES.slice(0, classes - 1), ...CLUTTER];
  const label = new Uint8Array(height * width);
  const canvas = { colours: drawBackground(height, width, source), label, height, width };
  for (let left = 8 + source.integer(8); left > 0; left--) drawFigure(canvas, choose(kinds, source), source);
  return { image: light(canvas, source), label, height, width };
}

function choose(kinds: Kind[], source: Random): Kind {
  let place = source.uniform() * kinds.reduce((sum, { share }) => sum + share, 0);
  for (const kind of kinds) {
    place -= kind.share;
    if (place < 0) return kind;
  }
  return kinds.at(-1)!;
}

/** A slope between two colours with bent waves over it, [height, width, 3]. */
function drawBackground(height: number, width: number, source: Random): Float32Array {
  const colours = new Float32Array(height * width * 3);
  const [from, to] = [drawColour(source), drawColour(source)];
  const [slopeX, slopeY] = direction(source);
  const [waveX, waveY] = direction(source);
  const frequency = (6 + 30 * source.uniform()) / Math.min(height, width);
  const swell = 3 + 10 * source.uniform();
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const mix = 0.5 + 0.7 * (slopeX * (x / width - 0.5) + slopeY * (y / height - 0.5));
      const along = (waveX * x + waveY * y) * frequency;
      const across = (waveX * y - waveY * x) * frequency;
      const wave = swell * Math.sin(along + 2 * Math.sin(across / 3));
      for (let c = 0; c < 3; c++) colours[at++] = from[c]! + (to[c]! - from[c]!) * mix + wave;
    }
  return colours;
}

/** Paints a figure of the kind at a random place over what is there. */
function drawFigure({ colours, label, height, width }: Canvas, kind: Kind, source: Random): void {
  const { shape, texture, size } = kind;
  const index = FIGURES.indexOf(kind) + 1;
  const side = Math.min(height, width);
  const radius = Math.max(2.5, side * size * (0.1 + 0.16 * source.uniform()));
  const [centreX, centreY] = [source.uniform() * width, source.uniform() * height];
  const [cos, sin] = direction(source);
  const aspect = 0.55 + 0.45 * source.uniform();
  const band = Math.max(1.5, side * (0.018 + 0.022 * source.uniform()));
  const [red, green, blue] = drawColour(source);
  const contrast =
    (texture === "plain" ? 14 : 30 + 25 * source.uniform()) * (source.uniform() < 0.5 ? 1 : -1);
  const inside = OUTLINES[shape];

  const reach = radius * Math.SQRT2;
  const [top, bottom] = [
    Math.max(0, Math.floor(centreY - reach)),
    Math.min(height, Math.ceil(centreY + reach)),
  ];
  const [left, right] = [
    Math.max(0, Math.floor(centreX - reach)),
    Math.min(width, Math.ceil(centreX + reach)),
  ];
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const dx = x + 0.5 - centreX;
      const dy = y + 0.5 - centreY;
      const u = cos * dx + sin * dy;
      const v = cos * dy - sin * dx;
      if (!inside(u / radius, v / radius, aspect)) continue;
      // From -1 to 1: a plain figure is shaded from one end to the other, the others change sign.
      let tone = u / radius;
      if (texture !== "plain") tone = Math.floor(u / band) & 1 ? 1 : -1;
      if (texture === "checks" && Math.floor(v / band) & 1) tone = -tone;
      const at = y * width + x;
      label[at] = index;
      colours[at * 3] = red + contrast * tone;
      colours[at * 3 + 1] = green + contrast * tone;
      colours[at * 3 + 2] = blue + contrast * tone;
    }
}

/** Whether a point is inside a figure of radius 1 around the origin. */
const OUTLINES: Record<Kind["shape"], (u: number, v: number, aspect: number) => boolean> = {
  disc: (u, v) => u * u + v * v < 1,
  box: (u, v, aspect) => Math.abs(u) < 1 && Math.abs(v) < aspect,
  triangle: (u, v) => v > -0.5 && v < 1 - Math.sqrt(3) * Math.abs(u),
  // Five points: the outline runs from 0.4 half-way between two points to 1 at a point.
  star: (u, v) => {
    const fifth = (2 * Math.PI) / 5;
    const angle = (Math.atan2(v, u) + 2 * Math.PI) % fifth;
    return Math.hypot(u, v) < 0.4 + 0.6 * Math.abs((2 * angle) / fifth - 1);
  },
};

/** Light from one side, and noise for each pixel and channel, as bytes. */
function light({ colours, height, width }: Canvas, source: Random): Uint8Array {
  const image = new Uint8ClampedArray(colours.length);
  const [lightX, lightY] = direction(source);
  const [brightness, slope] = [0.8 + 0.3 * source.uniform(), 0.5 * source.uniform()];
  const noise = 4 + 10 * source.uniform();
  // A small generator of its own: a keyed number for each byte would take longer than all the drawing.
  let state = source.integer(2 ** 32);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const strength = brightness + slope * (lightX * (x / width - 0.5) + lightY * (y / height - 0.5));
      for (let c = 0; c < 3; c++, at++) {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        const unit = (state >>> 24) / 256 + ((state >>> 16) & 255) / 256 - 1;
        image[at] = colours[at]! * strength + 2 * noise * unit;
      }
    }
  return new Uint8Array(image.buffer);
}

function drawColour(source: Random): [red: number, green: number, blue: number] {
  const channel = () => 60 + 135 * source.uniform();
  return [channel(), channel(), channel()];
}

function direction(source: Random): [x: number, y: number] {
  const angle = 2 * Math.PI * source.uniform();
  return [Math.cos(angle), Math.sin(angle)];
}
