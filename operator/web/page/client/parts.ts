// Small parts that several views have.
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { whole } from "../../format.ts";
import type { Standing } from "../../standing.ts";
import type { Command, ListedSearch } from "../documents.ts";
import type { Failure } from "./follow.ts";
import { report } from "./report.ts";
import { stateSign } from "./words.ts";

/** What went wrong, or that the first answer is still to come. */
export function Notice({ failure, reading = false }: { failure?: Failure | undefined; reading?: boolean }) {
  if (failure !== undefined)
    return html`<p class="notice" role="alert">${failure}${!report && " Trying again."}</p>`;
  return reading ? html`<p class="soft">Reading…</p>` : null;
}

export function State({ standing: { state, reason, message } }: { standing: Standing }) {
  const isWaiting = reason === "WaitingForPods";
  return html`<span class=${`state ${isWaiting ? reason : state}`} title=${message}><span aria-hidden="true">${stateSign(isWaiting ? reason : state)} </span>${isWaiting ? "Waiting for pods" : state}</span>`;
}

/** How much of a search is done, is under way, and has failed. */
export function Bar({ search: { counts, ended, maxTrials } }: { search: ListedSearch }) {
  const { succeeded, failed, rejected, deleted, running } = counts;
  const lost = failed + deleted;
  const all = Math.max(maxTrials, ended + running, 1);
  const part = (name: string, n: number) =>
    n > 0 && html`<i class=${name} style=${{ width: `${(100 * n) / all}%` }}></i>`;
  return html`<span class="bar" aria-hidden="true">${part("done", succeeded + rejected)}${part("lost", lost)}${part("now", running)}</span>
    <small class="soft">${whole(ended)} of ${whole(maxTrials)}${running > 0 ? `, ${whole(running)} training` : ""}${failed > 0 ? `, ${whole(failed)} failed` : ""}</small>`;
}

/** A small drawing of the server's own making. */
export const Drawing = ({ svg }: { svg: string }) =>
  html`<div class="drawing compact" dangerouslySetInnerHTML=${{ __html: svg }}></div>`;

/** One that is scrolled where there is little room, with the keyboard too. */
export const WideDrawing = ({ svg, label }: { svg: string; label: string }) =>
  html`<div class="drawing whole" tabindex="0" role="region" aria-label=${label} dangerouslySetInnerHTML=${{ __html: svg }}></div>`;

/** Text that is there to be copied. */
export function Copyable({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  // Over plain HTTP to another machine a browser offers no clipboard.
  const canCopy = "clipboard" in navigator;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return html`<span class="genotype"><code>${text}</code>${canCopy && html`<button type="button" class="copy" onClick=${copy}>${copied ? "Copied" : "Copy"}</button>`}</span>`;
}

export const Commands = ({ commands }: { commands: Command[] }) =>
  html`<dl class="commands">${commands.map((it) => html`<div key=${it.command}><dt>${it.shows}</dt><dd><${Copyable} text=${it.command} /></dd></div>`)}</dl>`;

export const Fact = ({ label, value, more }: { label: string; value: string; more?: string | undefined }) =>
  html`<div><dt>${label}</dt><dd>${value}${more && html` <small>${more}</small>`}</dd></div>`;
