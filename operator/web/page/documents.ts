// What the server tells the browser, as JSON. Types only: both sides read them. What the time is there stands in the
// header Date, so that a document in which nothing has changed is the same.
import type { Standing } from "../standing.ts";

/** A search in short. Times are RFC 3339. */
export interface ListedSearch extends Standing {
  namespace: string;
  name: string;
  uid: string;
  maxTrials: number;
  /** Trials that have. */
  ended: number;
  counts: {
    pending: number;
    running: number;
    succeeded: number;
    failed: number;
    rejected: number;
    deleted: number;
    reused: number;
    stopped: number;
  };
  /** How those that have ended did, in words. */
  outcomes: string;
  /** Of another search where `source` names it. */
  best?: {
    trial: string;
    index: number;
    source?: string;
    reward: number;
    meanIoU: number;
    parameters: number;
  };
  gpuSeconds: number;
  createdAt?: string;
  startedAt?: string;
  endedAt?: string;
}

export interface ListDocument {
  searches: ListedSearch[];
}

/** A trial that trains, with what its trainer says of itself. */
export interface RunningDocument {
  trial: string;
  index: number;
  since?: string;
  stage?: string;
  epoch?: number;
  epochs?: number;
  step?: number;
  steps?: number;
  meanIoU?: number;
  imagesPerSecond?: number;
  /** The course of its loss since this attempt began, the oldest first. */
  losses: number[];
}

/** An architecture among the best. */
export interface BestDocument {
  trial: string;
  index: number;
  reward: number;
  meanIoU?: number;
  parameters: number;
  macs: number;
  /** As JSON. */
  genotype: string;
  /** A small drawing of it. */
  svg: string;
}

/** All of a search but its trials. */
export interface SearchDocument extends ListedSearch {
  /** Why its ledger could not be read, where that is so. */
  problem?: string;
  /** Entries in its ledger. */
  entries: number;
  /** Trials that train at a time. */
  atATime: number;
  metric: string;
  /** What was asked for, in words: label and value. */
  settings: [label: string, value: string][];
  budget: { gpuHours?: number; seconds?: number };
  policy: { name: string; updates: number; entropy?: number };
  /** Trials of another search that this one began with. */
  takenOver?: { search: string; trials: number };
  running: RunningDocument[];
  waiting: { why: string; trials: string[]; since?: string }[];
  drawn: BestDocument[];
  conditions: { type: string; status: string; reason: string; message: string; since: string }[];
  events: EventDocument[];
  /** Where there is more, for a terminal. */
  commands: Command[];
}

export interface Command {
  /** What it shows. */
  shows: string;
  command: string;
}

export interface EventDocument {
  /** The name of the object that it is about. */
  about: string;
  type: string;
  reason: string;
  note: string;
  time: string;
}

/** A validation on a trial's way: after so many epochs of stage 0 or 1. */
export interface ValidationDocument {
  stage: number;
  epoch: number;
  reward: number;
  meanIoU: number;
  /** Of the last training step, where that is known. */
  loss?: number;
}

/** All of one trial but its pictures. */
export interface TrialDocument {
  trial: string;
  index: number;
  outcome: OutcomeName;
  /** Why it failed, what it waits for, or that it was not trained itself. */
  words?: string;
  reward?: number;
  metrics?: { meanIoU: number; meanAccuracy?: number; frequencyWeightedIoU?: number };
  parameters?: number;
  macs?: number;
  seconds?: number;
  /** What each stage took of the attempt that succeeded, where that is known. */
  stages: { stage: string; seconds: number }[];
  /** Updates of the policy that proposed it. */
  policyVersion?: number;
  /** As JSON. */
  genotype?: string;
  /** A drawing of the whole network. */
  svg?: string;
  validations: ValidationDocument[];
  attempts: { number: number; startedAt?: string; endedAt?: string; message?: string; log?: Command }[];
  events: EventDocument[];
}

/** Held-out images with truth and prediction, as URLs of data; why there are none, where that is to be said. */
export interface PicturesDocument {
  pictures: { image: string; truth: string; prediction: string }[];
  legend: { name: string; color: string }[];
  none?: string;
}

/** A search as a report has it. */
export interface ReportDocument {
  namespace: string;
  name: string;
  /** When it was written: RFC 3339. */
  written: string;
  /** What a server would answer, by path. */
  documents: Record<string, object>;
}

/** Outcomes by their number in `TrialColumns.outcome`. */
export type OutcomeName = "Succeeded" | "Failed" | "Rejected" | "Deleted" | "Running" | "Pending";

/** Trials by columns, a row each. What is not known is null. */
export interface TrialColumns {
  index: number[];
  /** A place in `TrialsDocument.outcomes`. */
  outcome: number[];
  reward: (number | null)[];
  meanIoU: (number | null)[];
  meanAccuracy: (number | null)[];
  parameters: (number | null)[];
  macs: (number | null)[];
  seconds: (number | null)[];
  /** The operations of its templates, six digits of base 6, each a place in `TrialsDocument.operations`. */
  operations: (number | null)[];
  /** By row: what else there is to say in words. */
  words: Record<number, string>;
}

/** The trials that have settled since `from`, and those that have not settled. */
export interface TrialsDocument {
  uid: string;
  /** Trials are named <search>-<index>. */
  search: string;
  outcomes: OutcomeName[];
  operations: string[];
  /** How many of the settled were left out, and how many there are. */
  from: number;
  settled: number;
  rows: TrialColumns;
  open: TrialColumns;
  /** What the policy was after its updates, as far as that is known; all of them. Entropy in nats a decision. */
  updates: { update: number[]; entropy: number[]; baseline: number[]; entry: number[] };
}
