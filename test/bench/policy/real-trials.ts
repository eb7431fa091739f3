// A landscape made of real trials: 595 uniform architectures that this product trained on `shapes` (160 images of
// 64 x 80, four epochs of stage 0 and two of stage 1), and a ridge regression that predicts the others' rewards.
// node test/bench/policy/real-trials.ts says how well it does, by cross-validation.
import { readFileSync } from "node:fs";
import { AGGREGATES, BLOCKS, ENCODER_NODES, OPERATIONS } from "@segnas/searchspace/architecture.ts";
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import { spearman } from "../../../cli/statistics.ts";

interface Trial {
  decisions: number[];
  reward: number;
}

/** Of the coefficients' squares; of 3, 10, 30 and 100 the one with the smallest cross-validated error. */
const PENALTY = 30;
const FOLDS = 5;

const lines: [string, number][] = JSON.parse(
  readFileSync(new URL("real-trials.json", import.meta.url), "utf8"),
);
const trials: Trial[] = lines.map(([decisions, reward]) => ({
  decisions: [...decisions].map(Number),
  reward,
}));

/** What each block does and reads, template resolved: a choice in a template counts in every block that uses it. */
function featuresOf(decisions: readonly number[]): number[] {
  const { templates, blocks } = fromDecisions(decisions);
  const read = new Set(blocks.flatMap(({ inputs }) => inputs));
  const oneHot = (index: number, length: number) => Array.from({ length }, (_, i) => Number(i === index));
  return blocks.flatMap(({ inputs, template, repeats, stride }, b) => {
    const { operations, aggregate } = templates[template]!;
    return [
      ...operations.flatMap((operation) => oneHot(OPERATIONS.indexOf(operation), OPERATIONS.length)),
      AGGREGATES.indexOf(aggregate),
      repeats,
      stride,
      repeats * (stride - 1),
      ...inputs.flatMap((input) => oneHot(input, BLOCKS + ENCODER_NODES)),
      Number(read.has(b + ENCODER_NODES)),
    ];
  });
}

/** The reward that the regression on these trials predicts. */
function fit(known: readonly Trial[]): (decisions: readonly number[]) => number {
  const rows = known.map(({ decisions }) => featuresOf(decisions));
  const width = rows[0]!.length;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = Array.from({ length: width }, (_, i) => mean(rows.map((row) => row[i]!)));
  const level = mean(known.map(({ reward }) => reward));
  const normal = Array.from({ length: width }, (_, i) => {
    const line = new Array<number>(width + 1).fill(0);
    line[i] = PENALTY;
    return line;
  });
  for (const [n, row] of rows.entries()) {
    const centred = row.map((value, i) => value - means[i]!);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) normal[i]![j]! += centred[i]! * centred[j]!;
      normal[i]![width]! += centred[i]! * (known[n]!.reward - level);
    }
  }
  const weights = solve(normal);
  return (decisions) =>
    featuresOf(decisions).reduce((sum, value, i) => sum + weights[i]! * (value - means[i]!), level);
}

/** The solution of a positive definite system, the right side as the last column, which is overwritten. */
function solve(system: number[][]): number[] {
  const size = system.length;
  for (let i = 0; i < size; i++)
    for (let k = i + 1; k < size; k++) {
      const factor = system[k]![i]! / system[i]![i]!;
      for (let j = i; j <= size; j++) system[k]![j]! -= factor * system[i]![j]!;
    }
  const solution = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const known = solution.reduce((sum, value, j) => (j > i ? sum + system[i]![j]! * value : sum), 0);
    solution[i] = (system[i]![size]! - known) / system[i]![i]!;
  }
  return solution;
}

/** What the regression predicts of trials that it was not fitted to, fold by fold. */
function crossValidated(): { truth: number; predicted: number }[] {
  const order = random(1, "folds").shuffle(trials);
  return Array.from({ length: FOLDS }, (_, fold) => {
    const predict = fit(order.filter((_, i) => i % FOLDS !== fold));
    const judged = order.filter((_, i) => i % FOLDS === fold);
    return judged.map(({ decisions, reward }) => ({ truth: reward, predicted: predict(decisions) }));
  }).flat();
}

/** The deviation of the predictions' error: what the regression does not know, and noise. */
const deviationOf = (judged: { truth: number; predicted: number }[]): number =>
  Math.sqrt(judged.reduce((sum, { truth, predicted }) => sum + (truth - predicted) ** 2, 0) / judged.length);

let fitted: { reward: (decisions: readonly number[]) => number; noise: number } | undefined;

/** The reward as fitted to all trials, with the cross-validated error as noise. Fitted when first asked for. */
export function realTrials() {
  fitted ??= { reward: fit(trials), noise: deviationOf(crossValidated()) };
  return fitted;
}

if (import.meta.main) {
  const judged = crossValidated();
  const correlation = spearman(
    judged.map(({ truth }) => truth),
    judged.map(({ predicted }) => predicted),
  );
  console.log(
    `${trials.length} trials: cross-validated rank correlation ${correlation.toFixed(3)}, error's deviation ${deviationOf(judged).toFixed(4)}`,
  );
}
