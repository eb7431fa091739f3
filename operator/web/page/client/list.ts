// The list of searches, and those that are chosen in one chart.
import { html } from "htm/preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { percent, real, whole } from "../../format.ts";
import type { ListDocument, ListedSearch } from "../documents.ts";
import { SEVERAL } from "./chart.ts";
import { TogetherChart } from "./charts.ts";
import { serverNow, useDocument } from "./follow.ts";
import { Bar, Notice, State } from "./parts.ts";
import type { Trials } from "./trials.ts";
import { placeOf, useTrials } from "./use-trials.ts";
import { gpuHours, since } from "./words.ts";

const idOf = ({ namespace, name }: ListedSearch): string => `${namespace}/${name}`;

/** Its name, with the namespace where another one has that name too. */
const called = (search: ListedSearch, all: ListedSearch[]): string =>
  all.some((other) => other !== search && other.name === search.name) ? idOf(search) : search.name;

export function List() {
  const { document, failure } = useDocument<ListDocument>("/api/searches");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  if (!document) return html`<main><h1>Searches</h1><${Notice} failure=${failure} /></main>`;
  const { searches } = document;
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const shown = searches.filter((it) => chosen.has(idOf(it)));
  return html`<main><h1>Searches</h1>
    <${Notice} failure=${failure} />
    ${searches.length === 0 && html`<p class="empty">There is no search yet. Begin one: <code>kubectl apply -f search.yaml</code>; it appears here at once.</p>`}
    ${
      searches.length > 0 &&
      html`<div class="scroll" tabindex="0" role="region" aria-label="Searches"><table class="searches">
      <thead><tr>
        ${searches.length > 1 && html`<th scope="col" class="text"><span class="unseen">In one chart</span></th>`}
        <th scope="col" class="text">Search</th><th scope="col" class="text">State</th><th scope="col" class="text">Trials</th><th scope="col">Best reward</th>
        <th scope="col">Mean IoU</th><th scope="col">Parameters</th><th scope="col">GPU-hours</th><th scope="col">Age</th>
      </tr></thead>
      <tbody>${searches.map((it) => html`<${Row} key=${it.uid} search=${it} several=${searches.length > 1} called=${called(it, searches)} isChosen=${chosen.has(idOf(it))} isFull=${chosen.size >= SEVERAL} toggle=${() => toggle(idOf(it))} />`)}</tbody>
    </table></div>`
    }
    ${searches.length > 1 && shown.length === 0 && html`<p class="soft">Tick searches to see them in one chart.</p>`}
    ${shown.length > 0 && html`<${Together} key=${shown.map(idOf).join()} searches=${shown} />`}
  </main>`;
}

interface RowProps {
  search: ListedSearch;
  several: boolean;
  /** What it is called where its namespace does not stand beside it. */
  called: string;
  isChosen: boolean;
  isFull: boolean;
  toggle: () => void;
}

function Row({ search, several, called, isChosen, isFull, toggle }: RowProps) {
  const { namespace, name, best, gpuSeconds, createdAt } = search;
  return html`<tr>
    ${several && html`<td class="text"><input type="checkbox" aria-label=${`${called} in the chart`} checked=${isChosen} disabled=${isFull && !isChosen} onChange=${toggle} /></td>`}
    <td class="text name"><a href=${placeOf(search)}>${name}</a><small class="soft">${namespace}</small></td>
    <td class="text"><${State} standing=${search} /></td>
    <td class="text ended"><${Bar} search=${search} /></td>
    <td data-label="Best reward">${best ? real(best.reward) : "none yet"}</td>
    <td data-label="Mean IoU">${best ? percent(best.meanIoU) : ""}</td>
    <td data-label="Parameters">${best ? whole(best.parameters) : ""}</td>
    <td data-label="GPU-hours">${gpuHours(gpuSeconds)}</td>
    <td data-label="Age">${since(createdAt, serverNow())}</td>
  </tr>`;
}

/** Several searches in one chart: the set stays the same while this is there. */
function Together({ searches }: { searches: ListedSearch[] }) {
  const [all, setAll] = useState<Record<string, Trials>>({});
  const known = useMemo(
    () =>
      searches.flatMap((it) => (all[it.uid] ? [{ name: called(it, searches), trials: all[it.uid]! }] : [])),
    [all],
  );
  return html`${searches.map((it) => html`<${Follow} key=${it.uid} search=${it} told=${(trials: Trials) => setAll((before) => ({ ...before, [it.uid]: trials }))} />`)}
    ${known.length === searches.length ? html`<${TogetherChart} searches=${known} />` : html`<p class="soft">Reading…</p>`}`;
}

function Follow({ search, told }: { search: ListedSearch; told: (trials: Trials) => void }) {
  const { trials } = useTrials(search);
  useEffect(() => {
    if (trials) told(trials);
  }, [trials]);
  return null;
}
