// Trials that settle without training: those over a constraint, and those whose network another trial has already.
import { TrialReason } from "../../api/conditions.ts";
import type { CandidateTrial, CandidateTrialStatus } from "../../api/generated/candidatetrials.ts";
import type { SettledEntry } from "../../ledger/entry.ts";
import { decimal } from "../status.ts";
import type { SearchWorld } from "./decide.ts";

type Result = NonNullable<CandidateTrialStatus["result"]>;

export type UntrainedAction =
  | { type: "Settle"; trial: CandidateTrial; result: Result }
  /** Nothing came of the trials with its network: it is trained itself. */
  | { type: "Retrain"; trial: CandidateTrial };

/** Whether a trial waits for another with its network. */
export const isWaiting = ({ spec, status }: CandidateTrial): boolean =>
  spec.duplicateOf !== undefined && !status?.retrain && !status?.result;

/**
 * What settles without training. A trial gets the result of the first with the same network and a lower index, once
 * all of those are in the ledger: which that is does not depend on when.
 */
export function untrained({ search, trials, numbers, networks }: SearchWorld): UntrainedAction[] {
  const open = trials.filter(({ spec, status }) => !status?.result && !numbers.has(spec.index));
  return open.flatMap((trial): UntrainedAction[] => {
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
    if (!isWaiting(trial)) return [];
    if (search.spec.duplicates === "Retrain") return [{ type: "Retrain", trial }];
    const isBefore = ({ spec }: CandidateTrial) => spec.network === network && spec.index < index;
    if (trials.some((other) => isBefore(other) && !numbers.has(other.spec.index))) return [];
    const original = networks.get(network);
    return original && original.index < index
      ? [{ type: "Settle", trial, result: resultOf(original) }]
      : [{ type: "Retrain", trial }];
  });
}

/** Whether an entry has a reward that was measured, not taken over. */
export const isOriginal = (entry: unknown): entry is SettledEntry => {
  const settled = entry as SettledEntry | undefined;
  const trained = settled?.outcome === "Succeeded" || settled?.outcome === "Failed";
  return trained && settled.reward !== null && settled.duplicateOf === null;
};

/** The result of an entry as that of another trial. */
function resultOf({ trial, ...entry }: SettledEntry): Result {
  const { outcome, reward, metrics, slots, stopped, parameters, cause, message } = entry;
  return {
    outcome: outcome === "Succeeded" ? "Succeeded" : "Failed",
    reward: decimal(reward!),
    ...(metrics && {
      metrics: {
        meanIoU: decimal(metrics.meanIoU),
        meanAccuracy: decimal(metrics.meanAccuracy),
        frequencyWeightedIoU: decimal(metrics.frequencyWeightedIoU),
      },
    }),
    slots: slots.map(({ stage, epoch, reward, meanIoU }) => ({
      stage: stage === 0 ? 0 : 1,
      epoch,
      reward: decimal(reward),
      meanIoU: decimal(meanIoU),
    })),
    ...(stopped && { stopped }),
    parameters,
    ...(cause !== null && { cause }),
    ...(message !== null && { message }),
    duplicateOf: trial,
  };
}
