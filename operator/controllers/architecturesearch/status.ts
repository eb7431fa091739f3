// A search's verdict and status: functions of its spec, its trials and the fold over its ledger.
import { isDeepStrictEqual } from "node:util";
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { SearchCondition, SearchReason, setCondition, TrialReason } from "../../api/conditions.ts";
import type {
  ArchitectureSearch,
  ArchitectureSearchStatus,
} from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import type { Condition } from "../../api/meta.ts";
import { type Ranked, REFUSALS, type SearchState, withRanked } from "../../ledger/fold.ts";
import { gpuSeconds, WAITS } from "../candidatetrial/decide.ts";
import { decimal, isRunning, isTraining, isTrue, MAX_MESSAGE, timestamp } from "../status.ts";
import { nextIndex, type SearchWorld } from "./decide.ts";
import { settledEntry } from "./trial.ts";

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

/** When the search's time, or its GPU time as it is being spent, is up, where they are limited. */
export function deadline(world: SearchWorld): Date | undefined {
  const times = [timeIsUp(world), budgetIsSpent(world)].filter((time) => time !== undefined);
  return times.length > 0 ? new Date(Math.min(...times)) : undefined;
}

function timeIsUp(world: SearchWorld): number | undefined {
  const seconds = world.search.spec.budget?.activeDeadlineSeconds;
  const start = begin(world);
  return seconds && start !== undefined ? start + seconds * 1000 : undefined;
}

/** When spec.budget.gpuHours are spent if all that trains now goes on; undefined where nothing does. */
function budgetIsSpent(world: SearchWorld): number | undefined {
  const { search, now } = world;
  const hours = search.spec.budget?.gpuHours;
  if (hours === undefined) return undefined;
  const training = unentered(world).filter(isTraining);
  const left = 3600 * Number(hours) - spentSeconds(world, now);
  if (left <= 0) return now.getTime();
  return training.length > 0 ? now.getTime() + Math.ceil((1000 * left) / training.length) : undefined;
}

/** Trials that are not in the ledger. */
const unentered = ({ trials, numbers }: SearchWorld): CandidateTrial[] =>
  trials.filter(({ spec }) => !numbers.has(spec.index));

/** Of these, the ones that have no result either. */
export const unsettled = (world: SearchWorld): CandidateTrial[] =>
  unentered(world).filter(({ status }) => !status?.result);

/** GPU time of all attempts, those that have not ended counted up to `until` where it is given. */
function spentSeconds(world: SearchWorld, until?: Date): number {
  const attempts = unentered(world).flatMap(({ status }) => status?.attempts ?? []);
  const endTime = until?.toISOString();
  const counted = attempts.map((attempt) => (endTime === undefined ? attempt : { endTime, ...attempt }));
  return world.state.gpuSeconds + gpuSeconds(counted);
}

const PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;

/**
 * Until when no trial is made as the trainer has come to refuse the configuration: 10 s after it last did so,
 * doubled with each time, at most 5 minutes. Undefined where it does not.
 */
export function pause(world: SearchWorld): Date | undefined {
  const { search, state, now } = world;
  if (state.refusals < REFUSALS) return undefined;
  const end = lastRefused(world)?.status?.attempts?.at(-1)?.endTime;
  const stalled = search.status?.conditions?.find(({ type }) => type === SearchCondition.Stalled);
  const last = Date.parse(end ?? stalled?.lastTransitionTime ?? "") || 0;
  // A clock may have been set back.
  if (last > now.getTime()) return undefined;
  return new Date(last + Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** (state.refusals - REFUSALS)));
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
  const hasSucceeded = ({ status }: CandidateTrial) => status?.result?.outcome === "Succeeded";
  const type = state.outcomes.Succeeded > 0 || unentered(world).some(hasSucceeded) ? "Complete" : "Failed";
  const next = nextIndex(world);
  if (next >= maxTrials && numbers.size === next) {
    const none = state.imported > 0 ? "none of its own has succeeded" : "none has succeeded";
    const sentence = state.refusals > 0 ? refusedBy(world) : undefined;
    const why = sentence === undefined ? "" : `; the trainer refuses the configuration: ${sentence}`;
    const message = `${next} trials have settled${type === "Failed" ? `, and ${none}${why}` : ""}`;
    return { type, reason: SearchReason.MaxTrialsReached, message };
  }
  if ((timeIsUp(world) ?? Infinity) <= now.getTime()) {
    const message = `spec.budget.activeDeadlineSeconds (${budget?.activeDeadlineSeconds}) have passed`;
    return { type, reason: SearchReason.DeadlineExceeded, message };
  }
  if (endedFor(world, SearchReason.BudgetExhausted) || (budgetIsSpent(world) ?? Infinity) <= now.getTime()) {
    const message = `spec.budget.gpuHours (${budget?.gpuHours}) are spent`;
    return { type, reason: SearchReason.BudgetExhausted, message };
  }
  return undefined;
}

