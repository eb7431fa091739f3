// A search as one HTML file that needs nothing but itself: no network, no other file. Pure: data in, text out.
import { createHash } from "node:crypto";
import { toGenotype } from "@segnas/searchspace/architecture.ts";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import type { PolicyUpdate } from "../ledger/snapshots.ts";
import {
  type ChartTrial,
  entropyChart,
  meanWidth,
  paretoChart,
  paretoFront,
  rewardChart,
} from "./report-charts.ts";
import { counted, duration, large, percent, real, whole } from "./report-format.ts";
import { html, type Markup, trusted } from "./report-html.ts";
import { SCRIPT, STYLE } from "./report-style.ts";
import {
  counts,
  failureInWords,
  failures,
  outcomesInWords,
  ranked,
  rejections,
  type Scored,
  type SearchSummary,
} from "./report-summary.ts";
import type { TrialSummary } from "./report-trial.ts";

/** One held-out image, its truth and the best trial's prediction, as data URIs. */
export interface Picture {
  image: string;
  truth: string;
  prediction: string;
}

export interface ReportData {
  search: SearchSummary;
  /** Of the best trial; none where it kept none. */
  pictures: Picture[];
  /** Classes by name with the colour (a CSS colour) that truth and prediction have. */
  legend: { name: string; color: string }[];
  /** When the report was written: ISO 8601. */
  written: string;
}

const DRAWN = 5;

