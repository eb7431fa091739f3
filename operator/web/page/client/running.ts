// What trains now, and what waits.
import { html } from "htm/preact";
import { percent, real } from "../../format.ts";
import type { RunningDocument, SearchDocument } from "../documents.ts";
import { serverNow } from "./follow.ts";
import { since, stageInWords } from "./words.ts";

/** A list may be long where many trials train at a time. */
const SHOWN = 24;

interface Props {
  search: SearchDocument;
  chosen: (index: number) => void;
}

export function Running({ search: { running, waiting, endedAt }, chosen }: Props) {
  const waits = endedAt ? [] : waiting;
  if (running.length === 0 && waits.length === 0) return null;
  return html`<section aria-labelledby="running"><h2 id="running">Now</h2>
    <ul class="running">${running.slice(0, SHOWN).map((it) => html`<${Trial} key=${it.trial} trial=${it} chosen=${chosen} />`)}</ul>
    ${running.length > SHOWN && html`<p class="soft">and ${running.length - SHOWN} more, in the table below</p>`}
    ${waits.map(({ why, trials, since: start }) => html`<p key=${why} class="waiting"><strong>${named(trials)} ${trials.length === 1 ? "waits" : "wait"}</strong>${start && html`<span class="soft"> for ${since(start, serverNow())}</span>`}: ${why}</p>`)}
  </section>`;
}

const named = (trials: string[]): string =>
  trials.length <= 3 ? trials.join(", ") : `${trials.slice(0, 2).join(", ")} and ${trials.length - 2} more`;

function Trial({ trial, chosen }: { trial: RunningDocument; chosen: (index: number) => void }) {
  const { epoch, epochs, step, steps, meanIoU, imagesPerSecond, losses, stage } = trial;
  const share = progressOf(trial);
  const loss = losses.at(-1);
  const words = [
    epoch !== undefined && epochs ? `epoch ${epoch} of ${epochs}` : "",
    step !== undefined && steps ? `step ${step} of ${steps}` : "",
    loss === undefined ? "" : `loss ${real(loss)}`,
    meanIoU === undefined ? "" : `mean IoU ${percent(meanIoU)}`,
    imagesPerSecond === undefined ? "" : `${imagesPerSecond.toFixed(1)} images/s`,
  ].filter(Boolean);
  return html`<li>
    <div class="who"><button type="button" class="link" onClick=${() => chosen(trial.index)}>${trial.trial}</button>
      <span>${stageInWords(stage)}</span><span class="soft">${since(trial.since, serverNow())}</span></div>
    ${share !== undefined && html`<progress max="1" value=${share} aria-label=${`Stage of ${trial.trial}`}></progress>`}
    <${Curve} values=${losses} label=${`Loss of ${trial.trial} since its attempt began`} />
    <p class="soft">${words.length > 0 ? words.join(", ") : "its trainer has not said yet how far it is"}</p>
  </li>`;
}

/** How much of its stage is done. */
function progressOf({ epoch, epochs, step, steps }: RunningDocument): number | undefined {
  if (epoch !== undefined && epochs) return Math.min(1, epoch / epochs);
  return step !== undefined && steps ? Math.min(1, step / steps) : undefined;
}

const WIDTH = 220;
const HEIGHT = 36;

/** A line without axes; nothing for fewer than two values. */
function Curve({ values, label }: { values: number[]; label: string }) {
  if (values.length < 2) return null;
  const least = Math.min(...values);
  const range = Math.max(...values) - least || 1;
  const place = (value: number, i: number) =>
    `${((WIDTH * i) / (values.length - 1)).toFixed(1)},${(HEIGHT - 2 - ((HEIGHT - 4) * (value - least)) / range).toFixed(1)}`;
  return html`<svg class="curve" role="img" aria-label=${label} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none"><polyline points=${values.map(place).join(" ")} fill="none" stroke="var(--line)" stroke-width="1.5" vector-effect="non-scaling-stroke" /></svg>`;
}
