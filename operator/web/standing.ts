// What a search is doing at the moment, by its conditions.
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";

export interface Standing {
  /** New, Searching, Stalled, Stopping, Suspended, Complete, Failed. */
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

/** The first condition that is true says most. */
export function standingOf({ metadata, spec, status }: ArchitectureSearch): Standing {
  const told = status?.conditions?.find((condition) => condition.status === "True");
  if (told && told.type !== "Progressing")
    return { state: told.type, reason: told.reason, message: told.message };
  if (!status?.conditions?.length) return NEW;
  const state = told ? "Searching" : spec.suspend ? "Stopping" : "Searching";
  if (status.observedGeneration !== metadata.generation) return { state, message: UNSEEN };
  return { state, ...(told && { reason: told.reason, message: told.message }) };
}
