// What is to be done about one trial: objects in, changes out, pure. A trial goes through attempts, each a Job;
// an attempt is noted in status before its Job is made and the Job's UID with the first that is heard of it, and only
// that Job may deliver.
import { setCondition, TrialCondition, TrialReason } from "../../api/conditions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial, CandidateTrialStatus } from "../../api/generated/candidatetrials.ts";
import { type Event, isControlledBy, type Job, type Pod } from "../../api/store.ts";
import {
  decimal,
  isFinished,
  isRunning,
  MAX_MESSAGE,
  measuredResult,
  timestamp,
  waitsForOther,
} from "../status.ts";
import { attemptJob, attemptName } from "./job.ts";
import {
  AttemptCause,
  type AttemptOutcome,
  attemptOutcome,
  infrastructure,
  isDisrupted,
  jobEnd,
  NOT_CHARGED,
  trainerState,
} from "./outcome.ts";
import { isSuspended, pendingSince, whyPending } from "./pending.ts";
import type { Progress } from "./progress.ts";

export type TrialAction =
  | { type: "WriteStatus"; status: CandidateTrialStatus }
  | { type: "CreateJob"; job: Job }
  | { type: "DeleteJob"; job: Job }
  /** Nothing to do before that time. */
  | { type: "Wait"; until: Date };

export interface TrialWorld {
  trial: CandidateTrial;
  search: ArchitectureSearch | undefined;
  /** Those labelled as the trial's. */
  jobs: Job[];
  pods: Pod[];
  /** Why Jobs of the namespace have no pod. */
  events: Event[];
  now: Date;
  /** The trials of its search, where it is to be trained and is at no attempt. */
  siblings: CandidateTrial[];
  /** Milliseconds to wait after so many failures of the infrastructure. */
  retryDelay: (failures: number) => number;
  /** Of the trainer, where a search's template names none. */
  trainerImage?: string | undefined;
}

export type Attempt = NonNullable<CandidateTrialStatus["attempts"]>[number];
type Result = NonNullable<CandidateTrialStatus["result"]>;

/** 10 s, doubled with each failure, at most 5 minutes: as Kubernetes' own Job controller does it. */
export const defaultRetryDelay = (failures: number): number =>
  Math.min(10_000 * 2 ** (failures - 1), 300_000);

export function decideTrial(world: TrialWorld): TrialAction[] {
  const { trial, search, now } = world;
  const status = trial.status ?? {};
  const attempts = status.attempts ?? [];
  const open = attempts.find(({ endTime }) => endTime === undefined);
  const own = world.jobs.filter((job) => isControlledBy(job, trial));
  const remove = (job: Job): TrialAction[] =>
    job.metadata.deletionTimestamp ? [] : [{ type: "DeleteJob", job }];
  // Nothing can be added to an entry, such as that of a trial which was deleted and made once more.
  if (status.entry !== undefined) return own.flatMap(remove);
  // A settled trial's Job stays until its result is in the ledger.
  if (status.result) return [];
  if (trial.spec.violation !== undefined || waitsForOther(trial)) return [];
  // That an attempt has ended stays true. A Job of an attempt that is not noted was made since the trial was read.
  const over = own.filter(({ metadata }) =>
    attempts.some(({ job, endTime }) => job === metadata.name && endTime !== undefined),
  );
  if (over.length > 0) return over.flatMap(remove);

  // A search that had ended and stalls, which hides its end, has its completionTime still.
  const ended = !search || isFinished(search) || search.status?.completionTime !== undefined;
  const stopped = ended || search.spec.suspend;
  if (!open) return stopped ? [] : nextAttempt(world, search, attempts);
  const job = own.find(({ metadata }) => metadata.name === open.job);
  if (open.uid === undefined && !job) {
    if (stopped) return [write(world, end(attempts, open, suspended(now)))];
    return [{ type: "CreateJob", job: attemptJob(search, trial, open.number, world.trainerImage) }];
  }
  const noted = { ...open, uid: open.uid ?? job!.metadata.uid! };
  const recorded = job?.metadata.uid === noted.uid ? job : undefined;
  const pod = recorded && newestPod(world.pods, recorded);
  const outcome = attemptOutcome(recorded, pod);
  if (outcome && open.uid === undefined) return [write(world, replace(attempts, noted))];
  if (outcome && !isRequeued(outcome, recorded, pod)) return [finish(world, attempts, open, pod, outcome)];
  if (stopped) return [write(world, end(attempts, open, suspended(now)))];
  const lost = lostTime(pod);
  if (lost && lost <= now) return [finish(world, attempts, open, pod, lostOutcome(pod!))];
  const wait: TrialAction[] = lost ? [{ type: "Wait", until: lost }] : [];
  const startTime = trainerState(pod)?.running?.startedAt;
  if (open.startTime && (isSuspended(job!) || (startTime && startTime !== open.startTime)))
    return [write(world, replace(attempts, requeued(open, job!, pod, now)))];
  // A pod that its queue takes back has been charged, and may run on for a while.
  const goes = isSuspended(job!) || pod?.metadata.deletionTimestamp !== undefined;
  if (startTime && !open.startTime && !goes)
    return [write(world, replace(attempts, { ...noted, startTime }))];
  return open.startTime ? wait : [...wait, ...pending(world, replace(attempts, noted), noted, job!, pod)];
}

