// What was told of a search or a trial, and what went wrong.
import { html } from "htm/preact";
import { whole } from "../../format.ts";
import type { EventDocument, SearchDocument } from "../documents.ts";
import { serverNow } from "./follow.ts";
import { Commands } from "./parts.ts";
import type { Trials } from "./trials.ts";
import { since, when } from "./words.ts";

/** The latest first. */
export function Events({ events }: { events: EventDocument[] }) {
  if (events.length === 0) return null;
  return html`<h3>Events</h3><ul class="events">${events.toReversed().map(
    ({ about, type, reason, note, time }) => html`<li key=${`${time} ${about} ${note}`}>
      <time class="soft" datetime=${time} title=${when(time)}>${since(time, serverNow())} ago</time>
      <span><strong class=${type}>${reason}</strong> <span class="soft">${about}</span> ${note}</span></li>`,
  )}</ul>`;
}

const SHOWN = 8;

/** Why trials failed, in words; the latest first. */
export function Failures({ trials, chosen }: { trials: Trials; chosen: (index: number) => void }) {
  const { rows, outcomes, settled, search } = trials;
  const lost = new Set([outcomes.indexOf("Failed"), outcomes.indexOf("Deleted")]);
  const failed = rows.outcome.slice(0, settled).flatMap((outcome, row) => (lost.has(outcome) ? [row] : []));
  if (failed.length === 0) return null;
  return html`<section aria-labelledby="failures"><h2 id="failures">What failed</h2>
    <ul class="failures">${failed
      .slice(-SHOWN)
      .reverse()
      .map(
        (row) =>
          html`<li key=${row}><button type="button" class="link" onClick=${() => chosen(rows.index[row]!)}>${search}-${rows.index[row]}</button> ${rows.words[row]}</li>`,
      )}</ul>
    ${failed.length > SHOWN && html`<p class="soft">and ${whole(failed.length - SHOWN)} more: choose Failed in the table.</p>`}
  </section>`;
}

/** How the search came to stand as it does, and where there is more. */
export function Told({ search }: { search: SearchDocument }) {
  const { conditions, events, commands } = search;
  return html`<section aria-labelledby="told"><h2 id="told">How it came to this</h2>
    ${conditions.length === 0 && html`<p class="soft">Nothing yet.</p>`}
    <ul class="events">${conditions.map(
      ({ type, status, reason, message, since: start }) => html`<li key=${type}>
        <time class="soft" datetime=${start} title=${when(start)}>for ${since(start, serverNow())}</time>
        <span><strong>${status === "True" ? type : `not ${type}`}</strong> <span class="soft">${reason}</span> ${message}</span></li>`,
    )}</ul>
    <${Events} events=${events} />
    ${commands.length > 0 && html`<h3>In a terminal</h3><${Commands} commands=${commands} />`}
  </section>`;
}
