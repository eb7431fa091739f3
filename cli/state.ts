// What a search is doing at the moment, by its conditions.
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";

export interface SearchStanding {
  /** New, Searching, Stalled, Stopping, Suspended, Complete, Failed. */
  state: string;
  /** Why, where there is something to say: a word for programs, a sentence for people. */
  reason?: string;
  message?: string;
}

/** The first condition that is true says most. */
export function standingOf({ metadata, spec, status }: ArchitectureSearch): SearchStanding {
  const told = status?.conditions?.find((condition) => condition.status === "True");
  if (told && told.type !== "Progressing")
    return { state: told.type, reason: told.reason, message: told.message };
  if (!status?.conditions?.length) return NEW;
  const state = told ? "Searching" : spec.suspend ? "Stopping" : "Searching";
  const unseen = status.observedGeneration !== metadata.generation;
  return { state, ...(unseen && { message: UNSEEN }) };
}

/** Nobody has looked at it yet. */
export const NEW: SearchStanding = {
  state: "New",
  message: "no operator has taken it up yet: does one run that works on this namespace?",
};
const UNSEEN = "the operator has not taken up the last change of its spec yet";

/** A line where a search has come to a halt, or goes on after one. */
export function haltLines(name: string, before: SearchStanding | undefined, now: SearchStanding): string[] {
  const isHalt = ({ state }: SearchStanding) => ["New", "Stalled", "Suspended"].includes(state);
  if (isHalt(now) && (before?.state !== now.state || before.message !== now.message))
    return [`${name} is ${now.state.toLowerCase()}: ${now.message}`];
  const wasHeld = before && before.state !== "New" && isHalt(before);
  return wasHeld && now.state === "Searching" ? [`${name} goes on`] : [];
}
