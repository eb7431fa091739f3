// How the keyboard goes through a chart's points. Pure.

/**
 * The place of the point that a key leads to, from the one at `here` (none was shown before where it is undefined); of the
 * places 0 to `last`. Undefined where the key is no such key.
 */
export function nextPoint(key: string, here: number | undefined, last: number): number | undefined {
  const step = new Map([
    ["ArrowRight", 1],
    ["ArrowLeft", -1],
    ["Home", Number.NEGATIVE_INFINITY],
    ["End", Number.POSITIVE_INFINITY],
  ]).get(key);
  if (step === undefined) return undefined;
  // At first the latest, which people want to know of most.
  const next = here === undefined ? (key === "Home" ? 0 : last) : here + step;
  return Math.min(last, Math.max(0, next));
}
