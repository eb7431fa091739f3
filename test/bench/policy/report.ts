// The runs as tables (Markdown) and charts (SVG, Observable Plot on linkedom).
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Run } from "./contest.ts";
import { LANDSCAPES } from "./landscapes.ts";

/** Student's t for a two-sided 95% interval by degrees of freedom, from 1. */
const T95 = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1,
  2.09,
];

export interface Spread {
  mean: number;
  /** Half the width of the 95% confidence interval; NaN of a single value. */
  half: number;
}

export function spread(values: number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const t = T95[values.length - 2] ?? 1.96;
  return { mean, half: t * Math.sqrt(squares / (values.length - 1) / values.length) };
}

const show = ({ mean, half }: Spread) =>
  Number.isNaN(half) ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${half.toFixed(3)}`;
const unique = <T>(values: T[]): T[] => [...new Set(values)];

/** One table for each landscape and number in flight; the best mean of a column is bold. */
export function tables(runs: Run[]): string {
  const parts: string[] = [];
  for (const inFlight of unique(runs.map((run) => run.inFlight)).sort((a, b) => a - b)) {
    for (const landscape of LANDSCAPES) {
      const own = runs.filter((run) => run.inFlight === inFlight && run.landscape === landscape);
      if (own.length > 0) parts.push(table(`${landscape}, ${inFlight} in flight`, own));
    }
  }
  return parts.join("\n");
}

function table(title: string, runs: Run[]): string {
  const rows = unique(runs.map((run) => run.policy)).map((policy) => {
    const own = runs.filter((run) => run.policy === policy);
    const figures = (["best", "last", "regret"] as const).map((what) => spread(own.map((run) => run[what])));
    return { policy, seeds: own.length, figures, ahead: versusEvolution(own, runs) };
  });
  const bold = [0, 1, 2].map((column) => {
    const means = rows.map(({ figures }) => figures[column]!.mean);
    return column === 2 ? Math.min(...means) : Math.max(...means);
  });
  const line = (cells: (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [
    `### ${title}\n`,
    line(["policy", "seeds", "best", "last 50", "regret", "best, ahead of evolution"]),
    line(["---", "---:", "---:", "---:", "---:", "---:"]),
    ...rows.map(({ policy, seeds, figures, ahead }) =>
      line([
        policy,
        seeds,
        ...figures.map((figure, i) => (figure.mean === bold[i] ? `**${show(figure)}**` : show(figure))),
        ahead,
      ]),
    ),
    "",
  ].join("\n");
}

/** Seed by seed: both policies saw the same landscape and the same noise. */
function versusEvolution(own: Run[], runs: Run[]): string {
  const differences = own.flatMap((run) => {
    const rival = runs.find((other) => other.policy === "evolution" && other.seed === run.seed);
    return rival === undefined || rival.policy === run.policy ? [] : [run.best - rival.best];
  });
  return differences.length > 1 ? show(spread(differences)) : "";
}

/** The best so far by trials, a panel for each landscape, with the 95% intervals of means of three runs or more. */
export function chart(runs: Run[], inFlight: number): string {
  const own = runs.filter((run) => run.inFlight === inFlight);
  const landscapes = LANDSCAPES.filter((name) => own.some(({ landscape }) => landscape === name));
  const rows = Math.ceil(landscapes.length / 2);
  const points = landscapes.flatMap((landscape) =>
    unique(own.map((run) => run.policy)).flatMap((policy) => {
      const curves = own.filter((run) => run.landscape === landscape && run.policy === policy);
      return (curves[0]?.curve ?? []).map((_, i) => {
        const { mean, half } = spread(curves.map(({ curve }) => curve[i]!));
        // Of two runs it is as wide as the whole chart.
        const width = curves.length < 3 ? 0 : half;
        return { landscape, policy, trials: 10 * (i + 1), mean, low: mean - width, high: mean + width };
      });
    }),
  );
  const { document } = parseHTML("<html><body></body></html>");
  const figure = Plot.plot({
    document,
    width: 960,
    height: 360 * rows,
    marginRight: 130,
    color: { legend: false, domain: unique(points.map(({ policy }) => policy)), scheme: "dark2" },
    fx: { label: null, domain: ["0", "1"], axis: null },
    fy: { label: null, domain: Array.from({ length: rows }, (_, row) => String(row)), axis: null },
    x: { label: "trials", inset: 4 },
    y: { label: "reward of the best so far", grid: true },
    marks: landscapes.flatMap((landscape, i) => {
      const panel = { fx: () => String(i % 2), fy: () => String(i >> 1) };
      const data = points.filter((point) => point.landscape === landscape);
      const ends = data.filter((point) => point.trials === Math.max(...data.map(({ trials }) => trials)));
      return [
        Plot.areaY(data, { ...panel, x: "trials", y1: "low", y2: "high", fill: "policy", fillOpacity: 0.1 }),
        Plot.lineY(data, { ...panel, x: "trials", y: "mean", stroke: "policy" }),
        Plot.text([landscape], { ...panel, text: (name: string) => name, frameAnchor: "top", fontSize: 14 }),
        Plot.text(ends, {
          ...{ ...panel, x: "trials", y: "mean", text: "policy", fill: "policy" },
          ...{ textAnchor: "start", dx: 4, fontSize: 8 },
        }),
      ];
    }),
  } as Plot.PlotOptions & { document: unknown });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  figure.setAttribute("style", "background: white; color: black"); // linkedom does not take Plot's own `style`
  return `${figure.outerHTML}\n`;
}