/** A Job that a queue has taken back and admitted again has had several. */
const newestPod = (pods: Pod[], job: Job): Pod | undefined =>
  pods
    .filter((pod) => isControlledBy(pod, job))
    .sort((a, b) => created(a) - created(b))
    .at(-1);

const created = ({ metadata }: Job | Pod): number => Date.parse(metadata.creationTimestamp ?? "") || 0;

/** Whether the pod ended as its Job's queue took it back: the Job goes on with another. */
const isRequeued = (outcome: AttemptOutcome, job: Job | undefined, pod: Pod | undefined): boolean =>
  outcome.kind === "Infrastructure" &&
  job !== undefined &&
  !jobEnd(job) &&
  // Where the pod was deleted, the Job tells soon whether that was its end. Evicted or preempted, it was.
  (isSuspended(job) || (pod?.metadata.deletionTimestamp !== undefined && !isDisrupted(pod)));

/** The attempt without the pod that it lost to the queue, but for the time that it trained. */
function requeued(open: Attempt, job: Job, pod: Pod | undefined, now: Date): Attempt {
  const { startTime, ...rest } = open;
  const terminated = trainerState(pod)?.terminated;
  const until =
    terminated?.startedAt === startTime
      ? terminated?.finishedAt
      : isSuspended(job)
        ? now.toISOString()
        : job.status?.startTime;
  const spent = Number(open.spentSeconds ?? 0) + seconds(startTime, until);
  return { ...rest, spentSeconds: decimal(spent) };
}

/** A pod that is to go and has not for so long, past its own grace, is on a node that does not answer. */
const LOST_MS = 60_000;

function lostTime(pod: Pod | undefined): Date | undefined {
  const { deletionTimestamp } = pod?.metadata ?? {};
  return deletionTimestamp && !trainerState(pod)?.terminated
    ? new Date(Date.parse(deletionTimestamp) + LOST_MS)
    : undefined;
}

const lostOutcome = ({ metadata, spec }: Pod): AttemptOutcome =>
  infrastructure(
    AttemptCause.Lost,
    `its pod was to be gone by ${metadata.deletionTimestamp}, but node ${spec.nodeName} does not answer`,
  );

/**
 * A Job's UID is written with the first that is heard of its pod, or after so long without: a Job that is known can be
 * missed, and whoever deletes it before it begins is charged an attempt.
 */
const NOTED_MS = 10_000;

/** An attempt that does not train yet: why is said at once, and it is given up once it has waited for too long. */
function pending(
  world: TrialWorld,
  attempts: Attempt[],
  open: Attempt,
  job: Job,
  pod: Pod | undefined,
): TrialAction[] {
  const why = whyPending(job, pod, world.events);
  const actions = waitFor(world, attempts, open, pendingSince(job), why);
  const isNoted = world.trial.status?.attempts?.at(-1)?.uid !== undefined;
  if (isNoted || actions.some(({ type }) => type === "WriteStatus")) return actions;
  const until = new Date(created(job) + NOTED_MS);
  return until <= world.now
    ? [write(world, attempts, why), ...actions]
    : [{ type: "Wait", until }, ...actions];
}

