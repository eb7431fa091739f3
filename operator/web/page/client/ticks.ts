// Where the axis of sizes has its numbers, and how other axes write theirs.

/** Logarithms of round numbers between two logarithms: at most seven. */
export function roundSizes(low: number, high: number): number[] {
  const [least, most] = [10 ** low, 10 ** high];
  if (most < 8 * least) {
    const unit = 10 ** Math.floor(Math.log10(most - least));
    const step = unit * [0.2, 0.5, 1, 2].find((it) => (most - least) / (unit * it) <= 6)!;
    const first = Math.ceil(least / step);
    return Array.from({ length: Math.floor(most / step) - first + 1 }, (_, i) =>
      Math.log10((first + i) * step),
    );
  }
  const decades = Array.from({ length: Math.ceil(high) - Math.floor(low) }, (_, i) => Math.floor(low) + i);
  const all = decades.flatMap((decade) => [1, 2, 5].map((it) => decade + Math.log10(it)));
  const inside = all.filter((it) => it >= low && it <= high);
  return inside.length <= 7 ? inside : inside.filter((it) => Number.isInteger(it));
}

/** Ticks that are multiples of `step`, with as many decimals as that has: so no two are written alike. */
export function tickLabels(ticks: number[], step: number): string[] {
  const round = Number(step.toPrecision(6));
  let decimals = 0;
  while (decimals < MOST_DECIMALS && Number(round.toFixed(decimals)) !== round) decimals++;
  return ticks.map((tick) => tick.toFixed(decimals));
}

const MOST_DECIMALS = 20;
