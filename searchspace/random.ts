// Random numbers that depend only on a seed and a key, not on what was drawn elsewhere: Philox4x32-10
// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
import { createHash } from "node:crypto";

/** Four 32-bit words, each a number from 0 to 2^32 - 1. */
export type Words4 = [number, number, number, number];

const ROUNDS = 10;

/** High and low 32 bits of a product of two 32-bit numbers. */
function multiply(a: number, b: number): [high: number, low: number] {
  const low = Math.imul(a, b) >>> 0;
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return [(aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0, low];
}

/** The Philox4x32-10 function: 128 random bits of a counter of 128 bits and a key of 64. */
export function philox(counter: Words4, key: [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const [high0, low0] = multiply(0xd2511f53, c0);
    const [high1, low1] = multiply(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** One stream of random numbers. */
export interface Random {
  /** In [0, 1), with 53 random bits. */
  uniform(): number;
  /** A whole number from 0 to n - 1. */
  integer(n: number): number;
  /** Mean 0, deviation 1 (Box and Muller). */
  normal(): number;
  /** A new array of the items in random order (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * The stream that a seed and a key pick, e.g. `random(spec.seed, "trial", 17)`. The same arguments give the
 * same stream; others, the number 1 and the string "1" included, give one that is independent of it.
 */
export function random(seed: number, ...key: (number | string)[]): Random {
  const hash = createHash("sha256")
    .update(JSON.stringify([seed, ...key]))
    .digest();
  const word = (index: number) => hash.readUInt32LE(index * 4);
  // The hash fills the key and the counter's upper half; the lower half counts blocks of four words.
  const philoxKey: [number, number] = [word(0), word(1)];
  const upper: [number, number] = [word(2), word(3)];
  let block = 0;
  let spare: [number, number] | undefined;

  function uniform(): number {
    let pair = spare;
    spare = undefined;
    if (pair === undefined) {
      const words = philox([block >>> 0, Math.floor(block / 2 ** 32), upper[0], upper[1]], philoxKey);
      block++;
      pair = [words[0], words[1]];
      spare = [words[2], words[3]];
    }
    return ((pair[0] >>> 5) * 2 ** 26 + (pair[1] >>> 6)) / 2 ** 53;
  }
  const integer = (n: number) => Math.floor(uniform() * n);

  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle(items) {
      const shuffled = [...items];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
      }
      return shuffled;
    },
  };
}
