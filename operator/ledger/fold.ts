// Everything that a search knows, as a fold over its ledger: pure, so that a replay gives the same state.
import { TrialReason } from "../api/conditions.ts";
import type { Experience } from "../policy/policy.ts";
import { isImported, type LedgerEntry, type Outcome, type SettledEntry } from "./entry.ts";
import { type GateSettings, observeSlots, type SlotMean } from "./gate.ts";

export interface FoldSettings {
  /** Trials that one update of the policy learns from. */
  batchSize: number;
  /** What a reward that is no finite number counts as. */
  failureReward: number;
  /** How many entries back the policy's version and the gate's means can be asked for, at least 1. */
  policyLag: number;
  /** Undefined where there is no gate. */
  gate: GateSettings | undefined;
}

/** A succeeded trial where trials are ranked. */
export interface Ranked {
  trial: string;
  index: number;
  /** The search that trained it, where that is another one. */
  source: string | null;
  reward: number;
  meanIoU: number;
  parameters: number;
}

export interface Refusal {
  /** The entry that made it certain. */
  entry: number;
  /** The trainer's sentence. */
  message: string;
}

export interface SearchState {
  entries: number;
  /** How many of the entries are taken over from another search: they are first, and counted nowhere else. */
  imported: number;
  outcomes: Record<Outcome, number>;
  /** How many of the outcomes are those of an earlier trial with the same network. */
  reused: number;
  /** How many of the succeeded the gate has stopped. */
  stopped: number;
  /** The best ten, best first. */
  top: Ranked[];
  /** Trials that no other is as good as with fewer parameters, or better than with as many; smallest first. */
  paretoFront: Ranked[];
  gpuSeconds: number;
  /** Updates that the entries make: update u learns from the u-th batch of entries with a reward. */
  policyUpdates: number;
  /** Entries with a reward that fill no batch yet. */
  tail: Experience[];
  /** The batch that the last entry filled, if it did. */
  batch: Experience[] | null;
  /** For each of the last `policyLag` entries, latest last: whether it has a reward, and the gate after it. */
  recent: { rewarded: boolean; gate: readonly SlotMean[] }[];
  /** Trials in a row, of those that a trainer has seen, whose configuration it refused; from 0 after `refused`. */
  refusals: number;
  /** The last time that so many were refused in a row, before the first success, that none will do. */
  refused: Refusal | null;
}

const TOP = 10;
/** So many refusals of the configuration in a row are no chance. */
export const REFUSALS = 3;

/** The state before the first entry. */
export const EMPTY: SearchState = {
  entries: 0,
  imported: 0,
  outcomes: { Succeeded: 0, Failed: 0, Rejected: 0, Infrastructure: 0, Deleted: 0 },
  reused: 0,
  stopped: 0,
  top: [],
  paretoFront: [],
  gpuSeconds: 0,
  policyUpdates: 0,
  tail: [],
  batch: null,
  recent: [],
  refusals: 0,
  refused: null,
};

/** The state after one more entry. Throws Error where its number is not the next. */
export function fold(settings: FoldSettings, state: SearchState, entry: LedgerEntry): SearchState {
  if (entry.number !== state.entries) {
    throw new Error(`the ledger has entry ${entry.number} (${entry.trial}) where ${state.entries} should be`);
  }
  const settled = entry.outcome === "Deleted" ? undefined : entry;
  const imported = isImported(entry);
  const own = imported ? undefined : settled;
  const outcomes = imported
    ? state.outcomes
    : { ...state.outcomes, [entry.outcome]: state.outcomes[entry.outcome] + 1 };
  const experience = settled && experienceOf(settings, settled);
  const tail = experience ? [...state.tail, experience] : state.tail;
  const full = tail.length === settings.batchSize;
  const refusal = entry.outcome === "Infrastructure" && entry.cause === TrialReason.InvalidConfiguration;
  // What no trainer has seen says nothing about the configuration.
  const isJudged = own && own.outcome !== "Rejected" && own.duplicateOf === null;
  const refusals = refusal ? state.refusals + 1 : isJudged ? 0 : state.refusals;
  const hopeless = refusal && refusals >= REFUSALS && outcomes.Succeeded === 0;
  const before = state.recent.at(-1)?.gate ?? [];
  // What was reused was seen before.
  const slots = settled && settled.duplicateOf === null ? settled.slots : [];
  const gate = settings.gate ? observeSlots(settings.gate, before, slots) : before;
  return {
    entries: state.entries + 1,
    imported: state.imported + (imported ? 1 : 0),
    outcomes,
    reused: state.reused + (own && own.duplicateOf !== null ? 1 : 0),
    stopped: state.stopped + (own?.stopped ? 1 : 0),
    ...withRanked(state, entry),
    gpuSeconds: state.gpuSeconds + (own?.gpuSeconds ?? 0),
    policyUpdates: state.policyUpdates + (full ? 1 : 0),
    tail: full ? [] : tail,
    batch: full ? tail : null,
    recent: [...state.recent, { rewarded: experience !== undefined, gate }].slice(-settings.policyLag),
    refusals: hopeless ? 0 : refusals,
    refused: hopeless ? { entry: entry.number, message: entry.message ?? "" } : state.refused,
  };
}

