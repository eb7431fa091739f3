// CityScapes as its makers pack it: leftImg8bit/<split>/<city>/ and gtFine/<split>/<city>/, labelIds mapped to trainIds.
import { join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { find, type Labels, list, type Pair, pair } from "./files.ts";
import { IGNORED } from "./sample.ts";

/** The 19 classes in the order of their trainIds, with their labelIds (cityscapesScripts, helpers/labels.py). */
const CLASSES: [name: string, labelId: number][] = [
  ["road", 7],
  ["sidewalk", 8],
  ["building", 11],
  ["wall", 12],
  ["fence", 13],
  ["pole", 17],
  ["traffic light", 19],
  ["traffic sign", 20],
  ["vegetation", 21],
  ["terrain", 22],
  ["sky", 23],
  ["person", 24],
  ["rider", 25],
  ["car", 26],
  ["truck", 27],
  ["bus", 28],
  ["train", 31],
  ["motorcycle", 32],
  ["bicycle", 33],
];

export const cityscapesNames = CLASSES.map(([name]) => name);

const trainIds = new Map(CLASSES.map(([, labelId], trainId) => [labelId, trainId]));

/** labelIds as trainIds; every other labelId is void. */
export const cityscapesLabels: Labels = {
  classes: CLASSES.length,
  classOf: (value) => trainIds.get(value) ?? IGNORED,
  advice: () => "",
};

/**
 * The film of an image is its city: one drive, in the order of sequence and frame. The sequence number alone would
 * not do, as most cities give each snippet of a drive, one labelled frame of it, a number of its own.
 */
export function city(name: string): string {
  return name.split("_", 1)[0]!;
}

/**
 * The pairs of a split, by city and name; undefined where the split is missing, and for "test", whose published
 * labels are blank. Throws UserError for a split that is empty, or an image without label and the other way round.
 */
export async function cityscapesSplit(path: string, split: string): Promise<Pair[] | undefined> {
  if (split === "test") return undefined;
  const [imageRoot, labelRoot] = [join(path, "leftImg8bit", split), join(path, "gtFine", split)];
  const cities = await list(imageRoot);
  if (!cities) return undefined;
  const pairs: Pair[] = [];
  for (const name of cities) {
    const [imageFolder, labelFolder] = [join(imageRoot, name), join(labelRoot, name)];
    const images = await find(imageFolder, /_leftImg8bit\.png$/);
    const labels = await find(labelFolder, /_gtFine_labelIds\.png$/);
    pairs.push(
      ...pair(images, labels, {
        image: (sample) => join(imageFolder, `${sample}_leftImg8bit.png`),
        label: (sample) => join(labelFolder, `${sample}_gtFine_labelIds.png`),
      }),
    );
  }
  if (pairs.length === 0) {
    throw new UserError(`dataset.path: ${imageRoot} has no images; add <city>/<name>_leftImg8bit.png files`);
  }
  return pairs;
}
