// One search: how it stands, what it has found, all its trials.
import { html } from "htm/preact";
import { counted, duration, percent, real, whole } from "../../format.ts";
import type { SearchDocument } from "../documents.ts";
import { searchPath } from "../paths.ts";
import { Best } from "./best.ts";
import { EntropyChart, OperationsChart, RewardChart, SizeChart } from "./charts.ts";
import { Failures, Told } from "./events.ts";
import { serverNow, useDocument } from "./follow.ts";
import { Bar, Fact, Notice, State } from "./parts.ts";
import { report } from "./report.ts";
import { Running } from "./running.ts";
import { TrialTable } from "./table.ts";
import { TrialDialog } from "./trial.ts";
import { hasChosen, secondsLeft, type Trials } from "./trials.ts";
import { placeOf, useTrials } from "./use-trials.ts";
import { asWords, gpuHours, since, when } from "./words.ts";

export function Search({
  namespace,
  name,
  index,
}: {
  namespace: string;
  name: string;
  index: number | undefined;
}) {
  const { document: search, failure } = useDocument<SearchDocument>(searchPath({ namespace, name }));
  const { trials, failure: otherFailure } = useTrials({ namespace, name });
  const chosen = (index: number) => {
    location.hash = placeOf({ namespace, name }, index);
  };
  const close = () => {
    location.hash = placeOf({ namespace, name });
  };
  return html`<main>
    ${report ? html`<p class="soft">Architecture search in ${namespace}, as of <time datetime=${report.written}>${when(report.written)}</time></p>` : html`<nav aria-label="Where this is"><a href="#/">Searches</a> <span class="soft">/ ${namespace} /</span></nav>`}
    <div class="title"><h1>${name}</h1>${search && html`<${State} standing=${search} />`}</div>
    <${Notice} failure=${failure ?? otherFailure} reading=${!search} />
    ${search && html`<${Head} search=${search} trials=${trials} />`}
    ${search && html`<${Running} search=${search} chosen=${chosen} />`}
    ${search && trials && html`<${Course} search=${search} trials=${trials} chosen=${chosen} />`}
    ${search && html`<${Best} search=${search} chosen=${chosen} />`}
    ${trials && html`<${Failures} trials=${trials} chosen=${chosen} />`}
    ${trials && trials.rows.index.length > 0 && html`<${TrialTable} trials=${trials} open=${index} chosen=${chosen} />`}
    ${search && html`<${Told} search=${search} />`}
    ${search && index !== undefined && html`<${TrialDialog} key=${index} search=${search} index=${index} close=${close} />`}
  </main>`;
}

/** Whether the rest of the page says what the search's message does. */
const isTold = ({ reason = "" }: SearchDocument): boolean =>
  ["Searching", "WaitingForPods", "MaxTrialsReached"].includes(reason);

function Head({ search, trials }: { search: SearchDocument; trials: Trials | undefined }) {
  const { state, counts, ended, maxTrials, best, budget, policy, gpuSeconds, endedAt, startedAt, takenOver } =
    search;
  const goesOn = trials && state === "Searching";
  const left = goesOn ? secondsLeft(trials, maxTrials, search.atATime) : undefined;
  return html`
    ${search.message && !isTold(search) && html`<p>${search.message}</p>`}
    ${search.problem && html`<p class="notice" role="alert">${search.problem}</p>`}
    <p class="progress"><${Bar} search=${search} /></p>
    <dl class="facts">
      <${Fact} label="Best reward" value=${best ? real(best.reward) : "none yet"} more=${best?.source ? `${best.trial} of ${best.source}` : best?.trial} />
      ${best && html`<${Fact} label="Its mean IoU" value=${percent(best.meanIoU)} more=${`${whole(best.parameters)} parameters`} />`}
      <${Fact} label="Trials ended" value=${whole(ended)} more=${search.outcomes} />
      ${takenOver && html`<${Fact} label="Taken over" value=${counted(takenOver.trials, "trial")} more=${`of ${takenOver.search}`} />`}
      ${!endedAt && state !== "Stopped" && html`<${Fact} label="Under way" value=${whole(counts.running)} more=${counts.pending > 0 ? `${whole(counts.pending)} waiting` : "training"} />`}
      <${Fact} label="GPU-hours" value=${gpuHours(gpuSeconds)} more=${budget.gpuHours === undefined ? "of ended attempts" : `of ${budget.gpuHours}`} />
      <${Fact} label=${endedAt ? "Took" : state === "Stopped" ? "Since it began" : "Running for"} value=${startedAt ? since(startedAt, endedAt ? new Date(endedAt) : serverNow()) : "not begun"} more=${left === undefined ? undefined : `about ${duration(left)} to go`} />
      <${Fact} label="Policy" value=${asWords(policy.name)} more=${`${counted(policy.updates, "update")}${policy.entropy === undefined ? "" : `, entropy ${real(policy.entropy)}`}`} />
    </dl>
    <details open=${trials?.rows.index.length === 0}><summary>What was asked for</summary>
      <dl class="settings">${search.settings.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
    </details>`;
}

function Course({
  search,
  trials,
  chosen,
}: {
  search: SearchDocument;
  trials: Trials;
  chosen: (index: number) => void;
}) {
  const hasRewards = trials.rows.reward.some((it) => it !== null);
  return html`<section aria-labelledby="course"><h2 id="course">The course of the search</h2>
    ${trials.settled === 0 && html`<p class="empty">${awaited(search)}</p>`}
    <div class="charts">
      ${hasRewards && html`<${RewardChart} trials=${trials} chosen=${chosen} /><${SizeChart} trials=${trials} chosen=${chosen} />`}
      ${trials.updates.update.length > 0 && html`<${EntropyChart} updates=${trials.updates} of=${search.policy.updates} />`}
      ${hasChosen(trials) && html`<${OperationsChart} trials=${trials} />`}
    </div>
    ${isForgotten(search, trials) && html`<p class="soft">How undecided the policy was after each of its updates is not at hand: snapshots hold it, and there is none yet.</p>`}
    ${trials.settled > 0 && html`<p class="soft">The reward is the ${search.metric} on the held-out part. Point at a chart to read its values, click to see the trial, drag to zoom in, double-click to zoom out.</p>`}
  </section>`;
}

const isForgotten = ({ policy }: SearchDocument, { updates }: Trials): boolean =>
  policy.updates > 0 && updates.update.length === 0;

/** What a search without a result waits for. */
function awaited({ state, counts }: SearchDocument): string {
  if (state === "New") return "Nothing has begun yet. Charts appear with the first trial that ends.";
  if (counts.running > 0) return "The first trials train. Charts appear when the first of them ends.";
  if (counts.pending > 0) return "The first trials wait for a place to train; what for stands above.";
  return "No trial has ended.";
}
