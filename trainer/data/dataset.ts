// The `dataset` field of a search: what it may say, and the data set that it opens.
import { UserError } from "@segnas/searchspace/errors.ts";
import { choice, fields, integer, show } from "@segnas/searchspace/fields.ts";
import { city, cityscapesLabels, cityscapesNames, cityscapesSplit } from "./cityscapes.ts";
import { fileSplit, list, type Pair } from "./files.ts";
import { folderLabels, folderSplit } from "./folder.ts";
import { film, holdOut } from "./heldout.ts";
import type { Split } from "./sample.ts";
import { shapesNames, shapesSplit } from "./shapes.ts";

export { IGNORED, type Pixels, type Split } from "./sample.ts";

/** `dataset` as it is written; reals are decimal strings. */
export interface DatasetSpec {
  format: "Folder" | "CityScapes" | "Shapes";
  /** Where the files are; Shapes has none. */
  path?: string;
  classes?: number;
  classNames?: string[];
  /** The one value in label files that is void (Folder). */
  ignoreLabel?: number;
  /** The share of the training images that gives the reward, "0.1" by default. */
  heldOut?: string;
  shapes?: { images?: number; height?: number; width?: number };
}

export interface Dataset {
  classes: number;
  classNames: string[];
  training: Split;
  /** The part of the training images that the reward is measured on. */
  heldOut: Split;
  /** The data set's own, for people to report on: no reward comes from them. */
  validation?: Split;
  test?: Split;
}

const FORMATS = ["Folder", "CityScapes", "Shapes"] as const;
const FIELDS = ["format", "path", "classes", "classNames", "ignoreLabel", "heldOut", "shapes"] as const;

/** Checks the field `dataset`; `field` is its path in messages. Throws UserError. */
export function parseDataset(value: unknown, field = "dataset"): DatasetSpec {
  const given = fields(value, field, FIELDS, ["format"]);
  const { path, classNames, heldOut } = given;
  const format = choice(given.format, `${field}.format`, FORMATS);
  const spec: DatasetSpec = { format };

  if (format === "Shapes") {
    if (path !== undefined) throw new UserError(`${field}.path: Shapes has no files; remove it`);
  } else if (path === undefined) {
    throw new UserError(`${field}.path: is missing, write where the data set is`);
  } else if (typeof path !== "string" || path === "") {
    throw new UserError(`${field}.path: ${show(path)} is no folder; write where the data set is`);
  } else spec.path = path;

  if (given.classes !== undefined) spec.classes = integer(given.classes, `${field}.classes`, 2, 254);
  const known = { Folder: undefined, CityScapes: cityscapesNames.length, Shapes: shapesNames.length }[format];
  if (format === "Folder" && spec.classes === undefined) {
    throw new UserError(`${field}.classes: is missing; write the number of classes, void not counted`);
  }
  if (format === "CityScapes" && spec.classes !== undefined && spec.classes !== known) {
    throw new UserError(`${field}.classes: CityScapes has ${known}, not ${spec.classes}; remove it`);
  }
  if (format === "Shapes" && (spec.classes ?? 2) > known!) {
    throw new UserError(`${field}.classes: Shapes has at most ${known}, not ${spec.classes}`);
  }

  if (classNames !== undefined) {
    const count = spec.classes ?? known!;
    if (!Array.isArray(classNames) || !classNames.every((name) => typeof name === "string")) {
      throw new UserError(
        `${field}.classNames: ${show(classNames)} is no list of names; write one for each class`,
      );
    }
    if (classNames.length !== count) {
      throw new UserError(
        `${field}.classNames: has ${classNames.length} names for ${count} classes; name each`,
      );
    }
    spec.classNames = classNames;
  }
  if (given.ignoreLabel !== undefined) {
    if (format !== "Folder") throw new UserError(`${field}.ignoreLabel: ${format} knows its own; remove it`);
    spec.ignoreLabel = integer(given.ignoreLabel, `${field}.ignoreLabel`, 0, 255);
  }
  if (heldOut !== undefined) {
    const decimal = typeof heldOut === "string" && /^\d*\.?\d+$/.test(heldOut);
    if (!decimal || Number(heldOut) <= 0 || Number(heldOut) >= 1) {
      throw new UserError(
        `${field}.heldOut: ${show(heldOut)} is no share; write a decimal string between 0 and 1, like "0.1"`,
      );
    }
    spec.heldOut = heldOut;
  }
  if (given.shapes !== undefined) {
    if (format !== "Shapes") throw new UserError(`${field}.shapes: is for format Shapes only; remove it`);
    const shapes = fields(given.shapes, `${field}.shapes`, ["images", "height", "width"], []);
    spec.shapes = {};
    for (const [name, low] of [
      ["images", 2],
      ["height", 32],
      ["width", 32],
    ] as const) {
      if (shapes[name] !== undefined)
        spec.shapes[name] = integer(shapes[name], `${field}.shapes.${name}`, low, 1e6);
    }
  }
  return spec;
}

/**
 * Opens a data set: lists its files but decodes none. `seed` is that of Shapes' images; give it the same for all
 * trials of a search, or they are judged on different images. Throws UserError naming the field or the file.
 */
export async function openDataset(spec: DatasetSpec, seed: number): Promise<Dataset> {
  const share = Number(spec.heldOut ?? "0.1");

  if (spec.format === "Shapes") {
    const { images = 200, height = 96, width = 128 } = spec.shapes ?? {};
    const classes = spec.classes ?? shapesNames.length;
    const settings = { seed, classes, height, width };
    const all = Array.from({ length: images }, (_, index) => ({ name: `shapes_${index}`, index }));
    const { training, heldOut } = holdOut(all, share);
    return {
      classes,
      classNames: spec.classNames ?? shapesNames.slice(0, classes),
      training: shapesSplit(settings, training),
      heldOut: shapesSplit(settings, heldOut),
    };
  }

  const { format, classNames } = spec;
  const path = spec.path!;
  if (!(await list(path)))
    throw new UserError(`dataset.path: there is no folder ${path}; write where the data set is`);
  const [labels, find, filmOf] =
    format === "Folder"
      ? [folderLabels(spec.classes!, spec.ignoreLabel), folderSplit, film]
      : [cityscapesLabels, cityscapesSplit, city];
  const [train, val, test] = [await find(path, "train"), await find(path, "val"), await find(path, "test")];
  if (!train) {
    const folder = format === "Folder" ? "train" : "leftImg8bit/train";
    throw new UserError(
      `dataset.path: ${path} has no folder ${folder}; add it, or write where the data set is`,
    );
  }
  const { training, heldOut } = holdOut(train, share, filmOf);
  const split = (pairs: Pair[]) => fileSplit(pairs, labels, format);
  const numbers = Array.from({ length: labels.classes }, (_, index) => String(index));
  return {
    classes: labels.classes,
    classNames: classNames ?? (format === "Folder" ? numbers : cityscapesNames),
    training: split(training),
    heldOut: split(heldOut),
    ...(val && { validation: split(val) }),
    ...(test && { test: split(test) }),
  };
}