/** Says why the attempt waits, until it has done so for too long since a time; without one it may wait for ever. */
function waitFor(
  world: TrialWorld,
  attempts: Attempt[],
  open: Attempt,
  since: Date | undefined,
  why: string | undefined,
): TrialAction[] {
  const seconds = world.search!.spec.pendingTimeoutSeconds;
  const until = since && new Date(since.getTime() + seconds * 1000);
  if (until && until <= world.now) {
    const message = `it did not begin within ${seconds} s${why ? `: ${why}` : ""}`;
    return [finish(world, attempts, open, undefined, infrastructure(AttemptCause.PendingTimeout, message))];
  }
  const said = write(world, attempts, why);
  const told = said.status.conditions === world.trial.status?.conditions;
  return [...(told ? [] : [said]), ...(until ? [{ type: "Wait" as const, until }] : [])];
}

/** How long until a Job that was not let in is tried again. */
const ADMISSION_MS = 10_000;

/** What is done where the Job of the open attempt is not let in for now. */
export function awaitAdmission(world: TrialWorld, message: string): TrialAction[] {
  const attempts = world.trial.status!.attempts!;
  const open = attempts.at(-1)!;
  const since = new Date(open.creationTime ?? world.now);
  const again = { type: "Wait" as const, until: new Date(world.now.getTime() + ADMISSION_MS) };
  const why = `its Job is not let in: ${message}`;
  return [...waitFor(world, attempts, open, since, why).filter(({ type }) => type !== "Wait"), again];
}

/** The pod of the attempt that trains, if one does. */
export function trainingPod({ trial, jobs, pods }: TrialWorld): Pod | undefined {
  const open = trial.status?.attempts?.find(({ endTime }) => endTime === undefined);
  const job = open?.startTime && jobs.find(({ metadata }) => metadata.uid === open.uid);
  const pod = job ? newestPod(pods, job) : undefined;
  return trainerState(pod)?.running && pod;
}

/** A trainer validates now and then in each stage: that is none of its own here. */
const VALIDATION = "Validation";

/** What status takes. */
const MAX_STAGE = 63;

/** The trial's status with the stage that its trainer is at; undefined where that is no news. */
export function withStage(
  { status }: CandidateTrial,
  { stage: told }: Progress,
): CandidateTrialStatus | undefined {
  if (typeof told !== "string" && typeof told !== "number") return undefined;
  const stage = String(told).slice(0, MAX_STAGE);
  return stage === VALIDATION || stage === status?.stage ? undefined : { ...status, stage };
}

/** What is done about a trainer that has told the same since a time: its attempt is given up in the end. */
export function awaitProgress(world: TrialWorld, since: Date): TrialAction[] {
  // A server whose CustomResourceDefinition is older than the field gives no default.
  const seconds = world.search?.spec.progressDeadlineSeconds as number | undefined;
  if (seconds === undefined) return [];
  const until = new Date(since.getTime() + seconds * 1000);
  if (until > world.now) return [{ type: "Wait", until }];
  const attempts = world.trial.status!.attempts!;
  const message = `its trainer has told no progress for ${seconds} s`;
  const outcome = infrastructure(AttemptCause.ProgressDeadlineExceeded, message);
  return [finish(world, attempts, attempts.at(-1)!, undefined, outcome)];
}

/** The status of a trial that the operator cannot get on with; undefined where it says so, or has ended. */
export function failingStatus(
  trial: CandidateTrial,
  message: string,
  now: Date,
): CandidateTrialStatus | undefined {
  if (trial.status?.result) return undefined;
  const said = message.slice(0, MAX_MESSAGE);
  const conditions = condition({ trial, now }, "Progressing", "True", TrialReason.ReconcileFailed, said);
  return conditions === trial.status?.conditions ? undefined : { ...trial.status, conditions };
}

/** What is done where the open attempt's Job is there already, though it was not found: it is known from then on. */
export function noteJob(world: TrialWorld, job: Job): TrialAction {
  const attempts = world.trial.status!.attempts!;
  return write(world, replace(attempts, { ...attempts.at(-1)!, uid: job.metadata.uid! }));
}

/** The status of a trial that the operator could not get on with, and now can; undefined where that was not so. */
export function recoveredStatus(world: TrialWorld): CandidateTrialStatus | undefined {
  const { result, conditions, attempts = [] } = world.trial.status ?? {};
  const failing = conditions?.some(({ reason }) => reason === TrialReason.ReconcileFailed);
  return failing && !result ? write(world, attempts).status : undefined;
}

