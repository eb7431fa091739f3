// Trials that settle without training: those over a constraint, and those whose network another trial has already.
import { TrialReason } from "../../api/conditions.ts";
import type { CandidateTrial, CandidateTrialStatus } from "../../api/generated/candidatetrials.ts";
import type { LedgerEntry, SettledEntry } from "../../ledger/entry.ts";
import { measuredResult, waitsForOther } from "../status.ts";
import type { SearchWorld } from "./decide.ts";
import { unsettled } from "./status.ts";

type Result = NonNullable<CandidateTrialStatus["result"]>;

export type UntrainedAction =
  | { type: "Settle"; trial: CandidateTrial; result: Result }
  /** Nothing came of the trials with its network: it is trained itself. */
  | { type: "Retrain"; trial: CandidateTrial };

/**
 * What settles without training. A trial gets the result of the first with the same network and a lower index, once
 * all of those are in the ledger: which that is does not depend on when. One that is gone may have been one of them, and
 * another process may have entered it: that it is deleted has to be in the ledger first.
 */
export function untrained(world: SearchWorld): UntrainedAction[] {
  const { search, trials, numbers, networks } = world;
  const known = new Set([...numbers.keys(), ...trials.map(({ spec }) => spec.index)]);
  let complete = 0;
  while (known.has(complete)) complete++;
  return unsettled(world).flatMap((trial): UntrainedAction[] => {
    const { violation, network, index } = trial.spec;
    if (violation !== undefined) {
      const reward = search.spec.objective.failureReward;
      const result: Result = {
        outcome: "Rejected",
        reward,
        cause: TrialReason.OverConstraint,
        message: violation,
      };
      return [{ type: "Settle", trial, result }];
    }
    if (!waitsForOther(trial)) return [];
    if (search.spec.duplicates === "Retrain") return [{ type: "Retrain", trial }];
    const isBefore = ({ spec }: CandidateTrial) => spec.network === network && spec.index < index;
    if (complete < index || trials.some((other) => isBefore(other) && !numbers.has(other.spec.index)))
      return [];
    const original = networks.get(network);
    return original && original.index < index
      ? [{ type: "Settle", trial, result: resultOf(original) }]
      : [{ type: "Retrain", trial }];
  });
}

/** Whether an entry has a reward that was measured, not taken over. */
export const isOriginal = (entry: LedgerEntry): entry is SettledEntry =>
  (entry.outcome === "Succeeded" || entry.outcome === "Failed") &&
  entry.reward !== null &&
  entry.duplicateOf === null;

/** The result of an entry as that of another trial. */
function resultOf({ trial, outcome, reward, metrics, slots, ...entry }: SettledEntry): Result {
  const { stopped, parameters, cause, message } = entry;
  return {
    outcome: outcome === "Succeeded" ? "Succeeded" : "Failed",
    // No stage took time a second time.
    ...measuredResult(reward!, metrics, slots, []),
    ...(stopped && { stopped }),
    parameters,
    ...(cause !== null && { cause }),
    ...(message !== null && { message }),
    duplicateOf: trial,
  };
}
