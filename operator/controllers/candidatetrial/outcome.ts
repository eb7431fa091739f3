// What a pod's end means: the table "What goes wrong, and what it means" as one function. Causes are read from
// the pod, not from the Job's conditions, which name none.
import { isObject } from "@segnas/searchspace/fields.ts";
import { TrialReason } from "../../api/conditions.ts";
import type { ContainerStateTerminated, Job, Pod } from "../../api/store.ts";
import { type Metrics, type Slot, STAGES, type StageTime } from "../../ledger/entry.ts";
import { EXIT, TRAINER } from "./job.ts";

/** Causes of attempts that ended without a result and are tried again, beside the reasons that Kubernetes gives. */
export const AttemptCause = {
  /** The trainer ended with an exit code that says nothing about the architecture. */
  Error: "Error",
  /** The trainer asked to be tried again (exit 75). */
  TryAgain: "TryAgain",
  /** Exit 0 without a result that can be read. */
  InvalidResult: "InvalidResult",
  /** Its pod did not begin to train for too long. */
  PendingTimeout: "PendingTimeout",
  /** Its trainer told no progress for too long. */
  ProgressDeadlineExceeded: "ProgressDeadlineExceeded",
  /** The pod, or the Job, is gone, and with it what came of it. */
  Gone: "Gone",
  /** The machine went away under it, or the process that ran it. Not charged. */
  Lost: "Lost",
  /** The whole search was stopped. Not charged. */
  Suspended: "Suspended",
} as const;

/** Causes of attempts that do not count towards `retries`. */
export const NOT_CHARGED: readonly string[] = [AttemptCause.Lost, AttemptCause.Suspended];

export const MAX_RESULT_BYTES = 4096;

export type AttemptOutcome =
  | {
      kind: "Succeeded";
      reward: number;
      metrics: Metrics;
      slots: Slot[];
      /** None where the trainer does not tell. */
      stages: StageTime[];
      parameters: number | undefined;
      /** By the gate, on the way. */
      stopped: boolean;
    }
  /** The architecture's own fault: the failure reward. */
  | { kind: "Failed"; cause: string; message: string }
  /** The trainer refuses the configuration: no reward, and no use in trying again. */
  | { kind: "Refused"; message: string }
  /** Nobody's fault: again. */
  | { kind: "Infrastructure"; cause: string; message: string };

/** An end that is nobody's fault. */
export const infrastructure = (cause: string, message: string): AttemptOutcome => ({
  kind: "Infrastructure",
  cause,
  message,
});

/** What the container runtime says of a pod's trainer. */
export const trainerState = (pod: Pod | undefined) =>
  pod?.status?.containerStatuses?.find(({ name }) => name === TRAINER)?.state;

/** The condition by which a Job says that it has ended. */
export const jobEnd = ({ status }: Job) =>
  status?.conditions?.find(({ type, status }) => ["Complete", "Failed"].includes(type) && status === "True");

/** What came of an attempt; undefined while it goes on. `job` is the one whose UID the trial has recorded. */
export function attemptOutcome(job: Job | undefined, pod: Pod | undefined): AttemptOutcome | undefined {
  if (!job) return infrastructure(AttemptCause.Gone, "its Job was deleted");
  if (pod?.status?.reason === "NodeLost") {
    return infrastructure(AttemptCause.Lost, pod.status.message ?? "its machine went away");
  }
  const terminated = trainerState(pod)?.terminated;
  if (terminated) return containerOutcome(terminated, pod);
  if (pod?.status?.phase === "Failed") {
    const { reason = AttemptCause.Error, message = failedBefore(pod) } = whyEnded(pod) ?? {};
    return infrastructure(reason, message);
  }
  // A Job ends after its pod: where the pod still runs, its end has not been told yet.
  if (pod && pod.status?.phase !== "Succeeded") return undefined;
  const end = jobEnd(job);
  return end && infrastructure(AttemptCause.Gone, `its pod is gone${end.message ? `: ${end.message}` : ""}`);
}