/** What is done where the API refuses the Job of the open attempt as invalid. */
export function refuseAttempt(world: TrialWorld, message: string): TrialAction {
  const attempts = world.trial.status!.attempts!;
  return finish(world, attempts, attempts.at(-1)!, undefined, { kind: "Refused", message });
}

/** The first attempt, the next one once its time has come, or the end of trying. */
function nextAttempt(world: TrialWorld, search: ArchitectureSearch, attempts: Attempt[]): TrialAction[] {
  const charged = attempts.filter(({ cause }) => !NOT_CHARGED.includes(cause ?? ""));
  const last = charged.at(-1);
  if (last && charged.length > search.spec.retries) {
    const tried = charged.length === 1 ? "its one attempt" : `each of its ${charged.length} attempts`;
    const message = `the infrastructure failed ${tried}, at last: ${last.cause}: ${last.message}`;
    return [settle(world, attempts, { outcome: "Failed", cause: TrialReason.Infrastructure, message })];
  }
  if (last && last === attempts.at(-1)) {
    const ended = new Date(last.endTime!);
    const until = new Date(ended.getTime() + world.retryDelay(charged.length));
    // A clock may have been set back.
    if (ended <= world.now && world.now < until) return [{ type: "Wait", until }];
  }
  if (!hasTurn(world.trial, world.siblings, search.spec.parallelism))
    return [{ type: "Wait", until: new Date(world.now.getTime() + TURN_MS) }];
  const number = (attempts.at(-1)?.number ?? -1) + 1;
  const creationTime = timestamp(world.now);
  return [
    write(world, withAttempt(attempts, { number, job: attemptName(world.trial, number), creationTime })),
  ];
}

/** How often a trial looks whether its turn has come. */
const TURN_MS = 2_000;

/**
 * Whether a trial may begin an attempt: of those of its search that are to be trained `parallelism` may, those at an attempt
 * before all others, which go by index. There are more after a stop, or where `parallelism` was lowered.
 */
function hasTurn(trial: CandidateTrial, siblings: CandidateTrial[], parallelism: number): boolean {
  const before = siblings.filter(
    (other) =>
      other.metadata.name !== trial.metadata.name &&
      isToTrain(other) &&
      (isRunning(other) || other.spec.index < trial.spec.index),
  );
  return before.length < parallelism;
}

/** Whether it trains, or is yet to. */
export const isToTrain = (trial: CandidateTrial): boolean =>
  trial.status?.result === undefined &&
  trial.status?.entry === undefined &&
  trial.spec.violation === undefined &&
  !waitsForOther(trial) &&
  trial.metadata.deletionTimestamp === undefined;

/** What the API holds: one more than the highest `retries`. */
const MAX_ATTEMPTS = 101;

/** One more attempt. The oldest that was not charged makes room where there is none: its time goes over to the new one. */
function withAttempt(attempts: Attempt[], attempt: Attempt): Attempt[] {
  const oldest =
    attempts.length < MAX_ATTEMPTS
      ? -1
      : attempts.findIndex(({ cause }) => NOT_CHARGED.includes(cause ?? ""));
  if (oldest < 0) return [...attempts, attempt];
  const spentSeconds = decimal(gpuSeconds([attempts[oldest]!]));
  return [...attempts.toSpliced(oldest, 1), { ...attempt, spentSeconds }];
}

