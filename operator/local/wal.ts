// SQLite's write-ahead log, looked at before SQLite reads it: that drops all that follows a frame whose checksum fails,
// in silence. A write that a kill tore is the last one and no loss; a changed byte has whole transactions behind it.
// The format: https://www.sqlite.org/fileformat2.html#walformat
const HEADER = 32;
const FRAME_HEADER = 24;
const MAGIC = 0x377f0682;
const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

type Sum = readonly [number, number];

interface Layout {
  pageSize: number;
  /** Whether checksums are of big-endian words. */
  isBigEndian: boolean;
  /** What frames carry that were written since the log began anew; any where it is undefined. */
  salts: Buffer | undefined;
}

/**
 * The byte from which on SQLite drops what the log holds, where that is a transaction that was wholly written: from a
 * damaged frame on, or 0 for a damaged header. Undefined where nothing is lost.
 */
export function lostFrom(log: Buffer): number | undefined {
  if (log.length < HEADER) return undefined;
  const magic = log.readUInt32BE(0);
  const isBigEndian = magic === MAGIC + 1;
  const stored = sumAt(log, 24);
  const summed = sumOf([0, 0], log.subarray(0, 24), isBigEndian);
  if ((magic === MAGIC || isBigEndian) && isSame(stored, summed)) {
    const layout = { pageSize: log.readUInt32BE(8), isBigEndian, salts: log.subarray(16, 24) };
    return walk(log, layout, [stored]);
  }
  // What it said is not to be relied on, so that every layout is tried.
  const isLost = [false, true].some((isBigEndian) => {
    const starts = [stored, sumOf([0, 0], log.subarray(0, 24), isBigEndian)];
    return PAGE_SIZES.some(
      (pageSize) => walk(log, { pageSize, isBigEndian, salts: undefined }, starts, 0) !== undefined,
    );
  });
  return isLost ? 0 : undefined;
}

/**
 * Where the first frame lies that is not right, if one that ends a transaction is right behind it; checksums go on from
 * frame to frame, and behind a wrong one from what it says itself.
 * @param starts the checksums that the first frame's may go on from
 * @param broken the place of what is known to be wrong before the frames
 */
function walk(
  log: Buffer,
  { pageSize, isBigEndian, salts }: Layout,
  starts: Sum[],
  broken?: number,
): number | undefined {
  const size = FRAME_HEADER + pageSize;
  for (let at = HEADER; at + size <= log.length; at += size) {
    const frame = log.subarray(at, at + size);
    const stored = sumAt(frame, 16);
    const isOfNow = !salts || salts.equals(frame.subarray(8, 16));
    const sums = isOfNow ? starts.map((start) => frameSum(start, frame, isBigEndian)) : [];
    const isRight = sums.some((sum) => isSame(sum, stored));
    if (!isRight) broken ??= at;
    // The size of the database after it, which only the last frame of a transaction has. What one that was rolled back
    // left behind has none.
    else if (broken !== undefined && frame.readUInt32BE(4) > 0) return broken;
    // Where the checksum itself was changed, the next goes on from what it was.
    starts = isRight ? [stored] : [stored, ...sums.slice(0, 1)];
  }
  return undefined;
}

const frameSum = (start: Sum, frame: Buffer, isBigEndian: boolean): Sum =>
  sumOf(sumOf(start, frame.subarray(0, 8), isBigEndian), frame.subarray(FRAME_HEADER), isBigEndian);

/** Of a whole number of pairs of 32-bit words. */
function sumOf([a, b]: Sum, bytes: Buffer, isBigEndian: boolean): Sum {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < bytes.length; i += 8) {
    a = (a + words.getUint32(i, !isBigEndian) + b) >>> 0;
    b = (b + words.getUint32(i + 4, !isBigEndian) + a) >>> 0;
  }
  return [a, b];
}

/** As it is stored, which is big-endian always. */
const sumAt = (bytes: Buffer, at: number): Sum => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];

const isSame = (a: Sum, b: Sum): boolean => a[0] === b[0] && a[1] === b[1];