/** With rewardOrder Index: how many entries trial `index` is made after, those taken over among them. */
export const entriesDue = (
  { policyLag }: Pick<FoldSettings, "policyLag">,
  { imported }: Pick<SearchState, "imported">,
  index: number,
): number => imported + Math.max(0, index - policyLag + 1);

/**
 * The policy's version after the first n entries, for n of the last `policyLag`. Throws Error for one further
 * back or still to come.
 */
export function versionAfter(settings: FoldSettings, state: SearchState, n: number): number {
  const back = state.entries - n;
  if (back < 0 || back > state.recent.length) {
    throw new Error(`the policy's version after ${n} entries is not known after ${state.entries}`);
  }
  const since = state.recent.slice(state.recent.length - back).filter(({ rewarded }) => rewarded).length;
  const eligible = state.policyUpdates * settings.batchSize + state.tail.length;
  return Math.floor((eligible - since) / settings.batchSize);
}

/**
 * The gate's means after the first n entries, for n of the last `policyLag`. Throws Error for one further back or
 * still to come.
 */
export function gateAfter(state: SearchState, n: number): readonly SlotMean[] {
  if (n === 0) return [];
  const recent = state.recent[state.recent.length - 1 - (state.entries - n)];
  if (!recent) throw new Error(`the gate's means after ${n} entries are not known after ${state.entries}`);
  return recent.gate;
}

function experienceOf(settings: FoldSettings, entry: SettledEntry): Experience | undefined {
  if (entry.outcome === "Infrastructure") return undefined;
  const { index, decisions, logProbability, reward } = entry;
  const finite = reward !== null && Number.isFinite(reward);
  return { index, decisions, logProbability, reward: finite ? reward : settings.failureReward };
}

type Ranking = Pick<SearchState, "top" | "paretoFront">;

/** The best, and the front, with one more trial. */
export function withRanked({ top, paretoFront }: Ranking, entry: LedgerEntry): Ranking {
  const ranked = rankedOf(entry);
  if (!ranked) return { top, paretoFront };
  return {
    top: [...top, ranked].sort(byRank).slice(0, TOP),
    paretoFront: withCandidate(paretoFront, ranked),
  };
}

function rankedOf(entry: LedgerEntry): Ranked | undefined {
  if (entry.outcome !== "Succeeded" || entry.reward === null || !Number.isFinite(entry.reward))
    return undefined;
  // The trial whose result it got is ranked already.
  if (entry.duplicateOf !== null) return undefined;
  const { trial, index, source, reward, metrics, parameters } = entry;
  return { trial, index, source, reward, meanIoU: metrics?.meanIoU ?? 0, parameters };
}

type Rankable = Pick<Ranked, "reward" | "parameters" | "index">;

/** Best first; of equal rewards the smaller network, then the earlier trial. */
export const byRank = (a: Rankable, b: Rankable): number =>
  b.reward - a.reward || a.parameters - b.parameters || a.index - b.index;

/** The front of a front and one more trial. Of equals in both the earlier stays. */
function withCandidate(front: readonly Ranked[], candidate: Ranked): Ranked[] {
  const sorted = [...front, candidate].sort((a, b) => a.parameters - b.parameters || byRank(a, b));
  let best = Number.NEGATIVE_INFINITY;
  return sorted.filter(({ reward }) => {
    const better = reward > best;
    best = Math.max(best, reward);
    return better;
  });
}
