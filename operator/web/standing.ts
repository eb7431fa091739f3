// What a search is doing at the moment, by its conditions.
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";

export interface Standing {
  /** New, Searching, Stalled, Stopping, Suspended, Stopped, Complete, Failed. */
  state: string;
  /** Why, where there is something to say: a word for programs, a sentence for people. */
  reason?: string;
  message?: string;
}

/** Nobody has looked at it yet. */
export const NEW: Standing = {
  state: "New",
  message: "no operator has taken it up yet: does one run that works on this namespace?",
};
const UNSEEN = "the operator has not taken up the last change of its spec yet";

const STOPPED: Standing = {
  state: "Stopped",
  message: "no process runs it; the same segnas search goes on",
};

/** The first condition that is true says most; where nothing works on a search that has not ended, that does. */
export function standingOf(search: ArchitectureSearch, isLive = true): Standing {
  const { metadata, spec, status } = search;
  const told = status?.conditions?.find((condition) => condition.status === "True");
  if (!isLive && told?.type !== "Complete" && told?.type !== "Failed") return STOPPED;
  if (told && told.type !== "Progressing")
    return { state: told.type, reason: told.reason, message: told.message };
  if (!status?.conditions?.length) return NEW;
  const state = told ? "Searching" : spec.suspend ? "Stopping" : "Searching";
  if (status.observedGeneration !== metadata.generation) return { state, message: UNSEEN };
  return { state, ...(told && { reason: told.reason, message: told.message }) };
}
