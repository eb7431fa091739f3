// The report's charts: plain data in, SVG text out (Observable Plot on linkedom, no browser).
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { PolicyUpdate } from "../controllers/architecturesearch/knowledge.ts";
import { percent, real, whole } from "./report-format.ts";

/** A settled trial as the charts see it. `reward` is absent where the trial failed. */
export interface ChartTrial {
  index: number;
  name: string;
  reward?: number;
  meanIoU?: number;
  parameters: number;
  cause?: string;
}

type Scored = ChartTrial & { reward: number };
const isScored = (trial: ChartTrial): trial is Scored => trial.reward !== undefined;

/** Mean of the rewards up to each trial, over a window of at most `width` trials. */
export function runningMean(trials: ChartTrial[], width: number): { index: number; mean: number }[] {
  const scored = trials.filter(isScored);
  return scored.map((trial, i) => {
    const window = scored.slice(Math.max(0, i + 1 - width), i + 1);
    return { index: trial.index, mean: window.reduce((sum, t) => sum + t.reward, 0) / window.length };
  });
}

/** Trials that no other beats in both reward and parameters, from the smallest network to the largest. */
export function paretoFront<T extends { reward?: number; parameters: number }>(trials: T[]): T[] {
  const bySize = trials
    .filter((trial) => trial.reward !== undefined)
    .sort((a, b) => a.parameters - b.parameters || b.reward! - a.reward!);
  let best = Number.NEGATIVE_INFINITY;
  return bySize.filter((trial) => {
    const better = trial.reward! > best;
    best = Math.max(best, trial.reward!);
    return better;
  });
}

/** How many trials the running mean spans: a tenth of them, from 3 to 50. */
export const meanWidth = (trials: number): number => Math.min(50, Math.max(3, Math.round(trials / 10)));

const title = (trial: ChartTrial): string =>
  isScored(trial)
    ? `${trial.name}: reward ${real(trial.reward)}` +
      (trial.meanIoU === undefined ? "" : `, mIoU ${percent(trial.meanIoU)}`) +
      `, ${whole(trial.parameters)} parameters`
    : `${trial.name}: failed (${trial.cause ?? "unknown"})`;

const INK = { point: "var(--point)", line: "var(--line)", best: "var(--best)", fail: "var(--fail)" };

function draw(label: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML("<html><body></body></html>");
  const figure = Plot.plot({
    document,
    className: "plot",
    width: 440,
    height: 290,
    marginTop: 28,
    marginBottom: 40,
    marginLeft: 48,
    marginRight: 16,
    ...options,
  });
  // Plot names its parts, which are no elements of their own for who listens.
  for (const part of figure.querySelectorAll("g[aria-label]")) part.removeAttribute("aria-label");
  figure.setAttribute("role", "img");
  figure.setAttribute("aria-label", label);
  return figure.outerHTML;
}

/** Reward over trials: each trial, the running mean, the best so far; failed trials as crosses at the foot. */
export function rewardChart(trials: ChartTrial[]): string {
  const scored = trials.filter(isScored);
  const failed = trials.filter((trial) => !isScored(trial));
  const last = Math.max(1, ...trials.map((trial) => trial.index));
  let top = Number.NEGATIVE_INFINITY;
  const best = scored.map((trial) => {
    top = Math.max(top, trial.reward);
    return { index: trial.index, best: top };
  });
  if (best.length > 0) best.push({ index: last, best: top });
  const radius = trials.length > 100 ? 2 : 3.5;
  const foot = Math.min(0, ...scored.map((trial) => trial.reward));
  return draw(`Reward of ${trials.length} trials in their order`, {
    x: { label: "trial", domain: [0, last], ...(last < 12 ? { ticks: last } : {}), tickFormat: "d" },
    y: { label: "reward", grid: true, zero: true, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: "var(--faint)" }),
      Plot.lineY(best, { x: "index", y: "best", curve: "step-after", stroke: INK.best, strokeWidth: 2 }),
      Plot.lineY(runningMean(trials, meanWidth(trials.length)), {
        x: "index",
        y: "mean",
        stroke: INK.line,
        strokeWidth: 2,
        strokeDasharray: "6 4",
      }),
      Plot.dot(scored, { x: "index", y: "reward", r: radius, fill: INK.point, fillOpacity: 0.75, title }),
      Plot.dot(failed, { x: "index", y: () => foot, r: radius, symbol: "times", stroke: INK.fail, title }),
    ],
  });
}

