// What is to be done about one search: objects in, changes out, pure. Settled trials enter the ledger, new trials
// are proposed while there is room, and status says how far it has come.
import type {
  ArchitectureSearch,
  ArchitectureSearchStatus,
} from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import type { LedgerEntry } from "../../ledger/entry.ts";
import { type FoldSettings, type SearchState, versionAfter } from "../../ledger/fold.ts";
import { deadline, isMended, searchStatus, verdict } from "./status.ts";
import { settledEntry, trialName } from "./trial.ts";

export type SearchAction =
  | { type: "Append"; entry: LedgerEntry }
  /** Tells a trial its number in the ledger: its Job may go. */
  | { type: "MarkEntered"; trial: CandidateTrial; entry: number }
  /** The trainer had refused the configuration, but the search has been changed since: it is tried again. */
  | { type: "Forgive"; entries: number }
  | { type: "Propose"; index: number; version: number }
  /** Notes which indices were made, in case that the trial of the highest goes without an entry. */
  | { type: "NoteMade"; made: number }
  | { type: "WriteStatus"; status: ArchitectureSearchStatus }
  /** Nothing to do before that time. */
  | { type: "Wait"; until: Date };

export interface SearchWorld {
  search: ArchitectureSearch;
  /** Its trials, in any order. */
  trials: CandidateTrial[];
  settings: FoldSettings;
  /** The fold over the ledger. */
  state: SearchState;
  /** The ledger's entry numbers by trial index. */
  numbers: ReadonlyMap<number, number>;
  /** How many indices are known to have been used, though their trials may be gone. */
  made: number;
  /** How many the ledger has noted as made, and below which entry refusals are forgiven. */
  noted: { made: number; forgiven: number };
  /** Of the policy after its last update, nats; undefined before the first. */
  entropy: number | undefined;
  now: Date;
}

export function decideSearch(world: SearchWorld): SearchAction[] {
  const { search, trials, numbers } = world;
  // What is settled comes first: everything else follows from the ledger.
  const entries = entriesToAppend(world);
  if (entries.length > 0) return entries.map((entry) => ({ type: "Append", entry }));

  if (isMended(world)) return [{ type: "Forgive", entries: world.state.entries }];

  const marks = trials.flatMap((trial): SearchAction[] => {
    const entry = numbers.get(trial.spec.index);
    return entry === undefined || trial.status?.entry !== undefined
      ? []
      : [{ type: "MarkEntered", trial, entry }];
  });
  const next = nextIndex(world);
  if (next > world.noted.made) marks.push({ type: "NoteMade", made: next });
  const ended = verdict(world);
  const status = searchStatus(world, ended);
  const write: SearchAction[] = status === search.status ? [] : [{ type: "WriteStatus", status }];
  if (ended || search.spec.suspend) return [...marks, ...write];
  const until = deadline(world);
  return [...marks, ...proposals(world), ...write, ...(until ? [{ type: "Wait" as const, until }] : [])];
}

/** The index of the next trial: one above the highest there ever was. */
export function nextIndex({
  trials,
  numbers,
  made,
}: Pick<SearchWorld, "trials" | "numbers" | "made">): number {
  let next = made;
  for (const { spec } of trials) next = Math.max(next, spec.index + 1);
  for (const index of numbers.keys()) next = Math.max(next, index + 1);
  return next;
}

/** In the order of indices up to the first that has not settled, or in the order in which they ended. */
function entriesToAppend(world: SearchWorld): LedgerEntry[] {
  const { search, trials, state, numbers } = world;
  const byIndex = new Map(trials.map((trial) => [trial.spec.index, trial]));
  const next = nextIndex(world);
  const missing = Array.from({ length: next }, (_, index) => index).filter((index) => !numbers.has(index));
  const entry = (index: number, number: number): LedgerEntry | undefined => {
    const trial = byIndex.get(index);
    // A trial that is gone without an entry was deleted by hand.
    return trial
      ? settledEntry(trial, number)
      : { number, index, trial: trialName(search, index), outcome: "Deleted" };
  };
  const entries: LedgerEntry[] = [];
  if (search.spec.rewardOrder === "Completion")
    missing.sort((a, b) => ended(byIndex.get(a)) - ended(byIndex.get(b)) || a - b);
  for (const index of missing) {
    const settled = entry(index, state.entries + entries.length);
    if (settled) entries.push(settled);
    else if (search.spec.rewardOrder === "Index") break;
  }
  return entries;
}

/** When a trial ended, in milliseconds; 0 where that is not known. */
const ended = (trial: CandidateTrial | undefined): number =>
  Date.parse(trial?.status?.attempts?.at(-1)?.endTime ?? "") || 0;

/** New trials while fewer than `parallelism` are unsettled, each from the policy's version that is its due. */
function proposals(world: SearchWorld): SearchAction[] {
  const { search, trials, settings, state, numbers } = world;
  const { parallelism, maxTrials, rewardOrder, policyLag } = search.spec;
  const unsettled = trials.filter(({ spec, status }) => !status?.result && !numbers.has(spec.index)).length;
  const first = nextIndex(world);
  const actions: SearchAction[] = [];
  for (let index = first; index < maxTrials && unsettled + index - first < parallelism; index++) {
    if (rewardOrder === "Completion") {
      actions.push({ type: "Propose", index, version: state.policyUpdates });
      continue;
    }
    const entries = Math.max(0, index - policyLag + 1);
    if (entries > state.entries) break;
    actions.push({ type: "Propose", index, version: versionAfter(settings, state, entries) });
  }
  return actions;
}
