// A trial in plain data, from its object or from its entry in the ledger.
import type { Architecture } from "@segnas/searchspace/architecture.ts";
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { TrialCondition } from "../api/conditions.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import { NOT_CHARGED } from "../controllers/candidatetrial/outcome.ts";
import { type PendingReason, pendingReason } from "../controllers/candidatetrial/pending-reason.ts";
import { waitsForOther } from "../controllers/status.ts";
import type { LedgerEntry } from "../ledger/entry.ts";

/** A trial with whatever is known of it: reward and metrics only where it succeeded, cause where it failed. */
export interface TrialSummary {
  name: string;
  index: number;
  outcome: "Succeeded" | "Failed" | "Rejected" | "Deleted" | "Running" | "Pending";
  /** Absent where it was deleted before its end: nothing is left of it. */
  architecture?: Architecture;
  /** Trainable parameters and multiply-accumulates at the search's settings. Absent as the architecture is. */
  parameters?: number;
  macs?: number;
  reward?: number;
  metrics?: { meanIoU: number; meanAccuracy?: number; frequencyWeightedIoU?: number };
  seconds?: number;
  /** When its last attempt ended (RFC 3339). */
  endTime?: string;
  /** The trial with the same network whose result it got. */
  duplicateOf?: string;
  /** Whether the gate stopped it on the way. */
  stopped?: boolean;
  cause?: string;
  message?: string;
  /** Of one that is neither settled nor training: what for, and since when (RFC 3339). */
  waits?: { reason: PendingReason; why: string; since?: string };
  /** Of one that is not settled: its last attempt that failed by the machine's fault. Another follows it. */
  failedAttempt?: { number: number; message: string };
}

/** The summary of a trial's object. */
export function summariseTrial(trial: CandidateTrial): TrialSummary {
  const { metadata, spec, status } = trial;
  const result = status?.result;
  const attempts = status?.attempts ?? [];
  const seconds = result?.gpuSeconds === undefined ? trained(attempts) : Number(result.gpuSeconds);
  const last = attempts.at(-1);
  const training = last?.startTime !== undefined && last.endTime === undefined;
  const failed = attempts.findLast(({ cause }) => cause !== undefined && !NOT_CHARGED.includes(cause));
  const cause = result?.cause;
  const message = result?.message;
  const since = last?.endTime ?? last?.creationTime ?? metadata.creationTimestamp;
  return {
    name: metadata.name,
    index: spec.index,
    outcome: result?.outcome ?? (training ? "Running" : "Pending"),
    architecture: spec.architecture,
    parameters: spec.parameters,
    macs: spec.macs,
    ...(result?.outcome === "Succeeded" && result.reward !== undefined && { reward: Number(result.reward) }),
    ...(result?.metrics && {
      metrics: {
        meanIoU: Number(result.metrics.meanIoU),
        meanAccuracy: Number(result.metrics.meanAccuracy),
        frequencyWeightedIoU: Number(result.metrics.frequencyWeightedIoU),
      },
    }),
    ...(seconds !== undefined && { seconds }),
    ...(result && last?.endTime && { endTime: last.endTime }),
    ...(result?.duplicateOf && { duplicateOf: result.duplicateOf }),
    ...(result?.stopped && { stopped: true }),
    ...(cause && { cause }),
    ...(message && { message }),
    ...(!result &&
      !training && {
        waits: { reason: pendingReason(trial), why: whyWaiting(trial), ...(since && { since }) },
      }),
    ...(!result &&
      failed && { failedAttempt: { number: failed.number, message: failed.message ?? failed.cause! } }),
  };
}

function whyWaiting(trial: CandidateTrial): string {
  if (waitsForOther(trial)) return `for the result of ${trial.spec.duplicateOf}, the same network`;
  const told = trial.status?.conditions?.find(({ type }) => type === TrialCondition.Progressing);
  return told?.message ?? "for its first attempt";
}

/** The summary of a trial that is gone, as the ledger has it. */
export function summariseEntry(entry: LedgerEntry): TrialSummary {
  const { trial: name, index } = entry;
  if (entry.outcome === "Deleted") return { name, index, outcome: entry.outcome };
  const { outcome, decisions, parameters, macs, reward, metrics, duplicateOf, stopped, cause, message } =
    entry;
  return {
    name,
    index,
    outcome: outcome === "Infrastructure" ? "Failed" : outcome,
    architecture: fromDecisions(decisions),
    parameters,
    macs,
    ...(outcome === "Succeeded" && reward !== null && { reward }),
    ...(metrics && { metrics }),
    seconds: entry.gpuSeconds,
    ...(duplicateOf !== null && { duplicateOf }),
    ...(stopped && { stopped }),
    ...(cause !== null && { cause }),
    ...(message !== null && { message }),
  };
}

/** Seconds of all attempts that have ended; undefined where none has. */
function trained(attempts: { startTime?: string; endTime?: string }[]): number | undefined {
  const times = attempts.flatMap(({ startTime, endTime }) =>
    startTime && endTime ? [(Date.parse(endTime) - Date.parse(startTime)) / 1000] : [],
  );
  return times.length > 0 ? times.reduce((sum, seconds) => sum + seconds, 0) : undefined;
}