/** Of points in order, those that leave room for a label: at least a twelfth of the chart from the one before. */
function withRoom(front: Scored[], size: [number, number], rewards: [number, number]): Scored[] {
  const place = ({ parameters, reward }: Scored): [number, number] => [
    Math.log(parameters / size[0]) / Math.log(size[1] / size[0]),
    (reward - rewards[0]) / (rewards[1] - rewards[0]),
  ];
  const kept: Scored[] = [];
  for (const trial of front.toReversed()) {
    const [x, y] = place(trial);
    const [lastX, lastY] = kept.length > 0 ? place(kept.at(-1)!) : [Infinity, Infinity];
    if (Math.abs(lastX - x) > 1 / 12 || Math.abs(lastY - y) > 1 / 12) kept.push(trial);
  }
  return kept;
}

/** Smallest and largest, with a little air (a factor) around them. */
function extent(values: number[], air: number): [number, number] {
  return [Math.min(...values) / air, Math.max(...values) * air];
}

/** Reward against parameters (log scale), with the Pareto front as large dots on a stepped line. */
export function paretoChart(trials: ChartTrial[]): string {
  const scored = trials.filter(isScored);
  const front = paretoFront(scored);
  const onFront = new Set(front);
  const size = extent(
    scored.map((trial) => trial.parameters),
    1.12,
  );
  const [low, high] = extent(
    scored.map((trial) => trial.reward),
    1.05,
  );
  const rewards: [number, number] = [low, Math.max(high, low + 0.01)];
  const line = front.map(({ parameters, reward }) => ({ parameters, reward }));
  line.push({ parameters: size[1], reward: front.at(-1)!.reward });
  return draw(`Reward against parameters; ${front.length} of ${scored.length} trials on the Pareto front`, {
    marginTop: 34,
    x: { label: "parameters", type: "log", domain: size, tickFormat: "~s", ticks: 4 },
    y: { label: "reward", grid: true, domain: rewards },
    marks: [
      Plot.line(line, {
        x: "parameters",
        y: "reward",
        curve: "step-after",
        stroke: INK.best,
        strokeWidth: 1.5,
      }),
      Plot.dot(
        scored.filter((trial) => !onFront.has(trial)),
        {
          x: "parameters",
          y: "reward",
          r: scored.length > 100 ? 2 : 3.5,
          fill: INK.point,
          fillOpacity: 0.6,
          title,
        },
      ),
      Plot.dot(front, { x: "parameters", y: "reward", r: 5, fill: INK.best, title }),
      Plot.text(withRoom(front, size, rewards), {
        x: "parameters",
        y: "reward",
        text: (trial: Scored) => String(trial.index),
        dy: -12,
        fontSize: 12,
        fill: "currentColor",
        stroke: "var(--page)",
        strokeWidth: 3,
      }),
    ],
  });
}

/** The policy's entropy after each update. */
export function entropyChart(policy: PolicyUpdate[]): string {
  const updates = policy.map((point) => point.update);
  const [first, last] = [Math.min(...updates), Math.max(...updates)];
  return draw(`Entropy of the policy over ${policy.length} updates`, {
    x: {
      label: "update",
      domain: [first, Math.max(last, first + 1)],
      ticks: Math.min(8, Math.max(1, last - first)),
      tickFormat: "d",
    },
    y: { label: "entropy (nats)", grid: true, nice: true },
    marks: [
      Plot.lineY(policy, { x: "update", y: "entropy", stroke: INK.line, strokeWidth: 2 }),
      Plot.dot(policy, {
        x: "update",
        y: "entropy",
        r: policy.length > 60 ? 1.5 : 3,
        fill: INK.line,
        title: (point: PolicyUpdate) =>
          `Update ${point.update} after ${point.entry} entries: entropy ${real(point.entropy)}, baseline ${real(point.baseline)}`,
      }),
    ],
  });
}
