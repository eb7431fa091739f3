// A search's verdict and status: functions of its spec, its trials and the fold over its ledger.
import { isDeepStrictEqual } from "node:util";
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { SearchCondition, SearchReason, setCondition } from "../../api/conditions.ts";
import type { ArchitectureSearchStatus } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import type { Ranked, SearchState } from "../../ledger/fold.ts";
import { decimal, isTrue, timestamp } from "../status.ts";
import { nextIndex, type SearchWorld } from "./decide.ts";

export interface Verdict {
  type: "Complete" | "Failed";
  reason: SearchReason;
  message: string;
}

/** When it would have begun, in milliseconds, had it never stopped: what it stood still is not counted. */
function begin({ search, now }: SearchWorld): number | undefined {
  const { startTime, conditions } = search.status ?? {};
  if (!startTime) return undefined;
  const stop = conditions?.find(({ type }) => type === SearchCondition.Progressing);
  const still = stop?.status === "False" ? now.getTime() - Date.parse(stop.lastTransitionTime) : 0;
  return Date.parse(startTime) + still;
}

/** When the search's time is up, if its time is limited and has begun. */
export function deadline(world: SearchWorld): Date | undefined {
  const seconds = world.search.spec.budget?.activeDeadlineSeconds;
  const start = begin(world);
  return seconds && start !== undefined ? new Date(start + seconds * 1000) : undefined;
}

const isRefused = ({ state, noted }: SearchWorld): boolean =>
  state.refused !== null && state.refused.entry >= noted.forgiven;

/** Whether the search failed as the trainer refused its configuration, and its spec was written anew after that. */
export function isMended(world: SearchWorld): boolean {
  const { conditions = [] } = world.search.status ?? {};
  const failed = conditions.find(({ type, status }) => type === SearchCondition.Failed && status === "True");
  return (
    isRefused(world) &&
    failed?.reason === SearchReason.InvalidConfiguration &&
    failed.observedGeneration !== world.search.metadata.generation
  );
}

/** Whether, and why, the search has ended. It goes on where a limit that ended it is raised. */
export function verdict(world: SearchWorld): Verdict | undefined {
  const { search, state, numbers, now } = world;
  const { maxTrials, maxFailedTrials, budget } = search.spec;
  if (state.refused && isRefused(world)) {
    const message = `the trainer refuses the configuration: ${state.refused.message}`;
    return { type: "Failed", reason: SearchReason.InvalidConfiguration, message };
  }
  const failed = state.outcomes.Failed + state.outcomes.Infrastructure;
  if (maxFailedTrials !== undefined && failed > maxFailedTrials) {
    const message = `${failed} trials have failed, spec.maxFailedTrials is ${maxFailedTrials}`;
    return { type: "Failed", reason: SearchReason.MaxFailedTrialsReached, message };
  }
  const next = nextIndex(world);
  if (next >= maxTrials && numbers.size === next) {
    return {
      type: "Complete",
      reason: SearchReason.MaxTrialsReached,
      message: `${next} trials have settled`,
    };
  }
  const end = deadline(world);
  if (end && end <= now) {
    return {
      type: state.outcomes.Succeeded > 0 ? "Complete" : "Failed",
      reason: SearchReason.DeadlineExceeded,
      message: `spec.budget.activeDeadlineSeconds (${budget?.activeDeadlineSeconds}) have passed`,
    };
  }
  return undefined;
}

const isRunning = ({ status }: CandidateTrial): boolean => {
  const last = status?.attempts?.at(-1);
  return last !== undefined && last.endTime === undefined && !status?.result;
};

const isTraining = (trial: CandidateTrial): boolean =>
  isRunning(trial) && trial.status?.attempts?.at(-1)?.startTime !== undefined;

/** The status that the search should have, the very same object where it has it. */
export function searchStatus(world: SearchWorld, ended: Verdict | undefined): ArchitectureSearchStatus {
  const { search, trials, state, numbers, entropy, now } = world;
  const before = search.status ?? {};
  const open = trials.filter(({ spec }) => !numbers.has(spec.index));
  const settled = (outcome: string) =>
    open.filter(({ status }) => status?.result?.outcome === outcome).length;
  const running = open.filter(isTraining).length;
  const start = ended || search.spec.suspend ? undefined : begin(world);
  const startTime =
    start !== undefined
      ? timestamp(new Date(start))
      : (before.startTime ?? (nextIndex(world) > 0 ? timestamp(now) : undefined));
  const status: ArchitectureSearchStatus = {
    observedGeneration: search.metadata.generation ?? 1,
    conditions: conditions(world, ended),
    trials: {
      pending: open.filter(({ status }) => !status?.result).length - running,
      running,
      succeeded: state.outcomes.Succeeded + settled("Succeeded"),
      failed: state.outcomes.Failed + state.outcomes.Infrastructure + settled("Failed"),
      deleted: state.outcomes.Deleted + settled("Deleted"),
    },
    ...(entropy !== undefined && { policyEntropy: decimal(entropy / DECISIONS.length) }),
    ...(startTime && { startTime }),
    ...(ended && { completionTime: before.completionTime ?? timestamp(now) }),
    ...foldStatus(state),
  };
  return isDeepStrictEqual(status, before) ? before : status;
}

/** What of the status follows from the ledger alone. */
export function foldStatus(state: SearchState) {
  const top = state.top.map(rankedStatus);
  return {
    entries: state.entries,
    policyUpdates: state.policyUpdates,
    ...(top[0] && { best: top[0] }),
    top,
    paretoFront: state.paretoFront.slice(-MAX_FRONT).map(rankedStatus),
    gpuSeconds: decimal(Math.round(state.gpuSeconds * 1000) / 1000),
  };
}

/** Keeps the status small whatever the front; its best rewards stay. */
const MAX_FRONT = 100;

const rankedStatus = ({ trial, index, reward, meanIoU, parameters }: Ranked) => ({
  trial,
  index,
  reward: decimal(reward),
  meanIoU: decimal(meanIoU),
  parameters,
});

function conditions({ search, trials, state, now }: SearchWorld, ended: Verdict | undefined) {
  const { suspend, maxTrials } = search.spec;
  const idle = !trials.some(isRunning);
  const searching = {
    reason: SearchReason.Searching,
    message: `${state.entries} of ${maxTrials} trials have settled`,
  };
  const suspended = { reason: SearchReason.Suspended, message: "spec.suspend is true" };
  const state_ = ended ?? (suspend ? suspended : searching);
  const wanted = {
    [SearchCondition.Complete]: ended?.type === "Complete",
    [SearchCondition.Failed]: ended?.type === "Failed",
    [SearchCondition.Suspended]: suspend && !ended && idle,
    [SearchCondition.Progressing]: !ended && !suspend,
  };
  const time = timestamp(now);
  const observedGeneration = search.metadata.generation ?? 1;
  let list = search.status?.conditions ?? [];
  for (const [type, holds] of Object.entries(wanted)) {
    // What was never true is not mentioned, but for Progressing.
    if (!holds && type !== SearchCondition.Progressing && !isTrue(list, type)) continue;
    const { reason, message } = state_;
    list = setCondition(
      list,
      { type, status: holds ? "True" : "False", reason, message, observedGeneration },
      time,
    );
  }
  return list;
}
