// The runs as tables (Markdown) and as a plot of short against long trainings (SVG, Observable Plot on linkedom).
import * as Plot from "@observablehq/plot";
import { toDecisions } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import { parseHTML } from "linkedom";
import { deviation, mean, pearson, spearman } from "../../../cli/statistics.ts";
import { architectureOf, COMPARED, DRAWN, REPEATED, type Run, type Source } from "./plan.ts";
import { interval, kendall, type Measure } from "./statistics.ts";

/** A drawn network's trainings, one of each length, of different seeds; and the short one with a decay of .9. */
interface Pair {
  name: string;
  short: Run;
  long: Run;
  decay9: Run | undefined;
}

const pairsOf = (runs: readonly Run[]): Pair[] =>
  DRAWN.flatMap((name) => {
    const own = runs.filter(({ architecture, encoder }) => architecture === name && encoder === "Imported");
    const [short, decay9] = [own.find(isShort), own.find(({ budget }) => budget === "shortDecay9")];
    const long = own.find(isLong);
    return short && long ? [{ name, short, long, decay9 }] : [];
  });
const isShort = ({ budget }: Run): boolean => budget === "short";
const isLong = ({ budget }: Run): boolean => budget === "long";

/** The reward after so many epochs of stage 1; 0: after stage 0. */
const rewardAt = ({ slots }: Run, epoch: number): number =>
  slots.find((slot) => (epoch === 0 ? slot.stage === 0 : slot.stage === 1 && slot.epoch === epoch))!.reward;
const epochsOf = ({ slots }: Run): number => slots.at(-1)!.epoch;

const line = (cells: (string | number)[]) => `| ${cells.join(" | ")} |`;
const figure = (value: number) => value.toFixed(3);
const head = (first: string, ...others: string[]) => [
  line([first, ...others]),
  line(["---", ...others.map(() => "---:")]),
];

/** All tables. Parts of which there are no runs yet are left out. */
export function tables(runs: readonly Run[]): string {
  const pairs = pairsOf(runs);
  return [...spreadTable(runs), ...encoderTable(runs), ...(pairs.length > 2 ? pairTables(pairs) : [])].join(
    "\n",
  );
}

function spreadTable(runs: readonly Run[]): string[] {
  const rows = REPEATED.flatMap((name) => {
    const own = runs.filter((run) => run.architecture === name && run.encoder === "Imported" && isShort(run));
    if (own.length < 2) return [];
    return [0, 1].map((epoch) => {
      const rewards = own.map((run) => rewardAt(run, epoch));
      const ends = [Math.min(...rewards), Math.max(...rewards)].map(figure).join(" to ");
      const after = epoch === 0 ? "stage 0" : "the end";
      return line([name, after, own.length, figure(mean(rewards)), deviation(rewards).toFixed(4), ends]);
    });
  });
  if (rows.length === 0) return [];
  const columns = head("network", "after", "seeds", "mean reward", "deviation", "smallest to largest");
  return ["## One network, several seeds, the short training\n", ...columns, ...rows, ""];
}

function encoderTable(runs: readonly Run[]): string[] {
  const longOf = (name: string, source: Source) =>
    runs.find((run) => run.architecture === name && run.encoder === source && isLong(run));
  const rows = COMPARED.flatMap((name) =>
    (["Imported", "WarmUp"] as const).flatMap((source) => {
      const run = longOf(name, source);
      if (!run) return [];
      const from = source === "Imported" ? "pretrained" : "scratch";
      const { meanIoU } = run.slots.at(-1)!;
      return [line([name, from, ...run.slots.map(({ reward }) => figure(reward)), figure(meanIoU)])];
    }),
  );
  const [any] = runs.filter(isLong);
  if (!any || rows.length === 0) return [];
  const epochs = Array.from({ length: epochsOf(any) }, (_, i) => `stage 1, epoch ${i + 1}`);
  const columns = head("network", "encoder", "stage 0", ...epochs, "mean IoU at the end");
  return ["## The reward as training goes on, by encoder\n", ...columns, ...rows, ""];
}

