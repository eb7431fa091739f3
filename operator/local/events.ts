// What is told of a search on this machine. A cluster keeps events; here their objects remember as much: how the search
// came to stand as it does, and what went wrong with its trials. Pure.
import { SearchCondition, TrialCondition } from "../api/conditions.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import { attemptEvents } from "../kube/condition-events.ts";
import type { ToldEvent } from "../kube/view.ts";
import type { SearchView } from "./run.ts";

const BAD: readonly string[] = [SearchCondition.Failed, SearchCondition.Stalled];

/** As events of a cluster are told, the latest last; that the search goes on is no news. */
export function eventsOf({ search, trials }: Pick<SearchView, "search" | "trials">): ToldEvent[] {
  const turns = (search.status?.conditions ?? []).flatMap((condition): ToldEvent[] => {
    const { type, status, reason, message, lastTransitionTime } = condition;
    if (status !== "True" || type === SearchCondition.Progressing) return [];
    const kind = BAD.includes(type) ? "Warning" : "Normal";
    return [{ about: search.metadata.name, type: kind, reason, note: message, time: lastTransitionTime }];
  });
  return [...turns, ...trials.flatMap(warnings)].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

/** The trial's failure, and attempts before that ended without a result. */
function warnings({ metadata: { name: about }, status }: CandidateTrial): ToldEvent[] {
  const attempts = (status?.attempts ?? []).flatMap((attempt) =>
    attemptEvents(attempt)
      .filter(({ type }) => type === "Warning")
      .map((event): ToldEvent => ({ about, ...event, time: attempt.endTime! })),
  );
  const failed = status?.conditions?.find(({ type }) => type === TrialCondition.Failed);
  if (status?.result?.outcome !== "Failed" || failed?.status !== "True") return attempts;
  const { reason, message, lastTransitionTime: time } = failed;
  const before = attempts.at(-1)?.reason === reason ? attempts.slice(0, -1) : attempts;
  return [...before, { about, type: "Warning", reason, note: message, time }];
}