const disruption = (pod: Pod | undefined) =>
  pod?.status?.conditions?.find(({ type, status }) => type === "DisruptionTarget" && status === "True");

/** Whether the pod was evicted, preempted or drained: its Job fails for it. */
export const isDisrupted = (pod: Pod): boolean => disruption(pod) !== undefined;

/** Why Kubernetes ended the pod as a whole, where it did. */
function whyEnded(pod: Pod | undefined): { reason: string; message: string | undefined } | undefined {
  const { reason, message } = pod?.status ?? {};
  const target = disruption(pod);
  if (target?.reason) return { reason: target.reason, message: target.message ?? message };
  return reason === undefined ? undefined : { reason, message };
}

/** Why the trainer of a pod that failed never began. */
function failedBefore({ status }: Pod): string {
  const failed = status?.initContainerStatuses?.find(({ state }) => state.terminated?.exitCode);
  const { exitCode, reason, message = "" } = failed?.state.terminated ?? {};
  if (!failed) return "its pod failed";
  const end = reason && reason !== "Error" ? reason : `exit code ${exitCode}`;
  return [`init container ${failed.name}: ${end}`, lastWords(message)].filter(Boolean).join(": ");
}

function containerOutcome(terminated: ContainerStateTerminated, pod: Pod | undefined): AttemptOutcome {
  const { exitCode, reason, message = "" } = terminated;
  const result = parseObject(message);
  const sentence = typeof result?.message === "string" ? result.message : lastWords(message);
  if (reason === "OOMKilled") {
    return {
      kind: "Failed",
      cause: TrialReason.OutOfMemory,
      message: sentence || "it used more memory than its limit",
    };
  }
  switch (exitCode) {
    case EXIT.result:
      return readResult(result, message);
    case EXIT.invalidConfiguration:
      return { kind: "Refused", message: sentence || "the trainer refuses the configuration (exit code 64)" };
    case EXIT.untrainable:
      return failure(result, sentence || "the architecture cannot be trained (exit code 65)");
  }
  // Evicted, PreemptionByScheduler, DeadlineExceeded ...: then the exit code says nothing of its own.
  const why = whyEnded(pod);
  if (why) return infrastructure(why.reason, why.message ?? sentence);
  if (exitCode === EXIT.tryAgain) {
    return infrastructure(
      AttemptCause.TryAgain,
      sentence || "the trainer asked to be tried again (exit code 75)",
    );
  }
  return infrastructure(AttemptCause.Error, `exit code ${exitCode}${sentence ? `: ${sentence}` : ""}`);
}

/** The result of a trainer that ended well. One that cannot be read is not the architecture's fault. */
function readResult(result: Record<string, unknown> | undefined, text: string): AttemptOutcome {
  const invalid = (what: string) => infrastructure(AttemptCause.InvalidResult, `exit code 0, but ${what}`);
  if (text.trim() === "") return invalid("the trainer wrote no result");
  if (!result) {
    const long = Buffer.byteLength(text) >= MAX_RESULT_BYTES;
    return invalid(long ? `the result is longer than ${MAX_RESULT_BYTES} bytes` : "the result is not JSON");
  }
  if (result.outcome === "Failed") return failure(result, "the trainer gave no reason");
  if (result.outcome !== "Succeeded") return invalid("the result has no outcome Succeeded or Failed");
  const misfit = misfitOf(result);
  if (misfit) return invalid(`in the result ${misfit}`);
  const metrics = objectOf(result.metrics);
  // One that was no number says nothing of the architecture at its end.
  const slots = ((result.slots as unknown[] | null | undefined) ?? [])
    .map(objectOf)
    .filter(({ reward }) => Number.isFinite(reward));
  const { reward } = result;
  if (reward === undefined) return invalid("the result has no reward");
  if (typeof reward !== "number" || !Number.isFinite(reward)) {
    return { kind: "Failed", cause: TrialReason.NonFiniteLoss, message: "the reward is not a finite number" };
  }
  return {
    kind: "Succeeded",
    reward: real(reward),
    metrics: {
      meanIoU: real(metrics.meanIoU),
      meanAccuracy: real(metrics.meanAccuracy),
      frequencyWeightedIoU: real(metrics.frequencyWeightedIoU),
    },
    slots: slots.map(({ stage, epoch, reward, meanIoU }) => ({
      stage: stage as number,
      epoch: epoch as number,
      reward: real(reward),
      meanIoU: real(meanIoU),
    })),
    stages: stageTimes(result.stageSeconds),
    parameters: typeof result.parameters === "number" ? result.parameters : undefined,
    stopped: result.stopped === true,
  };
}