/** Whether the search, as it is written now, has ended for this: what trained then may turn out to have spent less. */
export const endedFor = (
  { search: { metadata, status } }: Pick<SearchWorld, "search">,
  why: SearchReason,
): boolean =>
  status?.conditions?.some(
    ({ type, status, reason, observedGeneration }) =>
      (type === SearchCondition.Complete || type === SearchCondition.Failed) &&
      status === "True" &&
      reason === why &&
      observedGeneration === metadata.generation,
  ) ?? false;

/** The status that the search should have, the very same object where it has it. */
export function searchStatus(world: SearchWorld, ended: Verdict | undefined): ArchitectureSearchStatus {
  const { search, state, entropy, now } = world;
  const before = search.status ?? {};
  const open = unentered(world);
  const start = ended || search.spec.suspend ? undefined : begin(world);
  const startTime =
    start !== undefined
      ? timestamp(new Date(start))
      : (before.startTime ?? (nextIndex(world) > 0 ? timestamp(now) : undefined));
  const status: ArchitectureSearchStatus = {
    observedGeneration: search.metadata.generation ?? 1,
    conditions: conditions(world, ended),
    trials: trialCounts(state, open, ended !== undefined),
    ...(entropy !== undefined && { policyEntropy: entropyStatus(entropy) }),
    ...(startTime && { startTime }),
    ...(ended && { completionTime: before.completionTime ?? timestamp(now) }),
    ...foldStatus({ ...state, ...ranking(state, open) }),
    gpuSeconds: secondsStatus(spentSeconds(world)),
  };
  return isDeepStrictEqual(status, before) ? before : status;
}

/** Those of the ledger, and those that are open. */
function trialCounts(state: SearchState, open: CandidateTrial[], isOver: boolean) {
  const settled = (outcome: string) =>
    open.filter(({ status }) => status?.result?.outcome === outcome).length;
  const running = open.filter(isTraining).length;
  return {
    // What an end has stopped waits for nothing.
    pending: isOver ? 0 : open.filter(({ status }) => !status?.result).length - running,
    running,
    succeeded: state.outcomes.Succeeded + settled("Succeeded"),
    failed: state.outcomes.Failed + state.outcomes.Infrastructure + settled("Failed"),
    rejected: state.outcomes.Rejected + settled("Rejected"),
    deleted: state.outcomes.Deleted + settled("Deleted"),
    settled: state.entries - state.imported,
    reused: state.reused + open.filter(({ status }) => status?.result?.duplicateOf).length,
    stopped: state.stopped + open.filter(({ status }) => status?.result?.stopped).length,
  };
}

/** Nats a decision. */
export const entropyStatus = (entropy: number): string => decimal(entropy / DECISIONS.length);

const secondsStatus = (seconds: number): string => decimal(Math.round(seconds * 1000) / 1000);

/** What the status of a search has that has ended with all its trials in the ledger. */
export const endStatus = (state: SearchState) => ({
  trials: trialCounts(state, [], true),
  gpuSeconds: secondsStatus(state.gpuSeconds),
});

/** The best, and the front, of the ledger's trials and of those with a result that wait to be entered, in index order say. */
export const ranking = (state: SearchState, open: CandidateTrial[]) =>
  open
    .flatMap((trial) => settledEntry(trial, state.entries) ?? [])
    .reduce(withRanked, { top: state.top, paretoFront: state.paretoFront });

/** What of the status follows from such a state. */
export function foldStatus(state: SearchState) {
  const top = state.top.map(rankedStatus);
  return {
    entries: state.entries,
    ...(state.imported > 0 && { imported: state.imported }),
    policyUpdates: state.policyUpdates,
    ...(top[0] && { best: top[0] }),
    top,
    paretoFront: state.paretoFront.slice(-MAX_FRONT).map(rankedStatus),
  };
}

/** Keeps the status small whatever the front; its best rewards stay. */
const MAX_FRONT = 100;

const rankedStatus = ({ trial, index, source, reward, meanIoU, parameters }: Ranked) => ({
  trial,
  index,
  ...(source !== null && { source }),
  reward: decimal(reward),
  meanIoU: decimal(meanIoU),
  parameters,
});

