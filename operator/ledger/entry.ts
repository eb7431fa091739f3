// One entry of the ledger: a settled trial, numbered, never changed. Everything that a search knows is a fold
// over its entries; format.ts has the version of their form.

/** A validation on the way: stage 0 or 1, after so many epochs of it. */
export interface Slot {
  stage: number;
  epoch: number;
  reward: number;
  meanIoU: number;
}

export interface Metrics {
  meanIoU: number;
  meanAccuracy: number;
  frequencyWeightedIoU: number;
}

/** What a trainer may be at (the trainer contract's /progress): 0 is the decoder alone, 1 everything. */
export const STAGES = ["Setup", "WarmUp", "Features", "0", "1", "Validation"] as const;

/** What a stage took. */
export interface StageTime {
  /** One of STAGES. */
  stage: string;
  seconds: number;
}

interface Place {
  /** The entry's own number, from 0 without gaps. */
  number: number;
  /** The trial's number in the search; of those taken over from another search, below 0. */
  index: number;
  /** The trial's name. */
  trial: string;
}

/**
 * A trial that was trained, or tried, or is over a constraint. Succeeded, Failed (by the architecture's own fault)
 * and Rejected (over a constraint) have a reward and teach the policy; Infrastructure (whatever is not the
 * architecture's fault) has none.
 */
export interface SettledEntry extends Place {
  outcome: "Succeeded" | "Failed" | "Rejected" | "Infrastructure";
  /** Names the network (see networkName): equal for all ways to write it. */
  network: string;
  /** The 44 choices. */
  decisions: number[];
  /** Updates of the policy that made them, and the logarithm of their probability. */
  policyVersion: number;
  logProbability: number;
  reward: number | null;
  slots: Slot[];
  /** Whether the gate stopped it after the last of its slots. */
  stopped: boolean;
  metrics: Metrics | null;
  parameters: number;
  macs: number;
  /** Of all attempts. */
  gpuSeconds: number;
  /**
   * Of the attempt that succeeded. Left out, so that entries without are as they always were, where its trainer does not
   * tell, and where the result is another trial's. Nothing that is replayed depends on it.
   */
  stages?: StageTime[];
  /** Why it failed: a word for programs, a sentence for people. */
  cause: string | null;
  message: string | null;
  /** The trial of the same network whose result it got. */
  duplicateOf: string | null;
  /** The search that trained it, where that is another one. */
  source: string | null;
}

/** A trial that a person deleted before it settled: nothing else is left of it. */
export interface DeletedEntry extends Place {
  outcome: "Deleted";
}

export type LedgerEntry = SettledEntry | DeletedEntry;
export type Outcome = LedgerEntry["outcome"];

/** Whether an entry is taken over from another search. */
export const isImported = (entry: LedgerEntry): entry is SettledEntry & { source: string } =>
  entry.outcome !== "Deleted" && entry.source !== null;

/** An entry as a line of JSON. A reward that is no finite number becomes null. */
export const writeEntry = (entry: LedgerEntry): string => JSON.stringify(entry);

/** Reads what writeEntry wrote. */
export const readEntry = (text: string): LedgerEntry => JSON.parse(text);
