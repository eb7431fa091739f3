// A search in plain data, as the terminal's table and the documents for programs show it.
import type { Architecture } from "@segnas/searchspace/architecture.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import { isImported, type LedgerEntry, type SettledEntry } from "../ledger/entry.ts";
import { byRank } from "../ledger/fold.ts";
import type { PolicyUpdate } from "../ledger/snapshots.ts";
import { whole } from "./format.ts";
import { summariseEntry, summariseTrial, type TrialSummary } from "./trial-summary.ts";

export type SearchState = "Running" | "Stopped" | "Complete" | "Failed";

export interface SearchSummary {
  name: string;
  state: SearchState;
  /** The condition's message: why it failed, or what it is doing. */
  message?: string;
  maxTrials: number;
  trials: TrialSummary[];
  /** Trials of another search that this one began with. They are not among `trials`. */
  takenOver?: { search: string; trials: number; best?: { name: string; reward: number } };
  /** What the policy was after its updates; in a cluster, up to the newest snapshot. */
  policy: PolicyUpdate[];
  startTime?: string;
}

/** A trial that succeeded. */
export type Scored = TrialSummary & { reward: number; architecture: Architecture; parameters: number };

/** Succeeded trials, best first; of equal rewards the smaller network, then the earlier. */
export const ranked = (trials: TrialSummary[]): Scored[] =>
  trials
    .filter((trial): trial is Scored => trial.outcome === "Succeeded" && trial.reward !== undefined)
    .sort(byRank);

/** How many trials ended in each way, and how many have ended. */
export function counts(trials: TrialSummary[]) {
  const of = (outcome: TrialSummary["outcome"]) => trials.filter((trial) => trial.outcome === outcome).length;
  const [succeeded, failed, rejected, deleted] = [
    of("Succeeded"),
    of("Failed"),
    of("Rejected"),
    of("Deleted"),
  ];
  return {
    succeeded,
    failed,
    rejected,
    deleted,
    running: of("Running"),
    pending: of("Pending"),
    settled: succeeded + failed + rejected + deleted,
  };
}

/** Trials that failed or were deleted, in their order. */
export const failures = (trials: TrialSummary[]): TrialSummary[] =>
  trials.filter(({ outcome }) => outcome === "Failed" || outcome === "Deleted");

/** Trials that are over a constraint and so were never trained, in their order. */
export const rejections = (trials: TrialSummary[]): TrialSummary[] =>
  trials.filter(({ outcome }) => outcome === "Rejected");

/** How the trials ended, in words: "4 succeeded, 1 failed". The first two always, the others where there are any. */
export function outcomesInWords(
  counts: Partial<Record<"succeeded" | "failed" | "rejected" | "deleted", number>>,
): string {
  const { succeeded = 0, failed = 0, rejected = 0, deleted = 0 } = counts;
  return [
    `${whole(succeeded)} succeeded`,
    `${whole(failed)} failed`,
    rejected > 0 ? `${whole(rejected)} over a constraint` : "",
    deleted > 0 ? `${whole(deleted)} deleted` : "",
  ]
    .filter(Boolean)
    .join(", ");
}

const CAUSES: Record<string, string> = {
  NonFiniteLoss: "the loss stopped being a finite number",
  OutOfMemory: "it ran out of memory",
  TimeLimit: "it ran past its time limit",
  OverConstraint: "it is over a constraint and was not trained",
  InvalidConfiguration: "its settings or data are wrong",
  Infrastructure: "the machine failed it",
  Deleted: "it was deleted by hand",
};

/** A failure in words: the trainer's own sentence after what its cause means. */
export function failureInWords(trial: TrialSummary): string {
  const cause = trial.cause ?? (trial.outcome === "Deleted" ? "Deleted" : "unknown cause");
  const meaning = CAUSES[cause] ?? cause;
  return trial.message ? `${meaning}: ${trial.message}` : meaning;
}

/** What a store says of a search at one moment. */
export interface SearchObjects {
  search: ArchitectureSearch;
  trials: CandidateTrial[];
  entries: LedgerEntry[];
  policy: PolicyUpdate[];
}

/**
 * The summary of a search's objects; of trials that are gone, as its ledger has them. `live` says whether something is running the search at this moment:
 * an unfinished search that nothing runs is stopped.
 */
export function summarise({ search, trials, entries, policy }: SearchObjects, live: boolean): SearchSummary {
  const { metadata, spec, status } = search;
  const held = (type: string) => status?.conditions?.find((it) => it.type === type && it.status === "True");
  const [complete, failed, stalled] = [held("Complete"), held("Failed"), held("Stalled")];
  const state = complete ? "Complete" : failed ? "Failed" : live && !spec.suspend ? "Running" : "Stopped";
  const message = (failed ?? (complete ? undefined : stalled))?.message;
  const there = new Set(trials.map((trial) => trial.spec.index));
  const gone = entries.filter((entry) => !there.has(entry.index) && !isImported(entry));
  const imports = entries.filter(isImported);
  return {
    name: metadata.name,
    state,
    ...(message && { message }),
    maxTrials: spec.maxTrials,
    trials: [...trials.map(summariseTrial), ...gone.map(summariseEntry)].sort((a, b) => a.index - b.index),
    ...(imports[0] && { takenOver: takenOverOf(imports[0].source, imports) }),
    policy: [...policy], // the store's own list grows
    ...(status?.startTime && { startTime: status.startTime }),
  };
}

function takenOverOf(search: string, imports: SettledEntry[]): NonNullable<SearchSummary["takenOver"]> {
  const [best] = ranked(imports.map(summariseEntry));
  return { search, trials: imports.length, ...(best && { best: { name: best.name, reward: best.reward } }) };
}