function conditions(world: SearchWorld, ended: Verdict | undefined) {
  const { search, trials, state, now } = world;
  const { suspend, maxTrials } = search.spec;
  const idle = !trials.some(isRunning) && !world.hasJobs;
  const count = state.entries - state.imported;
  // It may have been lowered since.
  const settled = `${count}${count <= maxTrials ? ` of ${maxTrials}` : ""} trials have settled`;
  const wait = waiting(world);
  const searching = {
    reason: wait && !trials.some(isTraining) ? SearchReason.WaitingForPods : SearchReason.Searching,
    message: wait ? `${settled}; ${wait}`.slice(0, MAX_MESSAGE) : settled,
  };
  const suspended = { reason: SearchReason.Suspended, message: "spec.suspend is true" };
  const state_ = ended ?? (suspend ? suspended : searching);
  const wanted = {
    [SearchCondition.Complete]: ended?.type === "Complete",
    [SearchCondition.Failed]: ended?.type === "Failed",
    [SearchCondition.Suspended]: suspend && !ended && idle,
    [SearchCondition.Stalled]: !ended && !suspend && state.refusals >= REFUSALS,
    [SearchCondition.Progressing]: !ended && !suspend,
  };
  const time = timestamp(now);
  const observedGeneration = search.metadata.generation ?? 1;
  let list = search.status?.conditions ?? [];
  for (const [type, holds] of Object.entries(wanted)) {
    // What the operator has met with is over when it has nothing more to do.
    if (type === SearchCondition.Stalled && list.some(isTold)) continue;
    // What was never true is not mentioned, but for Progressing.
    if (!holds && type !== SearchCondition.Progressing && !isTrue(list, type)) continue;
    const { reason, message } = type === SearchCondition.Stalled && holds ? refusal(world) : state_;
    list = setCondition(
      list,
      { type, status: holds ? "True" : "False", reason, message, observedGeneration },
      time,
    );
  }
  return list;
}

/** The status of a search that cannot be decided on; undefined where it says so already. */
export function stalledStatus(
  search: ArchitectureSearch,
  reason: SearchReason,
  message: string,
  now: Date,
): ArchitectureSearchStatus | undefined {
  const before = search.status?.conditions ?? [];
  const told = {
    ...{ reason, message: message.slice(0, MAX_MESSAGE) },
    observedGeneration: search.metadata.generation ?? 1,
  };
  const set = (list: Condition[], type: string, status: "True" | "False") =>
    setCondition(list, { type, status, ...told }, timestamp(now));
  // Whether it has ended or stands still as it is written now nobody can tell.
  const outdated = before.filter(
    ({ type, status, reason, observedGeneration }) =>
      status === "True" &&
      OVER.includes(type) &&
      // By this it is seen that its spec was mended (isMended).
      reason !== SearchReason.InvalidConfiguration &&
      observedGeneration !== told.observedGeneration,
  );
  const others = outdated.reduce((list, { type }) => set(list, type, "False"), before);
  const conditions = set(others, SearchCondition.Stalled, "True");
  return conditions === before ? undefined : { ...search.status, conditions };
}

const OVER: string[] = [SearchCondition.Complete, SearchCondition.Failed, SearchCondition.Suspended];

/** Stalled by what the operator has met with, not by what trainers say. */
const isTold = ({ type, status, reason }: Condition): boolean =>
  type === SearchCondition.Stalled && status === "True" && reason !== SearchReason.InvalidConfiguration;

/** The status of a search that was stalled by what is over now; undefined where it was not. */
export function unstalledStatus(search: ArchitectureSearch, now: Date): ArchitectureSearchStatus | undefined {
  const before = search.status?.conditions ?? [];
  const stalled = before.find(isTold);
  if (!stalled) return undefined;
  const { lastTransitionTime: _, ...rest } = stalled;
  const over = {
    ...rest,
    status: "False" as const,
    message: `over: ${stalled.message}`.slice(0, MAX_MESSAGE),
  };
  return { ...search.status, conditions: setCondition(before, over, timestamp(now)) };
}

/** Which trials wait for a pod that something keeps from starting, and what the first of them says. */
function waiting(world: SearchWorld): string | undefined {
  const stuck = unsettled(world)
    .filter((trial) => !isTraining(trial))
    .flatMap(({ metadata, spec, status }) => {
      const progressing = status?.conditions?.find(({ type }) => type === "Progressing");
      const { reason, message = WAITS } = progressing ?? {};
      return reason === TrialReason.Pending && message !== WAITS
        ? [{ name: metadata.name, index: spec.index, message }]
        : [];
    });
  const [first] = stuck.sort((a, b) => a.index - b.index);
  if (!first) return undefined;
  return `${stuck.length === 1 ? "1 waits" : `${stuck.length} wait`} for a pod, ${first.name}: ${first.message}`;
}

/** Of the trials that are there. */
export const lastRefused = ({ trials }: SearchWorld): CandidateTrial | undefined =>
  trials
    .filter(({ status }) => status?.result?.cause === TrialReason.InvalidConfiguration)
    .sort((a, b) => b.spec.index - a.spec.index)[0];

/** The sentence of the last trainer that refused the configuration, as its trial has it. */
const refusedBy = (world: SearchWorld): string | undefined => lastRefused(world)?.status?.result?.message;

/** Why the search is stalled, with the trainer's sentence as the last trial has it that was refused. */
function refusal(world: SearchWorld) {
  const sentence = refusedBy(world) ?? "its trial is gone";
  return {
    reason: SearchReason.InvalidConfiguration,
    message: `the trainer has come to refuse the configuration, one trial at a time finds out whether it still does: ${sentence}`,
  };
}
