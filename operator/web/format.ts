// Numbers in words, the same on the terminal and on the page.

/** A whole number with thousands apart: 280,147. */
export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** A share of one in percent with one decimal: 0.639 -> 63.9%. */
export const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;

/** A reward, entropy or loss, to three decimals. */
export const real = (value: number): string => value.toFixed(3);

/** Multiply-accumulates (or another large count) with a unit: 721,000,000 -> 0.72 G. */
export function large(value: number): string {
  if (value >= 1e8) return `${(value / 1e9).toFixed(2)} G`;
  return value >= 1e5 ? `${(value / 1e6).toFixed(1)} M` : whole(value);
}

/** A size in bytes: 1.5 GiB, 300 MiB. */
export const bytes = (value: number): string =>
  value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(1)} GiB` : `${Math.round(value / 2 ** 20)} MiB`;

/** A duration given in seconds, by its two largest units: 42 s, 3 min 5 s, 2 h 10 min, 3 d 4 h. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const pair = (large: number, unit: string, small: number, smallUnit: string) =>
    small > 0 ? `${large} ${unit} ${small} ${smallUnit}` : `${large} ${unit}`;
  if (s < 3600) return pair(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86400) return pair(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return pair(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
}

/** "1 trial", "12 trials". */
export const counted = (n: number, noun: string): string => `${whole(n)} ${noun}${n === 1 ? "" : "s"}`;
