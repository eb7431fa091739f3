// A data set as plain folders: <path>/<split>/images/<name>.jpg and <path>/<split>/labels/<name>.png.
import { join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { find, type Labels, list, type Pair, pair } from "./files.ts";
import { IGNORED } from "./sample.ts";

/** The classes 0 to classes - 1 as they stand in the files; `ignoreLabel`, also below `classes`, is void. */
export function folderLabels(classes: number, ignoreLabel: number | undefined): Labels {
  return {
    classes,
    classOf: (value) => (value === ignoreLabel ? IGNORED : value < classes ? value : undefined),
    advice: (value) =>
      ignoreLabel === undefined
        ? `if ${value} means void, set dataset.ignoreLabel: ${value}`
        : `void is ${ignoreLabel} (dataset.ignoreLabel): change the file, or set dataset.classes`,
  };
}

/**
 * The pairs of a split ("train", "val" or "test"), sorted by name; undefined where the split's folder is missing.
 * Throws UserError for a split that is empty, or has an image without label or a label without image.
 */
export async function folderSplit(path: string, split: string): Promise<Pair[] | undefined> {
  if (!(await list(join(path, split)))) return undefined;
  const folders = { images: join(path, split, "images"), labels: join(path, split, "labels") };
  const images = await find(folders.images, /\.(jpe?g|png|webp)$/i);
  const labels = await find(folders.labels, /\.png$/i);
  if (images.size === 0) {
    throw new UserError(
      `dataset.path: ${folders.images} has no images; add .jpg, .jpeg, .png or .webp files`,
    );
  }
  return pair(images, labels, {
    image: (name) => join(folders.images, `${name}.jpg`),
    label: (name) => join(folders.labels, `${name}.png`),
  });
}