/** The whole page. */
export function renderReport({ search, pictures, legend, written }: ReportData): string {
  const best = ranked(search.trials);
  const hash = createHash("sha256").update(SCRIPT).digest("base64");
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  const { settled } = counts(search.trials);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${search.name}: architecture search</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
${header(search, best, written)}
<main>
${settled === 0 ? html`<p class="empty">No trial has ended yet. Open this file again later: it is written anew as trials end.</p>` : undefined}
${settled > 0 ? charts(search) : undefined}
${best.length > 0 ? architectures(search, best) : undefined}
${pictures.length > 0 ? gallery(best[0]!, pictures, legend) : undefined}
${search.trials.length > 0 ? table(search.trials) : undefined}
${causes("failures", "Failures", failures(search.trials))}
${causes("rejected", "Over a constraint", rejections(search.trials))}
</main>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`;
  return page.markup;
}

const STATES = { Running: "▶ Running", Stopped: "‖ Stopped", Complete: "✓ Complete", Failed: "✕ Failed" };

function header(search: SearchSummary, best: Scored[], written: string): Markup {
  const { settled, running, ...outcomes } = counts(search.trials);
  const { takenOver } = search;
  const top = best[0];
  const trained = search.trials.reduce((sum, trial) => sum + (trial.seconds ?? 0), 0);
  const end = search.completionTime ?? written;
  const elapsed = search.startTime ? (Date.parse(end) - Date.parse(search.startTime)) / 1000 : undefined;
  const ended = outcomesInWords(outcomes);
  return html`<header>
<div class="title"><h1>${search.name}</h1> <span class="state ${search.state}">${STATES[search.state]}</span></div>
<p class="soft">Architecture search, ${search.state === "Running" ? "still running, as of" : "as of"} <time datetime="${written}">${when(written)}</time></p>
${search.message ? html`<p>${search.message}</p>` : undefined}
<dl class="facts">
${fact("Trials ended", `${whole(settled)} of ${whole(search.maxTrials)}`, running ? `${ended}, ${whole(running)} running` : ended)}
${fact("Best reward", top ? real(top.reward) : "none yet", top?.name)}
${top?.metrics ? fact("Its mean IoU", percent(top.metrics.meanIoU), "on the held-out part") : undefined}
${top ? fact("Its parameters", whole(top.parameters), top.macs ? `${large(top.macs)} MACs` : undefined) : undefined}
${takenOver ? fact("Taken over", counted(takenOver.trials, "trial"), `of ${takenOver.search}${takenOver.best ? `, best ${real(takenOver.best.reward)}` : ""}`) : undefined}
${elapsed === undefined ? undefined : fact("Time", duration(elapsed), trained > 0 ? `${duration(trained)} of training` : undefined)}
</dl>
<details${search.trials.length === 0 ? trusted(" open") : undefined}><summary>What was asked for</summary>
<dl class="settings">${search.settings.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
</details>
</header>`;
}

const when = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;

const fact = (label: string, value: string, more?: string): Markup =>
  html`<div><dt>${label}</dt><dd>${value}${more ? html` <small>${more}</small>` : undefined}</dd></div>`;

/** A line of a chart's key: a mark drawn as in the chart, then its name. */
const key = (mark: string, name: string): Markup =>
  html`<li><svg viewBox="0 0 26 12" aria-hidden="true">${trusted(mark)}</svg>${name}</li>`;
const DOT = '<circle cx="13" cy="6" r="4" fill="var(--point)"/>';
const FRONT = '<path d="M0 6H26" stroke="var(--best)"/><circle cx="13" cy="6" r="5.5" fill="var(--best)"/>';
const CROSS = '<path d="M9 2l8 8M9 10l8-8" stroke="var(--fail)" stroke-width="1.7"/>';
const SOLID = '<path d="M0 6H26" stroke="var(--best)" stroke-width="2.5"/>';
const DASHED = '<path d="M0 6H26" stroke="var(--line)" stroke-width="2.5" stroke-dasharray="7 4"/>';

function charts({ trials, policy, policyUpdates, metric }: SearchSummary): Markup {
  const settled = trials
    .filter((trial) => trial.outcome === "Succeeded" || trial.outcome === "Failed")
    .sort((a, b) => a.index - b.index)
    .flatMap(({ metrics, parameters, ...trial }) =>
      parameters === undefined ? [] : { ...trial, parameters, ...(metrics && { meanIoU: metrics.meanIoU }) },
    );
  const scored = settled.some((trial) => trial.reward !== undefined);
  if (!scored && policy.length === 0) return html``;
  return html`<section aria-labelledby="course"><h2 id="course">The course of the search</h2>
<div class="charts">
${scored ? rewardFigures(settled, metric) : undefined}
${policy.length > 0 ? entropyFigure(policy, policyUpdates) : undefined}
</div></section>`;
}

function rewardFigures(settled: ChartTrial[], metric: string): Markup {
  const failed = settled.some((trial) => trial.reward === undefined);
  const front = paretoFront(settled);
  return html`<figure>${trusted(rewardChart(settled))}
<ul class="key">${key(DOT, "trial")}${key(DASHED, `mean of the last ${meanWidth(settled.length)}`)}${key(SOLID, "best so far")}${failed ? key(CROSS, "failed") : undefined}</ul>
<figcaption>The reward is the ${metric} on the held-out part.</figcaption></figure>
<figure>${trusted(paretoChart(settled))}
<ul class="key">${key(DOT, "trial")}${key(FRONT, "Pareto front (numbers: trials)")}</ul>
<figcaption>${front.length === 1 ? "One trial is" : `${whole(front.length)} trials are`} not beaten in both reward and parameters by any other.</figcaption></figure>`;
}

const entropyFigure = (
  policy: PolicyUpdate[],
  updates: number,
): Markup => html`<figure>${trusted(entropyChart(policy))}
<figcaption>How undecided the policy is. It falls as the policy settles on what works: ${policy.length < updates ? `the first ${whole(policy.length)} of ` : ""}${counted(updates, "update")} so far.</figcaption></figure>`;

function architectures({ network, input }: SearchSummary, best: Scored[]): Markup {
  const cards = best.slice(0, DRAWN).map(
    (trial, i) => html`<article aria-labelledby="best-${i + 1}">
<h3 id="best-${i + 1}">${i + 1}. ${trial.name}</h3>
<p class="soft">${inShort(trial)}</p>
<div class="drawing">${trusted(drawSvg(trial.architecture, network, input, { compact: true }))}</div>
<details><summary>The whole network, layer by layer</summary><div class="drawing whole" tabindex="0" role="region" aria-label="Drawing of ${trial.name}">${trusted(drawSvg(trial.architecture, network, input))}</div></details>
<div class="genotype"><code>${JSON.stringify(toGenotype(trial.architecture))}</code> <button type="button" class="copy" hidden>Copy</button></div>
</article>`,
  );
  return html`<section aria-labelledby="best"><h2 id="best">The best architectures</h2>
<p class="soft">Nodes e0 and e1 are the encoder's. Each block reads two earlier nodes with two operations: s3 and s5 are separable convolutions, d5 a dilated one, avg and max pools, – a skip. They are summed (sum) or concatenated (cat), made ×n in a row, at half the size (/2). A dot marks what the classifier sees.</p>
<div class="cards">${cards}</div></section>`;
}

const inShort = (trial: Scored): string =>
  [
    `reward ${real(trial.reward)}`,
    trial.metrics ? `mIoU ${percent(trial.metrics.meanIoU)}` : "",
    `${whole(trial.parameters)} parameters`,
    trial.macs ? `${large(trial.macs)} MACs` : "",
  ]
    .filter(Boolean)
    .join(", ");

function gallery(best: TrialSummary, pictures: Picture[], legend: ReportData["legend"]): Markup {
  return html`<section aria-labelledby="pictures"><h2 id="pictures">What ${best.name} sees</h2>
${pictures.map(
  ({ image, truth, prediction }, i) => html`<figure><div class="pictures">
<img src="${image}" alt="Held-out image ${i + 1}"><img src="${truth}" alt="Truth of image ${i + 1}, a colour for each class"><img src="${prediction}" alt="Prediction for image ${i + 1}, a colour for each class">
</div></figure>`,
)}
<p class="soft">Image, truth and prediction, from the held-out part.</p>
<ul class="key legend">${legend.map(({ name, color }) => html`<li><svg viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" fill="${color}"/></svg>${name}</li>`)}</ul>
</section>`;
}

function table(trials: TrialSummary[]): Markup {
  const rank = new Map<TrialSummary, number>(ranked(trials).map((trial, i) => [trial, i + 1]));
  const rows = [...trials].sort(
    (a, b) => (rank.get(a) ?? trials.length) - (rank.get(b) ?? trials.length) || a.index - b.index,
  );
  const number = (value: number | undefined, text: (value: number) => string) =>
    value === undefined ? html`<td data-value=""></td>` : html`<td data-value="${value}">${text(value)}</td>`;
  const row = (
    trial: TrialSummary,
  ) => html`<tr class="${trial.outcome}">${number(rank.get(trial), whole)}<td class="text" data-value="${trial.index}">${trial.name}</td><td class="text">${trial.outcome}</td>${number(trial.reward, real)}${number(trial.metrics?.meanIoU, percent)}${number(trial.metrics?.meanAccuracy, percent)}${number(trial.parameters, whole)}${number(trial.macs, large)}${number(trial.seconds, duration)}</tr>
`;
  return html`<section aria-labelledby="trials"><h2 id="trials">All trials</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Table of trials"><table class="sortable">
<thead><tr><th scope="col">Rank</th><th scope="col" class="text">Trial</th><th scope="col" class="text">Outcome</th><th scope="col" data-first="descending">Reward</th><th scope="col" data-first="descending">Mean IoU</th><th scope="col" data-first="descending">Mean accuracy</th><th scope="col">Parameters</th><th scope="col">MACs</th><th scope="col">Time</th></tr></thead>
<tbody>
${rows.map(row)}</tbody></table></div></section>`;
}

/** Why trials have no reward of their own, a row each; nothing where there are none. */
function causes(id: string, title: string, trials: TrialSummary[]): Markup | undefined {
  if (trials.length === 0) return undefined;
  const row = (
    trial: TrialSummary,
  ) => html`<tr><td class="text">${trial.name}</td><td class="text">${trial.cause ?? trial.outcome}</td><td class="message">${failureInWords(trial)}</td></tr>
`;
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="${title}, a table"><table>
<thead><tr><th scope="col" class="text">Trial</th><th scope="col" class="text">Cause</th><th scope="col" class="text">In words</th></tr></thead>
<tbody>
${trials.map(row)}</tbody></table></div></section>`;
}
