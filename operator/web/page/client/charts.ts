// The charts of one search, and of several laid over each other.
import { html } from "htm/preact";
import { useMemo } from "preact/hooks";
import uPlot from "uplot";
import { counted, percent, real, whole } from "../../format.ts";
import { Chart, countAxis, footAxis, type Ink, type Line, leftAxis } from "./chart.ts";
import { roundSizes } from "./ticks.ts";
import { meanWidth, operationSeries, rewardSeries, sizeSeries, type Trials } from "./trials.ts";

interface Props {
  trials: Trials;
  /** Told of the trial that was clicked, by its index. */
  chosen: (index: number) => void;
}

export function RewardChart({ trials, chosen }: Props) {
  const series = useMemo(() => rewardSeries(trials), [trials]);
  const { index, reward, mean, best, failed } = series;
  const hasFailed = failed.some((it) => it !== null);
  const data = useMemo(() => [index, reward, mean, best, ...(hasFailed ? [failed] : [])], [series]);
  const width = meanWidth(index.length);
  const top = best.at(-1);
  return html`<figure><h3>Reward</h3><${Chart}
    label=${`Reward of ${counted(index.length, "trial")} in their order${typeof top === "number" ? `; the best is ${real(top)}` : ""}`}
    data=${data}
    shape=${`${width} ${hasFailed}`}
    chosen=${(place: number) => chosen(index[place]!)}
    drawing=${(ink: Ink) => ({
      x: (value: number) => `${trials.search}-${value}`,
      axes: [countAxis(ink, "trial"), leftAxis(ink, "reward")],
      lines: [
        { label: "reward", mark: "dots", colour: ink.point, words: real },
        { label: `mean of the last ${width}`, mark: "dashes", colour: ink.line, words: real },
        { label: "best so far", mark: "steps", colour: ink.best, words: real },
        ...(hasFailed ? [{ label: "failed", mark: "crosses", colour: ink.fail, words: real }] : []),
      ],
    })}
  /></figure>`;
}

/** x is the logarithm of the parameters. */
export function SizeChart({ trials, chosen }: Props) {
  const series = useMemo(() => sizeSeries(trials), [trials]);
  const { row, parameters, reward, front } = series;
  const data = useMemo(() => [parameters.map(Math.log10), reward, front], [series]);
  const onFront = front.filter((it) => it !== null).length;
  return html`<figure><h3>Reward against parameters</h3><${Chart}
    label=${`Reward against parameters of ${counted(row.length, "trial")}, ${whole(onFront)} of them on the Pareto front`}
    data=${data}
    shape=${trials.uid}
    chosen=${(place: number) => chosen(trials.rows.index[row[place]!]!)}
    drawing=${(ink: Ink) => ({
      x: (value: number) => counted(10 ** value, "parameter"),
      scales: { x: { time: false, range: withAir } },
      axes: [
        { ...footAxis(ink, "parameters"), splits: sizeTicks, values: sizesInWords },
        leftAxis(ink, "reward"),
      ],
      lines: [
        { label: "reward", mark: "dots", colour: ink.point, words: real },
        { label: "Pareto front", mark: "front", colour: ink.best, words: real },
      ],
    })}
  /></figure>`;
}

const withAir: uPlot.Range.Function = (_, low, high) => {
  if (low === null || high === null) return [5, 6];
  const air = Math.max(0.01, 0.04 * (high - low));
  return [low - air, high + air];
};

/** Pixels that a number takes. */
const ROOM = 52;

const sizeTicks: uPlot.Axis.Splits = (chart, _, low, high) => {
  const room = (ROOM * devicePixelRatio * (high - low)) / chart.bbox.width;
  let last = Number.NEGATIVE_INFINITY;
  return roundSizes(low, high).filter((it) => {
    if (it - last < room) return false;
    last = it;
    return true;
  });
};
const sizesInWords: uPlot.Axis.Values = (_, splits) =>
  splits.map((it) => {
    const size = Math.round(10 ** it);
    return size >= 1e6 ? `${size / 1e6} M` : size >= 1000 ? `${size / 1000} k` : String(size);
  });

