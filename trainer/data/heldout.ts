// Which training images are held out to give the reward: contiguous frames, never random frames of one film.
import { UserError } from "@segnas/searchspace/errors.ts";

/** The film that an image belongs to, by its name without the last run of digits: 0001TP_006690 is of 0001TP_. */
export function film(name: string): string {
  return splitName(name).film;
}

function splitName(name: string): { film: string; frame: number } {
  const match = /^(.*?)(\d+)\D*$/s.exec(name);
  return match ? { film: match[1]!, frame: Number(match[2]) } : { film: name, frame: 0 };
}

/** Whether a comes before b, as needed by `sort`: by code units, so the order is the same in every language. */
export function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Divides images into a training and a held-out part, round(share x images) of them held out.
 *
 * Each film gives its last frames: one run a film, so every scene, and with it nearly every class, is on both
 * sides without a look at the labels; and a run at the end of its film has neighbours in the training part on
 * one side only. How many each film gives follows from rounding share x (frames so far), so films too short
 * to give a part of themselves are held out whole, evenly spread.
 * `filmOf` tells the film of a name. Both parts come in the order of film, frame, name.
 * Throws UserError if one side would be empty.
 */
export function holdOut<T extends { name: string }>(
  images: readonly T[],
  share: number,
  filmOf: (name: string) => string = film,
): { training: T[]; heldOut: T[] } {
  const total = images.length;
  const wanted = Math.round(share * total);
  if (total < 2)
    throw new UserError("dataset: one training image is too few; give at least two, one to hold out");
  if (wanted === 0 || wanted === total) {
    const side = wanted === 0 ? "holds out none" : "leaves none to train on";
    const [low, high] = [Math.ceil(100 / total) / 100, Math.floor(100 - 100 / total) / 100];
    throw new UserError(
      `dataset.heldOut: ${share} of ${total} training images ${side}; write a share from "${low}" to "${high}"`,
    );
  }

  const sorted = [...images].sort(
    (a, b) =>
      compare(filmOf(a.name), filmOf(b.name)) ||
      compare(film(a.name), film(b.name)) ||
      compare(splitName(a.name).frame, splitName(b.name).frame) ||
      compare(a.name, b.name),
  );
  const training: T[] = [];
  const heldOut: T[] = [];
  for (let start = 0, end = 0; start < total; start = end) {
    const name = filmOf(sorted[start]!.name);
    while (end < total && filmOf(sorted[end]!.name) === name) end++;
    const cut = end - (Math.round(share * end) - Math.round(share * start));
    training.push(...sorted.slice(start, cut));
    heldOut.push(...sorted.slice(cut, end));
  }
  return { training, heldOut };
}
