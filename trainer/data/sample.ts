// What a data set is made of: pixels with their labels, and splits that read them one at a time.

/** The one label value for void inside the trainer, whatever the files write: it counts in no loss and no metric. */
export const IGNORED = 255;

/** An image and its labels. */
export interface Pixels {
  /** RGB, [height, width, 3]. */
  image: Uint8Array;
  /** Class index or IGNORED, [height, width]. */
  label: Uint8Array;
  height: number;
  width: number;
}

/** One image of a data set. */
export interface Sample extends Pixels {
  /** Unique within its split. */
  name: string;
}

/** Part of a data set, in a fixed order. */
export interface Split {
  names: string[];
  /** Decodes the image at a place in `names`. Throws UserError for a file that is damaged or has a wrong label. */
  read(index: number): Promise<Sample>;
  /** SHA-256, in hex, of everything that `read` depends on: equal hashes mean equal samples. */
  hash(): Promise<string>;
}

/** At most `most` of the places 0 to `count` - 1, evenly spread: films follow each other in a split. */
export function spread(count: number, most: number): number[] {
  const size = Math.min(count, most);
  return Array.from({ length: size }, (_, i) => Math.floor((i * count) / size));
}
