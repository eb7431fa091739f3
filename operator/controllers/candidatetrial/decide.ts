// What is to be done about one trial: objects in, changes out, pure. A trial goes through attempts, each a Job;
// an attempt is noted in status before its Job is made and the Job's UID after, and only that Job may deliver.
import { setCondition, TrialCondition, TrialReason } from "../../api/conditions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial, CandidateTrialStatus } from "../../api/generated/candidatetrials.ts";
import { isControlledBy, type Job, type Pod } from "../../api/store.ts";
import { decimal, isFinished, measuredResult, timestamp, waitsForOther } from "../status.ts";
import { attemptJob, attemptName } from "./job.ts";
import {
  AttemptCause,
  type AttemptOutcome,
  attemptOutcome,
  infrastructure,
  NOT_CHARGED,
  trainerState,
} from "./outcome.ts";
import { pendingSince, whyPending } from "./pending.ts";

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
  now: Date;
  /** Milliseconds to wait after so many failures of the infrastructure. */
  retryDelay: (failures: number) => number;
}

export type Attempt = NonNullable<CandidateTrialStatus["attempts"]>[number];
type Result = NonNullable<CandidateTrialStatus["result"]>;

const MAX_MESSAGE = 1000;

/** 10 s, doubled with each failure, at most 5 minutes: as Kubernetes' own Job controller does it. */
export const defaultRetryDelay = (failures: number): number =>
  Math.min(10_000 * 2 ** (failures - 1), 300_000);

export function decideTrial(world: TrialWorld): TrialAction[] {
  const { trial, search, now } = world;
  const status = trial.status ?? {};
  const attempts = status.attempts ?? [];
  const open = attempts.find(({ endTime }) => endTime === undefined);
  const own = world.jobs.filter((job) => isControlledBy(job, trial));
  const remove = (job: Job): TrialAction => ({ type: "DeleteJob", job });
  // Nothing can be added to an entry, such as that of a trial which was deleted and made once more.
  if (status.entry !== undefined) return own.map(remove);
  // A settled trial's Job stays until its result is in the ledger.
  if (status.result) return [];
  if (trial.spec.violation !== undefined || waitsForOther(trial)) return [];
  // That an attempt has ended stays true. A Job of an attempt that is not noted was made since the trial was read.
  const over = own.filter(({ metadata }) =>
    attempts.some(({ job, endTime }) => job === metadata.name && endTime !== undefined),
  );
  if (over.length > 0) return over.map(remove);

  const stopped = !search || search.spec.suspend || isFinished(search);
  if (!open) return stopped ? [] : nextAttempt(world, search, attempts);
  const job = own.find(({ metadata }) => metadata.name === open.job);
  if (open.uid === undefined) {
    if (stopped) return [write(world, end(attempts, open, suspended(now)))];
    if (!job) return [{ type: "CreateJob", job: attemptJob(search, trial, open.number) }];
    return [write(world, replace(attempts, { ...open, uid: job.metadata.uid! }))];
  }
  const recorded = job?.metadata.uid === open.uid ? job : undefined;
  const pod = recorded && world.pods.find((candidate) => isControlledBy(candidate, recorded));
  const outcome = attemptOutcome(recorded, pod);
  if (outcome) return [finish(world, attempts, open, pod, outcome)];
  if (stopped) return [write(world, end(attempts, open, suspended(now)))];
  const startTime = trainerState(pod)?.running?.startedAt;
  if (startTime && !open.startTime) return [write(world, replace(attempts, { ...open, startTime }))];
  return open.startTime ? [] : pending(world, attempts, open, job!, pod);
}

/** An attempt that does not train yet: why is said at once, and it is given up once it has waited for too long. */
function pending(
  world: TrialWorld,
  attempts: Attempt[],
  open: Attempt,
  job: Job,
  pod: Pod | undefined,
): TrialAction[] {
  const why = whyPending(job, pod);
  const since = pendingSince(job);
  const seconds = world.search!.spec.pendingTimeoutSeconds;
  const until = since && new Date(since.getTime() + seconds * 1000);
  if (until && until <= world.now) {
    const message = `it did not begin within ${seconds} s${why ? `: ${why}` : ""}`;
    return [finish(world, attempts, open, pod, infrastructure(AttemptCause.PendingTimeout, message))];
  }
  const said = write(world, attempts, why);
  const told = said.status.conditions === world.trial.status?.conditions;
  return [...(told ? [] : [said]), ...(until ? [{ type: "Wait" as const, until }] : [])];
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
    const until = new Date(Date.parse(last.endTime!) + world.retryDelay(charged.length));
    if (until > world.now) return [{ type: "Wait", until }];
  }
  const number = (attempts.at(-1)?.number ?? -1) + 1;
  return [write(world, [...attempts, { number, job: attemptName(world.trial, number) }])];
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
    const { reward, metrics, slots, parameters, stopped } = outcome;
    return settle(world, end(attempts, open, ended), {
      outcome: "Succeeded",
      ...measuredResult(reward, metrics, slots),
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
  attempts.reduce((sum, { startTime, endTime }) => {
    if (!startTime || !endTime) return sum;
    return sum + Math.max(0, Date.parse(endTime) - Date.parse(startTime)) / 1000;
  }, 0);

type WriteStatus = TrialAction & { type: "WriteStatus" };

/** The status of a trial that goes on; `why` it does not train yet, where that is known. */
function write(world: TrialWorld, attempts: Attempt[], why = "waits for its pod to start"): WriteStatus {
  const last = attempts.at(-1);
  const running = last?.startTime !== undefined && last.endTime === undefined;
  const [reason, message] = running
    ? [TrialReason.Running, `attempt ${last.number} trains`]
    : [TrialReason.Pending, last?.cause ? `after ${last.cause}: ${last.message}` : why];
  const conditions = condition(world, "Progressing", "True", reason, message);
  return { type: "WriteStatus", status: { ...world.trial.status, conditions, attempts } };
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
  const withTime = { ...result, gpuSeconds: decimal(gpuSeconds(attempts)) };
  return { ...trial.status, conditions, attempts, result: withTime };
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