/** Ends the open attempt with what came of it, and the trial with it unless it is to be tried again. */
function finish(
  world: TrialWorld,
  attempts: Attempt[],
  open: Attempt,
  pod: Pod | undefined,
  outcome: AttemptOutcome,
): TrialAction {
  const terminated = trainerState(pod)?.terminated;
  const startTime = open.startTime ?? terminated?.startedAt;
  const lost = outcome.kind === "Infrastructure" && outcome.cause === AttemptCause.Lost;
  // When a lost attempt ended nobody knows: nothing is charged.
  const endTime = terminated?.finishedAt ?? ((lost && startTime) || world.now.toISOString());
  const ended = { ...(startTime && { startTime }), endTime };
  if (outcome.kind === "Succeeded") {
    const { reward, metrics, slots, stages, parameters, stopped } = outcome;
    return settle(world, end(attempts, open, ended), {
      outcome: "Succeeded",
      ...measuredResult(reward, metrics, slots, stages),
      parameters: parameters ?? world.trial.spec.parameters,
      ...(stopped && { stopped }),
    });
  }
  const cause = outcome.kind === "Refused" ? TrialReason.InvalidConfiguration : outcome.cause;
  const message = outcome.message.slice(0, MAX_MESSAGE);
  const after = end(attempts, open, { ...ended, cause, message });
  if (outcome.kind === "Infrastructure") return write(world, after);
  const reward =
    outcome.kind === "Failed" && world.search ? world.search.spec.objective.failureReward : undefined;
  return settle(world, after, { outcome: "Failed", cause, message, ...(reward !== undefined && { reward }) });
}

const suspended = (now: Date): Partial<Attempt> => ({
  endTime: now.toISOString(),
  cause: AttemptCause.Suspended,
  message: "the search was stopped",
});

const replace = (attempts: Attempt[], attempt: Attempt): Attempt[] =>
  attempts.map((other) => (other.number === attempt.number ? attempt : other));

const end = (attempts: Attempt[], open: Attempt, ended: Partial<Attempt>): Attempt[] =>
  replace(attempts, { ...open, ...ended });

/** Seconds that the attempts trained, all together. */
export const gpuSeconds = (attempts: Attempt[]): number =>
  attempts.reduce(
    (sum, { startTime, endTime, spentSeconds = "0" }) =>
      sum + Number(spentSeconds) + (startTime && endTime ? seconds(startTime, endTime) : 0),
    0,
  );

const seconds = (from: string | undefined, to: string | undefined): number =>
  Math.max(0, Date.parse(to ?? "") - Date.parse(from ?? "")) / 1000 || 0;

type WriteStatus = TrialAction & { type: "WriteStatus" };

/** What a trial says that waits for nothing in particular. */
export const WAITS = "waits for its pod to start";

/** The status of a trial that goes on; `why` it does not train yet, where that is known. */
function write(world: TrialWorld, attempts: Attempt[], why = WAITS): WriteStatus {
  const last = attempts.at(-1);
  const running = last?.startTime !== undefined && last.endTime === undefined;
  const [reason, message] = running
    ? [TrialReason.Running, `attempt ${last.number} trains`]
    : [TrialReason.Pending, last?.cause ? `after ${last.cause}: ${last.message}` : why];
  const conditions = condition(world, "Progressing", "True", reason, message);
  const { stage, ...status } = world.trial.status ?? {};
  return {
    type: "WriteStatus",
    status: { ...status, conditions, attempts, ...(running && stage !== undefined && { stage }) },
  };
}

const settle = ({ trial, now }: TrialWorld, attempts: Attempt[], result: Result): TrialAction => ({
  type: "WriteStatus",
  status: settledStatus(trial, attempts, result, now),
});

/** The status of a trial that has come to its end. */
export function settledStatus(
  trial: CandidateTrial,
  attempts: Attempt[],
  result: Result,
  now: Date,
): CandidateTrialStatus {
  const type = result.outcome === "Succeeded" ? TrialCondition.Complete : TrialCondition.Failed;
  const reason = result.cause ?? TrialReason.Succeeded;
  const message = result.message ?? `reward ${result.reward}`;
  const ended = condition({ trial, now }, type, "True", reason, message);
  const settled = { ...trial, status: { ...trial.status, conditions: ended } };
  const conditions = condition({ trial: settled, now }, TrialCondition.Progressing, "False", reason, message);
  const withTime = { ...result, gpuSeconds: decimal(Math.round(gpuSeconds(attempts) * 1000) / 1000) };
  const { stage: _, ...status } = trial.status ?? {};
  return { ...status, conditions, attempts, result: withTime };
}

function condition(
  { trial, now }: Pick<TrialWorld, "trial" | "now">,
  type: TrialCondition,
  status: "True" | "False",
  reason: string,
  message: string,
) {
  const observedGeneration = trial.metadata.generation ?? 1;
  const set = { type, status, reason, message, observedGeneration };
  return setCondition(trial.status?.conditions ?? [], set, timestamp(now));
}
