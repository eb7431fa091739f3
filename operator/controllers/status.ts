// What both controllers read from and write into status.
import { SearchCondition } from "../api/conditions.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial, CandidateTrialStatus } from "../api/generated/candidatetrials.ts";
import type { Condition } from "../api/meta.ts";
import { keyOf } from "../api/store.ts";
import type { Metrics, Slot, StageTime } from "../ledger/entry.ts";

/** RFC 3339, to the second, as Kubernetes writes times. */
export const timestamp = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, "Z");

export const isTrue = (conditions: Condition[] | undefined, type: string): boolean =>
  conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

/** Whether a search has ended, with or without an answer. */
export const isFinished = ({ status }: ArchitectureSearch): boolean =>
  isTrue(status?.conditions, SearchCondition.Complete) || isTrue(status?.conditions, SearchCondition.Failed);

/** Whether a search stands still as its spec says, with nothing that runs. */
export const standsStill = ({ status }: ArchitectureSearch): boolean =>
  isTrue(status?.conditions, SearchCondition.Suspended);

/** A search as a line of the log names it. */
export const aboutSearch = (search: ArchitectureSearch) => ({
  namespace: keyOf(search).namespace,
  search: search.metadata.name,
});

/** A real number as the API holds it. */
export const decimal = (value: number): string => String(value);

type Result = NonNullable<CandidateTrialStatus["result"]>;

/** What was measured of a trial, as its result holds it. `stages`: what they took; none where nobody knows. */
export const measuredResult = (
  reward: number,
  metrics: Metrics | null,
  slots: Slot[],
  stages: StageTime[],
): Pick<Result, "reward" | "metrics" | "slots" | "stages"> => ({
  reward: decimal(reward),
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
  ...(stages.length > 0 && {
    stages: stages.map(({ stage, seconds }) => ({ stage, seconds: decimal(seconds) })),
  }),
});

/** The attempt that a trial is at, if it is at one. */
function openAttempt({ status }: CandidateTrial) {
  const last = status?.attempts?.at(-1);
  return last?.endTime === undefined && !status?.result ? last : undefined;
}

/** Whether a trial is at an attempt. */
export const isRunning = (trial: CandidateTrial): boolean => openAttempt(trial) !== undefined;

/** When the attempt that trains began (RFC 3339); undefined for a trial that does not train. */
export const trainingSince = (trial: CandidateTrial): string | undefined => openAttempt(trial)?.startTime;

export const isTraining = (trial: CandidateTrial): boolean => trainingSince(trial) !== undefined;

/** Characters of a message in a condition or an attempt. */
export const MAX_MESSAGE = 1000;

/** Whether an unsettled trial waits for another with its network. */
export const waitsForOther = ({ spec, status }: CandidateTrial): boolean =>
  spec.duplicateOf !== undefined && !status?.retrain;
