// The trials of a search as the browser keeps them, and what charts show of them. Pure.
import type { TrialColumns, TrialsDocument } from "../documents.ts";

export interface Trials extends Omit<TrialsDocument, "from" | "rows" | "open"> {
  /** Those that have settled, in the order in which they did; then those that have not. */
  rows: TrialColumns;
}

/** What was known and what is new; undefined where the two do not fit, and all is to be asked for again. */
export function joined(known: Trials | undefined, told: TrialsDocument): Trials | undefined {
  const { from, rows, open, ...rest } = told;
  if (from === 0) return { ...rest, rows: concat(rows, told.settled, open) };
  if (known?.uid !== told.uid || known.settled !== from) return undefined;
  const before = cut(known.rows, known.settled);
  return { ...rest, rows: concat(concat(before, from, rows), told.settled, open) };
}

const numbers = (rows: TrialColumns) => {
  const { words: _, ...columns } = rows;
  return Object.entries(columns) as [keyof typeof columns, number[]][];
};

function concat(first: TrialColumns, length: number, second: TrialColumns): TrialColumns {
  const words = { ...first.words };
  for (const [row, text] of Object.entries(second.words)) words[Number(row) + length] = text;
  const columns = numbers(first).map(([name, column]) => [name, [...column, ...(second[name] as number[])]]);
  return { ...Object.fromEntries(columns), words };
}

function cut(rows: TrialColumns, length: number): TrialColumns {
  const words = Object.entries(rows.words).filter(([row]) => Number(row) < length);
  const columns = numbers(rows).map(([name, column]) => [name, column.slice(0, length)]);
  return { ...Object.fromEntries(columns), words: Object.fromEntries(words) };
}

/** The rows of settled trials by index. */
function byIndex({ rows, settled }: Trials): number[] {
  const order = Array.from({ length: settled }, (_, row) => row);
  return order.sort((a, b) => rows.index[a]! - rows.index[b]!);
}

/** Over how many trials a mean is taken: a tenth of them, from 3 to 50. */
export const meanWidth = (trials: number): number => Math.min(50, Math.max(3, Math.round(trials / 10)));

type Values = (number | null)[];

export interface RewardSeries {
  /** Rows of the trials, so that a point can be asked for its trial. */
  row: number[];
  index: number[];
  reward: Values;
  /** Of the last trials with a reward. */
  mean: Values;
  /** So far. */
  best: Values;
  /** 0 where a trial has failed. */
  failed: Values;
}

/** Rewards over trials, in the order of their numbers. */
export function rewardSeries(trials: Trials): RewardSeries {
  const { rows, outcomes } = trials;
  const succeeded = outcomes.indexOf("Succeeded");
  const row = byIndex(trials);
  const series: RewardSeries = {
    row,
    index: row.map((it) => rows.index[it]!),
    reward: [],
    mean: [],
    best: [],
    failed: [],
  };
  const width = meanWidth(row.length);
  const last: number[] = [];
  let sum = 0;
  let best: number | null = null;
  for (const it of row) {
    const reward = rows.outcome[it] === succeeded ? rows.reward[it]! : null;
    if (reward !== null) {
      last.push(reward);
      sum += reward;
      if (last.length > width) sum -= last[last.length - 1 - width]!;
      best = best === null ? reward : Math.max(best, reward);
    }
    series.reward.push(reward);
    series.mean.push(reward === null ? null : sum / Math.min(width, last.length));
    series.best.push(best);
    series.failed.push(reward === null ? 0 : null);
  }
  return series;
}

export interface SizeSeries {
  row: number[];
  parameters: number[];
  reward: Values;
  /** The rewards of those that no other beats in both. */
  front: Values;
}

/** Rewards against parameters, the smallest network first. */
export function sizeSeries({ rows, settled }: Trials): SizeSeries {
  const row = Array.from({ length: settled }, (_, it) => it)
    .filter((it) => rows.reward[it] !== null && rows.parameters[it] !== null)
    .sort((a, b) => rows.parameters[a]! - rows.parameters[b]! || rows.reward[b]! - rows.reward[a]!);
  let best = Number.NEGATIVE_INFINITY;
  const front = row.map((it) => {
    const reward = rows.reward[it]!;
    if (reward <= best) return null;
    best = reward;
    return reward;
  });
  return {
    row,
    parameters: row.map((it) => rows.parameters[it]!),
    reward: row.map((it) => rows.reward[it]!),
    front,
  };
}