function pairTables(pairs: readonly Pair[]): string[] {
  const [shorts, longs] = [pairs.map(({ short }) => short), pairs.map(({ long }) => long)];
  const end = longs.map(({ reward }) => reward);
  const last = epochsOf(longs[0]!);
  const at = (runs: readonly Run[], epoch: number) => runs.map((run) => rewardAt(run, epoch));
  const decay9 = pairs.flatMap((pair) => pair.decay9 ?? []);
  // None before all have been run.
  const averaged: [string, number[]][] =
    decay9.length === pairs.length ? [["short with a decay of .9, the end", at(decay9, 1)]] : [];
  const between = Array.from({ length: last - 1 }, (_, i) => i + 1);
  const rows: [string, number[], number[]][] = [
    ["short, the end: the search's reward", at(shorts, 1), end],
    ["short, after stage 0", at(shorts, 0), end],
    ...averaged.map(([what, rewards]): [string, number[], number[]] => [what, rewards, end]),
    ...[0, ...between].map((epoch): [string, number[], number[]] => [
      epoch === 0 ? "long itself, after stage 0" : `long itself, after epoch ${epoch}`,
      at(longs, epoch),
      end,
    ]),
    ["parameters", longs.map(({ parameters }) => parameters), end],
    ["multiplications", longs.map(({ macs }) => macs), end],
  ];
  const again: [string, number[], number[]][] = [
    ["short, the end", at(shorts, 1), at(longs, 1)],
    ["short, after stage 0", at(shorts, 0), at(longs, 0)],
  ];
  const bySearch = shorts.indexOf(shorts.toSorted((a, b) => b.reward - a.reward)[0]!);
  const place = 1 + end.filter((reward) => reward > end[bySearch]!).length;
  return [
    `## How ${pairs.length} networks rank\n`,
    "Against the long training's reward, 95% intervals by bootstrap over the networks:\n",
    ...head("ranked by", "Kendall's tau", "interval", "Spearman's rho", "interval"),
    ...rows.map(correlated),
    "",
    `The best by the search's reward is number ${place} of ${pairs.length} by the long one: ${figure(end[bySearch]!)}, the best ${figure(Math.max(...end))}, their mean ${figure(mean(end))}.`,
    "",
    "The same training with another seed (the second is what the long training passes through):\n",
    ...head("training", "Kendall's tau", "interval", "Spearman's rho", "interval"),
    ...again.map(correlated),
    "",
    ...head("training", "mean", "between networks", "between seeds", "reliability"),
    ...again.map(([what, one, other]) => {
      const seeds = Math.sqrt(mean(one.map((value, i) => (value - other[i]!) ** 2)) / 2);
      const networks = Math.sqrt(mean([deviation(one) ** 2, deviation(other) ** 2]));
      const cells = [mean([...one, ...other]), networks, seeds, pearson(one, other)].map(figure);
      return line([what, ...cells]);
    }),
    ...[...averaged, ["long, the end", end] as const].map(([what, rewards]) =>
      line([what, figure(mean(rewards)), figure(deviation(rewards)), "", ""]),
    ),
    "",
    "*Between networks*: deviation of single rewards, seeds' part included. *Reliability*: Pearson's correlation of two seeds.\n",
    "## The networks\n",
    ...head("network", "decisions", "parameters", "MACs (millions)", "short", "short, other seed", "long"),
    ...pairs.map(({ name, short, long }) =>
      line([
        name,
        toDecisions(architectureOf(name)).join(""),
        long.parameters.toLocaleString("en"),
        (long.macs / 1e6).toFixed(0),
        ...[short.reward, rewardAt(long, 1), long.reward].map(figure),
      ]),
    ),
    "",
  ];
}

function correlated([what, one, other]: [string, number[], number[]]): string {
  const cells = ([kendall, spearman] as Measure[]).flatMap((measure) => {
    const [low, high] = interval(measure, one, other, random(1, "bootstrap", what));
    return [measure(one, other).toFixed(2), `${low.toFixed(2)} to ${high.toFixed(2)}`];
  });
  return line([what, ...cells]);
}

/** Short against long, a point for each network: by the search's reward, and by that after stage 0. */
export function chart(runs: readonly Run[]): string {
  const panels = ["after stage 0", "at the end: the search's reward"];
  const points = pairsOf(runs).flatMap(({ short, long }) =>
    panels.map((panel, epoch) => ({ panel, short: rewardAt(short, epoch), long: long.reward })),
  );
  const { document } = parseHTML("<html><body></body></html>");
  const plot = Plot.plot({
    document,
    width: 960,
    height: 440,
    grid: true,
    fx: { label: null, domain: panels },
    x: { label: "reward of the short training", inset: 10 },
    y: { label: "reward of the long training, another seed", inset: 10 },
    marks: [
      Plot.frame({ stroke: "lightgray" }),
      Plot.dot(points, { fx: "panel", x: "short", y: "long", r: 4, fill: "#1b9e77" }),
    ],
  } as Plot.PlotOptions & { document: unknown });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  plot.setAttribute("style", "background: white; color: black"); // linkedom does not take Plot's own `style`
  return `${plot.outerHTML}\n`;
}