export function EntropyChart({ updates, of }: { updates: Trials["updates"]; of: number }) {
  const { update, entropy, baseline } = updates;
  const data = useMemo(() => [update, entropy, baseline], [updates]);
  return html`<figure><h3>How undecided the policy is</h3><${Chart}
    label=${`Entropy of the policy over ${counted(update.length, "update")}, now ${real(entropy.at(-1) ?? 0)} nats a decision`}
    data=${data}
    drawing=${(ink: Ink) => ({
      x: (value: number) => `update ${value}`,
      axes: [
        countAxis(ink, "update of the policy"),
        leftAxis(ink, "nats a decision"),
        { ...leftAxis(ink, "reward"), side: 1, scale: "reward", grid: { show: false } },
      ],
      lines: [
        { label: "entropy", mark: "line", colour: ink.line, words: real },
        { label: "baseline reward", mark: "dashes", colour: ink.best, words: real, scale: "reward" },
      ],
    })}
  />${update.length < of && html`<figcaption>Known of the first ${whole(update.length)} of ${counted(of, "update")}, from a snapshot.</figcaption>`}</figure>`;
}

const OPERATION_WORDS: Record<string, string> = {
  SeparableConv3x3: "separable 3×3",
  SeparableConv5x5: "separable 5×5",
  GlobalAveragePool: "average pool",
  MaxPool3x3: "max pool 3×3",
  SeparableConv5x5Dilated6: "dilated 5×5",
  Skip: "skip",
};

export function OperationsChart({ trials }: { trials: Trials }) {
  const series = useMemo(() => operationSeries(trials), [trials]);
  const data = useMemo(() => [series.index, ...series.shares], [series]);
  const names = trials.operations.map((name) => OPERATION_WORDS[name] ?? name);
  const now = names.map((name, i) => `${name} ${percent(series.shares[i]!.at(-1) ?? 0)}`);
  return html`<figure><h3>What the policy chooses</h3><${Chart}
    label=${`Probability of each operation; now ${now.join(", ")}`}
    data=${data}
    drawing=${(ink: Ink) => ({
      x: (value: number) => `up to ${trials.search}-${value}`,
      scales: { y: { range: fromZero } },
      axes: [countAxis(ink, "trial"), { ...leftAxis(ink, "probability"), values: percents }],
      lines: names.map(
        (label, i): Line => ({ label, mark: "line", colour: ink.several[i]!, words: percent }),
      ),
    })}
  /><figcaption>How often it chose each operation in the last ${counted(series.width, "trial")}.</figcaption></figure>`;
}

const fromZero: uPlot.Range.Function = (_, __, high) => [0, Math.max(0.3, high * 1.05)];
const percents: uPlot.Axis.Values = (_, splits) => splits.map((it) => `${Math.round(it * 100)}%`);

/** The best reward so far of several searches. */
export function TogetherChart({ searches }: { searches: { name: string; trials: Trials }[] }) {
  const data = useMemo(
    () =>
      uPlot.join(
        searches.map(({ trials }): uPlot.AlignedData => {
          const { index, best, mean } = rewardSeries(trials);
          return [index, best, mean];
        }),
      ) as (number | null)[][],
    [searches],
  );
  const names = searches.map(({ name }) => name).join(", ");
  return html`<figure><h2>Laid over each other</h2><${Chart}
    label=${`Best reward so far, and mean of the last trials, of ${names}`}
    data=${data}
    height=${320}
    shape=${names}
    drawing=${(ink: Ink) => ({
      x: (value: number) => `trial ${value}`,
      axes: [countAxis(ink, "trial"), leftAxis(ink, "reward")],
      lines: searches.flatMap(({ name }, i): Line[] => [
        { label: `${name}: best so far`, mark: "steps", colour: ink.several[i]!, words: real },
        { label: `${name}: mean`, mark: "dashes", colour: ink.several[i]!, words: real },
      ]),
    })}
  /></figure>`;
}
