// What is to be done about one search: objects in, changes out, pure. Settled trials enter the ledger, new trials
// are proposed while there is room, and status says how far it has come.
import { isDeepStrictEqual } from "node:util";
import type {
  ArchitectureSearch,
  ArchitectureSearchStatus,
} from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import type { LedgerEntry, SettledEntry } from "../../ledger/entry.ts";
import {
  entriesDue,
  type FoldSettings,
  gateAfter,
  REFUSALS,
  type SearchState,
  versionAfter,
} from "../../ledger/fold.ts";
import { thresholdsOf } from "../../ledger/gate.ts";
import { waitsForOther } from "../status.ts";
import { deadline, isMended, lastRefused, pause, searchStatus, unsettled, verdict } from "./status.ts";
import { type Place, settledEntry, trialName } from "./trial.ts";
import { type UntrainedAction, untrained } from "./untrained.ts";

export type SearchAction =
  | { type: "Append"; entry: LedgerEntry }
  /** Tells a trial its number in the ledger: its Job may go. */
  | { type: "MarkEntered"; trial: CandidateTrial; entry: number }
  /** The trainer had refused the configuration, but the search has been changed since: it is tried again. */
  | { type: "Forgive"; entries: number }
  /** One that is in the ledger, and not among those that are kept. */
  | { type: "DeleteTrial"; trial: CandidateTrial }
  | UntrainedAction
  /** Notes which indices are about to be made: after a crash they are made from the same policy, or counted. */
  | { type: "Reserve"; to: number }
  | { type: "Propose"; place: Place }
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
  /** The ledger's entry numbers by trial index, but for what was taken over from another search. */
  numbers: ReadonlyMap<number, number>;
  /** By network, the first trial in the ledger that has a reward of its own. */
  networks: ReadonlyMap<string, SettledEntry>;
  /** How many indices are known to have been used, though their trials may be gone. */
  made: number;
  /** What the ledger has noted: see LedgerShard. */
  noted: { reserved: number; forgiven: number };
  /** Whether reserved indices that are not there may never have been made. */
  unmade: boolean;
  /** Whether it is suspended, and Jobs of trials without a result are still there. */
  hasJobs: boolean;
  /** When this process last wrote the status; undefined where it has not. */
  told: Date | undefined;
  /** Of the policy after its last update, nats; undefined before the first. */
  entropy: number | undefined;
  now: Date;
}

export function decideSearch(world: SearchWorld): SearchAction[] {
  const { search, trials, numbers } = world;
  const next = nextIndex(world);
  // A process before this one may have died before it made them. They are made before anything more is learned.
  const reserved = world.unmade ? Math.min(world.noted.reserved, search.spec.maxTrials) : 0;
  if (next < reserved) return placesFrom(world, next, reserved).map((place) => ({ type: "Propose", place }));
  const settled = untrained(world);
  if (settled.length > 0) return settled;
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
  const surplus = history(world).map((trial): SearchAction => ({ type: "DeleteTrial", trial }));
  const ended = verdict(world);
  const status = searchStatus(world, ended);
  const news = status !== search.status;
  const due = news && isCounting(search.status, status) ? countedAgain(world) : undefined;
  const write: SearchAction[] = news && !due ? [{ type: "WriteStatus", status }] : [];
  const goesOn = !ended && !search.spec.suspend;
  const times = [due, ...(goesOn ? [deadline(world), pause(world)] : [])];
  const later = times.filter((time) => time !== undefined && time > world.now) as Date[];
  const until = later.sort((a, b) => a.getTime() - b.getTime())[0];
  return [
    ...marks,
    ...write,
    ...(goesOn ? proposals(world) : []),
    ...surplus,
    ...(until ? [{ type: "Wait" as const, until }] : []),
  ];
}

/** How far apart statuses are written that differ in counts alone: with many trials each moment has another. */
const COUNT_MS = 2_000;

/** When counts are to be written next, where that is later. */
function countedAgain({ told, now }: SearchWorld): Date | undefined {
  // A clock may have been set back.
  if (!told || told > now) return undefined;
  const due = new Date(told.getTime() + COUNT_MS);
  return due > now ? due : undefined;
}

/** Whether a status differs from the one before in nothing but how far the search has come. */
function isCounting(before: ArchitectureSearchStatus | undefined, status: ArchitectureSearchStatus): boolean {
  const rest = ({ observedGeneration, conditions, best, ...times }: ArchitectureSearchStatus) => ({
    ...{ observedGeneration, best, startTime: times.startTime, completionTime: times.completionTime },
    conditions: conditions?.map(({ type, status, reason }) => [type, status, reason]),
  });
  return before !== undefined && isDeepStrictEqual(rest(before), rest(status));
}

/**
 * Trials that are entered, but neither among the latest `trialsHistoryLimit` nor among the best. The last that was refused
 * stays: the next is tried so long after it.
 */
function history(world: SearchWorld): CandidateTrial[] {
  const { search, trials, state } = world;
  // A server whose CustomResourceDefinition is older than the field gives no default: then all are kept.
  const limit: number = search.spec.trialsHistoryLimit ?? Number.POSITIVE_INFINITY;
  const entered = trials.filter(({ status }) => status?.entry !== undefined);
  if (entered.length <= limit) return [];
  const kept = new Set([...state.top, ...state.paretoFront].map(({ trial }) => trial));
  const refused = state.refusals > 0 ? lastRefused(world) : undefined;
  if (refused) kept.add(refused.metadata.name);
  return entered
    .sort((a, b) => b.status!.entry! - a.status!.entry!)
    .slice(limit)
    .filter(({ metadata }) => !kept.has(metadata.name) && !metadata.deletionTimestamp);
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

/** When a trial ended, in milliseconds: one that is gone first, one that was never trained last. */
function ended(trial: CandidateTrial | undefined): number {
  if (!trial) return 0;
  return Date.parse(trial.status?.attempts?.at(-1)?.endTime ?? "") || Number.MAX_SAFE_INTEGER;
}

/**
 * New trials while fewer than `parallelism` train, each from the policy and the gate that are its due. Those that wait
 * for another with the same network take no GPU: as many more may be made.
 */
function proposals(world: SearchWorld): SearchAction[] {
  const { search, state, noted, now } = world;
  const pausedUntil = pause(world);
  if (pausedUntil && pausedUntil > now) return [];
  // While the trainer refuses the configuration one trial at a time finds out whether it still does.
  const parallelism = state.refusals >= REFUSALS ? 1 : search.spec.parallelism;
  const open = unsettled(world);
  const training = open.filter((trial) => !waitsForOther(trial)).length;
  const room = Math.min(parallelism - training, 2 * parallelism - open.length);
  const first = nextIndex(world);
  const places = placesFrom(world, first, Math.min(first + room, search.spec.maxTrials));
  const to = first + places.length;
  return [
    ...(to > noted.reserved ? [{ type: "Reserve" as const, to }] : []),
    ...places.map((place) => ({ type: "Propose" as const, place })),
  ];
}

/** What the trials from one index to below another are made from, as far as the ledger reaches by now. */
function placesFrom({ search, settings, state }: SearchWorld, first: number, end: number): Place[] {
  const { rewardOrder, seed } = search.spec;
  const places: Place[] = [];
  for (let index = first; index < end; index++) {
    const entries = rewardOrder === "Index" ? entriesDue(settings, state, index) : state.entries;
    if (entries > state.entries) break;
    places.push({
      index,
      entries,
      policyVersion: versionAfter(settings, state, entries),
      gate: thresholdsOf(settings.gate, gateAfter(state, entries), seed, index),
    });
  }
  return places;
}
