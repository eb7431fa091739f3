// An image in tiles that are evaluated one at a time, for where a whole image is too large.
import type { Size } from "./augment.ts";
import type { Pixels } from "./sample.ts";

/** A stretch of an axis: the tile's own pixels, and those of them that count. */
export interface Stretch {
  from: number;
  length: number;
  /** In pixels of the axis. */
  countFrom: number;
  countTo: number;
}

/**
 * As few tiles of at most `tile` pixels as cover `size`, evenly spread: all lie within the image, and neighbours
 * overlap as it comes. A pixel counts where it lies further from the tile's edge: overlaps are shared in the middle.
 */
export function stretches(size: number, tile: number): Stretch[] {
  const length = Math.min(size, tile);
  const count = Math.ceil(size / length);
  const from = (i: number) => (count === 1 ? 0 : Math.round((i * (size - length)) / (count - 1)));
  const border = (i: number) =>
    i === 0 ? 0 : i === count ? size : Math.floor((from(i - 1) + length + from(i)) / 2);
  return Array.from({ length: count }, (_, i) => ({
    from: from(i),
    length,
    countFrom: border(i),
    countTo: border(i + 1),
  }));
}

/** The tiles of an image, row by row. */
export function tilesOf({ height, width }: Size, tile: Size): { rows: Stretch; columns: Stretch }[] {
  const columns = stretches(width, tile.width);
  return stretches(height, tile.height).flatMap((rows) => columns.map((it) => ({ rows, columns: it })));
}

/** A tile's pixels. */
export function cut({ image, label, width }: Pixels, rows: Stretch, columns: Stretch): Pixels {
  const [height, across] = [rows.length, columns.length];
  const part = { image: new Uint8Array(height * across * 3), label: new Uint8Array(height * across) };
  for (let y = 0; y < height; y++) {
    const at = (rows.from + y) * width + columns.from;
    part.image.set(image.subarray(at * 3, (at + across) * 3), y * across * 3);
    part.label.set(label.subarray(at, at + across), y * across);
  }
  return { ...part, height, width: across };
}
