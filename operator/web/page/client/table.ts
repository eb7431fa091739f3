// The table of all trials. Only the rows in sight are in the document, so that ten thousand scroll as ten do.
import { html } from "htm/preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { duration, large, percent, real, whole } from "../../format.ts";
import { type Column, chosenRows, type Filter, type Order, type Trials } from "./trials.ts";
import { OUTCOME_WORDS, shortName } from "./words.ts";

/** Pixels. The style sheet says the same. */
const ROW = 34;
/** Rows beyond what is in sight, above and below. */
const MARGIN = 10;

const COLUMNS: { column: Column; title: string; first: boolean; show?: (value: number) => string }[] = [
  { column: "index", title: "Trial", first: false },
  { column: "outcome", title: "Outcome", first: false },
  { column: "reward", title: "Reward", first: true, show: real },
  { column: "meanIoU", title: "Mean IoU", first: true, show: percent },
  { column: "meanAccuracy", title: "Mean accuracy", first: true, show: percent },
  { column: "parameters", title: "Parameters", first: false, show: whole },
  { column: "macs", title: "MACs", first: false, show: large },
  { column: "seconds", title: "Time", first: true, show: duration },
];

interface Props {
  trials: Trials;
  /** The index of the trial that is looked at. */
  open: number | undefined;
  chosen: (index: number) => void;
}

export function TrialTable({ trials, open, chosen }: Props) {
  const [filter, setFilter] = useState<Filter>({ text: "", outcomes: new Set() });
  const [order, setOrder] = useState<Order>({ column: "index", descending: true });
  const [sight, setSight] = useState({ top: 0, height: 600 });
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => chosenRows(trials, filter, order), [trials, filter, order]);

  useEffect(() => {
    const area = scroll.current!;
    const look = () => setSight({ top: area.scrollTop, height: area.clientHeight });
    look();
    area.addEventListener("scroll", look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(area);
    return () => {
      area.removeEventListener("scroll", look);
      watch.disconnect();
    };
  }, []);
  const change = (part: Partial<Filter>) => {
    setFilter({ ...filter, ...part });
    if (scroll.current) scroll.current.scrollTop = 0;
  };

  const start = Math.max(0, Math.min(Math.floor(sight.top / ROW), rows.length) - MARGIN);
  const end = Math.min(rows.length, Math.ceil((sight.top + sight.height) / ROW) + MARGIN);
  const gap = (height: number) =>
    height > 0 &&
    html`<tr aria-hidden="true" class="gap"><td colspan="9" style=${{ height: `${height}px` }}></td></tr>`;
  return html`<section aria-labelledby="trials"><h2 id="trials">Trials</h2>
    <${Filters} trials=${trials} filter=${filter} change=${change} />
    <p class="soft" role="status">${rows.length === trials.rows.index.length ? `${whole(rows.length)} trials` : `${whole(rows.length)} of ${whole(trials.rows.index.length)} trials`}</p>
    <div class="scroll trials" tabindex="0" role="region" aria-label="Table of trials" ref=${scroll}>
      <table aria-rowcount=${rows.length + 1}>
        <thead><tr aria-rowindex="1">${COLUMNS.map((it) => html`<${Title} ...${it} order=${order} change=${setOrder} />`)}<th scope="col" class="text words">In words</th></tr></thead>
        <tbody>
          ${gap(start * ROW)}
          ${rows.slice(start, end).map((row, i) => html`<${Row} key=${trials.rows.index[row]} trials=${trials} row=${row} place=${start + i + 2} isOpen=${trials.rows.index[row] === open} chosen=${chosen} />`)}
          ${gap((rows.length - end) * ROW)}
        </tbody>
      </table>
      ${rows.length === 0 && html`<p class="soft none">No trial is like that.</p>`}
    </div>
  </section>`;
}

function Title({
  column,
  title,
  first,
  order,
  change,
}: (typeof COLUMNS)[number] & { order: Order; change: (order: Order) => void }) {
  const isOrder = order.column === column;
  const sort = isOrder ? (order.descending ? "descending" : "ascending") : undefined;
  const isText = column === "index" || column === "outcome";
  return html`<th scope="col" class=${isText ? "text" : ""} aria-sort=${sort}>
    <button type="button" onClick=${() => change({ column, descending: isOrder ? !order.descending : first })}>${title}</button>
  </th>`;
}

function Row({
  trials,
  row,
  place,
  isOpen,
  chosen,
}: {
  trials: Trials;
  row: number;
  place: number;
  isOpen: boolean;
  chosen: (index: number) => void;
}) {
  const { rows, outcomes, search } = trials;
  const outcome = outcomes[rows.outcome[row]!]!;
  const index = rows.index[row]!;
  const words = rows.words[row] ?? "";
  return html`<tr class=${`${outcome}${isOpen ? " open" : ""}`} aria-rowindex=${place}>
    <td class="text"><button type="button" class="link" aria-label=${`${search}-${index}`} onClick=${() => chosen(index)}>${shortName(search, index)}</button></td>
    <td class="text">${OUTCOME_WORDS[outcome] ?? outcome}</td>
    ${COLUMNS.slice(2).map(({ column, show }) => {
      const value = rows[column][row];
      return html`<td>${value === null || value === undefined ? "" : show!(value)}</td>`;
    })}
    <td class="text words" title=${words}>${words}</td>
  </tr>`;
}

function Filters({
  trials,
  filter,
  change,
}: {
  trials: Trials;
  filter: Filter;
  change: (part: Partial<Filter>) => void;
}) {
  const { rows, outcomes } = trials;
  const counts = useMemo(() => {
    const found = outcomes.map(() => 0);
    for (const outcome of rows.outcome) found[outcome]!++;
    return found;
  }, [trials]);
  const number = (event: Event) => {
    const { value } = event.target as HTMLInputElement;
    return value === "" || Number.isNaN(Number(value)) ? undefined : Number(value);
  };
  const toggle = (outcome: number) => {
    const chosen = new Set(filter.outcomes);
    if (!chosen.delete(outcome)) chosen.add(outcome);
    change({ outcomes: chosen });
  };
  return html`<form class="filters" role="search" aria-label="Trials" onSubmit=${(event: Event) => event.preventDefault()}>
    <label>Name or words <input type="search" value=${filter.text} onInput=${(event: Event) => change({ text: (event.target as HTMLInputElement).value })} /></label>
    <label>Reward from <input type="number" step="0.01" inputmode="decimal" onInput=${(event: Event) => change({ minReward: number(event) })} /></label>
    <label>Parameters up to <input type="number" step="10000" inputmode="numeric" onInput=${(event: Event) => change({ maxParameters: number(event) })} /></label>
    <fieldset><legend class="unseen">Outcome</legend>
      ${outcomes.map((name, i) => counts[i]! > 0 && html`<label class="chip"><input type="checkbox" checked=${filter.outcomes.has(i)} onChange=${() => toggle(i)} /> ${OUTCOME_WORDS[name] ?? name} <span class="soft">${whole(counts[i]!)}</span></label>`)}
    </fieldset>
  </form>`;
}
