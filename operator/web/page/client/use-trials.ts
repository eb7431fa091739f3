// The trials of a search, kept up to date: of what has settled only what is new is asked for.
import { useEffect, useState } from "preact/hooks";
import type { TrialsDocument } from "../documents.ts";
import { trialsPath } from "../paths.ts";
import { type Failure, follow } from "./follow.ts";
import { joined, type Trials } from "./trials.ts";

/** Where a search, or a trial of it, is on the page. */
export const placeOf = ({ namespace, name }: { namespace: string; name: string }, index?: number): string =>
  ["#", namespace, name, ...(index === undefined ? [] : [index])].map(partOf).join("/");

const partOf = (part: string | number): string => (part === "#" ? part : encodeURIComponent(part));

export function useTrials(search: { namespace: string; name: string }): {
  trials?: Trials;
  failure?: Failure;
} {
  const { namespace, name } = search;
  const [state, setState] = useState<{ trials?: Trials; failure?: Failure }>({});
  useEffect(() => {
    let trials: Trials | undefined;
    setState({});
    return follow<TrialsDocument>(
      () => trialsPath(search, trials?.settled ?? 0),
      (told) => {
        trials = joined(trials, told);
        if (trials) setState({ trials });
      },
      (failure) =>
        setState(({ failure: _, ...before }) => (failure === undefined ? before : { ...before, failure })),
    );
  }, [namespace, name]);
  return state;
}
