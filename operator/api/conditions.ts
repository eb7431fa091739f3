// The conditions in the status of searches and trials: their types, their reasons, and how one is set.
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Condition } from "./meta.ts";

/** Types of a search's conditions. */
export const SearchCondition = {
  /** Trials are being made or trained. */
  Progressing: "Progressing",
  /** Something keeps the search from going on that a person can remove; it goes on by itself once that is gone. */
  Stalled: "Stalled",
  /** spec.suspend is true and nothing runs. */
  Suspended: "Suspended",
  /** The search has ended and has its answer. For good. */
  Complete: "Complete",
  /** The search has ended without one. For good. */
  Failed: "Failed",
} as const;
export type SearchCondition = (typeof SearchCondition)[keyof typeof SearchCondition];

/** Types of a trial's conditions. */
export const TrialCondition = {
  /** It waits or trains. */
  Progressing: "Progressing",
  /** It was trained to its end and has its reward. For good. */
  Complete: "Complete",
  /** It was not, see the reason. For good. */
  Failed: "Failed",
} as const;
export type TrialCondition = (typeof TrialCondition)[keyof typeof TrialCondition];

/** Why a search is as it is. */
export const SearchReason = {
  /** Progressing: trials are being made and trained. */
  Searching: "Searching",
  /** Progressing: no trial trains, as something keeps their pods from starting; the message says what. */
  WaitingForPods: "WaitingForPods",
  /** Suspended; Progressing is False: spec.suspend is true. */
  Suspended: "Suspended",
  /** Complete, or Failed where no trial has succeeded: spec.maxTrials trials have settled. */
  MaxTrialsReached: "MaxTrialsReached",
  /** Complete, or Failed where no trial has succeeded: spec.budget.activeDeadlineSeconds have passed. */
  DeadlineExceeded: "DeadlineExceeded",
  /** Complete, or Failed where no trial has succeeded: spec.budget.gpuHours are spent. */
  BudgetExhausted: "BudgetExhausted",
  /** Failed: more than spec.maxFailedTrials trials have failed. */
  MaxFailedTrialsReached: "MaxFailedTrialsReached",
  /** Failed before the first success, Stalled after it: the trainer refuses the configuration. */
  InvalidConfiguration: "InvalidConfiguration",
  /** Stalled: the ledger is damaged, or of another version. */
  LedgerUnusable: "LedgerUnusable",
  /** Stalled: what spec.startingPoints.search names is not there, is damaged, or does not fit. */
  StartingPointsUnusable: "StartingPointsUnusable",
  /** Stalled: an object that no controller owns has the name that a trial is to have. */
  NameTaken: "NameTaken",
  /** Stalled: the cluster's CustomResourceDefinitions are older than the operator. */
  OutdatedDefinitions: "OutdatedDefinitions",
  /** Stalled: a field that only the operator can judge cannot be; the message names it. */
  InvalidField: "InvalidField",
  /** Stalled: what the operator does for the search fails again and again; it is tried on. */
  ReconcileFailed: "ReconcileFailed",
} as const;
export type SearchReason = (typeof SearchReason)[keyof typeof SearchReason];

/** What keeps a search from going on until a person has removed it. */
export class StalledError extends UserError {
  readonly reason: SearchReason;
  constructor(reason: SearchReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Why a trial is as it is; those of Failed are also the causes in results and attempts. */
export const TrialReason = {
  /** Progressing: it waits for a place or for its pod to start. */
  Pending: "Pending",
  /** Progressing: it trains. */
  Running: "Running",
  /** Progressing: what the operator does for it fails again and again; it is tried on. */
  ReconcileFailed: "ReconcileFailed",
  /** Complete. */
  Succeeded: "Succeeded",
  /** Failed: the network does not fit into memory. The failure reward. */
  OutOfMemory: "OutOfMemory",
  /** Failed: the loss became infinite or not a number. The failure reward. */
  NonFiniteLoss: "NonFiniteLoss",
  /** Failed: it took longer than spec.training.timeLimitSeconds. The failure reward. */
  TimeLimit: "TimeLimit",
  /** Failed: the network is over a constraint, and was not trained. The failure reward. */
  OverConstraint: "OverConstraint",
  /** Failed: the trainer refuses the configuration. No reward. */
  InvalidConfiguration: "InvalidConfiguration",
  /** Failed: every attempt ended for a reason that is not the architecture's. No reward. */
  Infrastructure: "Infrastructure",
  /** Failed: a person deleted it before its end. No reward. */
  Deleted: "Deleted",
} as const;
export type TrialReason = (typeof TrialReason)[keyof typeof TrialReason];

/** The printer column State shows the first condition that is True: what says most comes first. */
const order: string[] = ["Failed", "Complete", "Suspended", "Stalled", "Progressing"];

/**
 * The conditions with one of them set. lastTransitionTime is `now`, or stays where the status does.
 * @param now RFC 3339, to the second
 * @returns the same list where nothing changes, so that nothing need be written
 */
export function setCondition(
  conditions: Condition[],
  condition: Omit<Condition, "lastTransitionTime">,
  now: string,
): Condition[] {
  const before = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
  const after: Condition = { ...condition, lastTransitionTime };
  const same =
    before &&
    before.status === after.status &&
    before.reason === after.reason &&
    before.message === after.message &&
    before.observedGeneration === after.observedGeneration;
  if (same) return conditions;
  const others = conditions.filter(({ type }) => type !== condition.type);
  return [...others, after].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}