/** The times that can be so, of stages that are known: another trainer may tell others, or none. */
function stageTimes(told: unknown): StageTime[] {
  const times = objectOf(told);
  return STAGES.flatMap((stage) => {
    const seconds = times[stage];
    const isTime = typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0;
    return isTime ? [{ stage, seconds: real(seconds) }] : [];
  });
}

/** JSON knows no NaN: a trainer that has one writes null, or the word. */
const isReal = (value: unknown): boolean =>
  typeof value === "number" ||
  value === null ||
  (typeof value === "string" && /^[-+]?(nan(\(\w*\))?|inf(inity)?)$/i.test(value));
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
/** The API counts epochs in 32 bits. */
const MAX_EPOCH = 2 ** 31 - 1;

/** What the fields of a slot must be. */
const SLOT: [field: keyof Slot, right: string, isRight: (value: unknown) => boolean][] = [
  ["stage", "0 or 1", (value) => value === 0 || value === 1],
  ["epoch", "a whole number from 0 on", (value) => isCount(value) && (value as number) <= MAX_EPOCH],
  ["reward", "a number", isReal],
];

/** What cannot be so in a result: the API would refuse it, or it would pose as something else; undefined where all can. */
function misfitOf(result: Record<string, unknown>): string | undefined {
  const told = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));
  const { parameters, reward } = result;
  const slots = result.slots ?? [];
  if (reward !== undefined && !isReal(reward)) return `reward must be a number, not ${told(reward)}`;
  if (parameters !== undefined && parameters !== null && !isCount(parameters))
    return `parameters must be a whole number from 0 on, not ${told(parameters)}`;
  if (!Array.isArray(slots)) return `slots must be a list, not ${told(slots)}`;
  for (const [field, right, isRight] of SLOT)
    for (const [k, slot] of slots.entries()) {
      const value = objectOf(slot)[field];
      if (!isRight(value)) return `slots[${k}].${field} must be ${right}, not ${told(value)}`;
    }
  return undefined;
}

/** A cause is one word. */
const NAME = /^[A-Z][A-Za-z0-9]{0,62}$/;

function failure(result: Record<string, unknown> | undefined, otherwise: string): AttemptOutcome {
  const cause = typeof result?.cause === "string" && NAME.test(result.cause) ? result.cause : "Untrainable";
  return { kind: "Failed", cause, message: typeof result?.message === "string" ? result.message : otherwise };
}

/** To six digits: what is beyond them is noise, and people read it. */
const real = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) ? Number(value.toPrecision(6)) : 0;

const objectOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a program said at its end: the error that a program for Node died of, or the last line of the log, the message
 * of it where it is JSON.
 */
export function lastWords(log: string): string {
  const lines = log.trim().split("\n");
  const error = /^Node\.js v\d/.test(lines.at(-1)!) && lines.findLast((line) => /^\w*Error\b.*: /.test(line));
  if (error) return error.trim();
  const last = lines.at(-1)!.trim();
  const message = parseObject(last)?.message;
  return typeof message === "string" ? message : last;
}