export interface OperationSeries {
  /** The last trial of each window. */
  index: number[];
  /** By operation, its share of the choices in each window. */
  shares: number[][];
  /** Trials in a window. */
  width: number;
}

const CHOICES = 6;
const POINTS = 240;

/** The least trials in a window. */
const LEAST_WINDOW = 10;

/** Whether there are more trials with an architecture than one window takes. */
export const hasChosen = ({ rows }: Trials): boolean =>
  rows.operations.filter((it) => it !== null).length > LEAST_WINDOW;

/**
 * How often each operation was chosen, over the last trials up to each. The policy draws what it proposes, so this is
 * the probability that it gives to the operation, but for chance.
 */
export function operationSeries(trials: Trials): OperationSeries {
  const { rows, operations } = trials;
  const kinds = operations.length;
  const row = byIndex(trials).filter((it) => rows.operations[it] !== null);
  const width = Math.min(200, Math.max(LEAST_WINDOW, Math.round(row.length / 8)));
  const counts = new Array<number>(kinds).fill(0);
  const count = (it: number, by: number) => {
    let code = rows.operations[it]!;
    for (let choice = 0; choice < CHOICES; choice++) {
      counts[code % kinds]! += by;
      code = Math.floor(code / kinds);
    }
  };
  const step = Math.max(1, Math.floor(row.length / POINTS));
  const series: OperationSeries = { index: [], shares: operations.map(() => []), width };
  for (const [i, it] of row.entries()) {
    count(it, 1);
    if (i >= width) count(row[i - width]!, -1);
    if (i < width - 1 || (row.length - 1 - i) % step !== 0) continue;
    series.index.push(rows.index[it]!);
    for (const [kind, shares] of series.shares.entries()) shares.push(counts[kind]! / (width * CHOICES));
  }
  return series;
}

/** Seconds that the rest of a search takes, from the mean of the trials so far; undefined before the first. */
export function secondsLeft(
  { rows, outcomes, settled }: Trials,
  maxTrials: number,
  atATime: number,
): number | undefined {
  const succeeded = outcomes.indexOf("Succeeded");
  let sum = 0;
  let count = 0;
  for (let row = 0; row < settled; row++) {
    const seconds = rows.seconds[row];
    if (rows.outcome[row] !== succeeded || seconds === null || seconds === undefined) continue;
    sum += seconds;
    count++;
  }
  return count === 0 ? undefined : (Math.max(0, maxTrials - settled) * sum) / count / atATime;
}

export interface Filter {
  /** In a trial's name or words. */
  text: string;
  /** Places in `outcomes`; all where empty. */
  outcomes: ReadonlySet<number>;
  minReward?: number | undefined;
  maxParameters?: number | undefined;
}

export type Column = Exclude<keyof TrialColumns, "words" | "operations">;

export interface Order {
  column: Column;
  descending: boolean;
}

/** The rows that a filter lets through, in order; what has no value in the column comes last. */
export function chosenRows(
  { rows, search }: Trials,
  filter: Filter,
  { column, descending }: Order,
): number[] {
  const text = filter.text.trim().toLowerCase();
  const values = rows[column];
  const chosen: number[] = [];
  for (let row = 0; row < rows.index.length; row++) {
    if (filter.outcomes.size > 0 && !filter.outcomes.has(rows.outcome[row]!)) continue;
    if (filter.minReward !== undefined && !((rows.reward[row] ?? -Infinity) >= filter.minReward)) continue;
    if (filter.maxParameters !== undefined && !((rows.parameters[row] ?? Infinity) <= filter.maxParameters))
      continue;
    if (text && !`${search}-${rows.index[row]}\n${rows.words[row] ?? ""}`.toLowerCase().includes(text))
      continue;
    chosen.push(row);
  }
  const sign = descending ? -1 : 1;
  return chosen.sort((a, b) => {
    const [x, y] = [values[a], values[b]];
    if (x === y) return rows.index[a]! - rows.index[b]!;
    if (x === null || x === undefined) return 1;
    return y === null || y === undefined ? -1 : sign * (x - y);
  });
}
