// Brings one trial on: reads it and its Job, decides, acts, until there is nothing to do.
import type { Logger } from "winston";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import {
  AdmissionError,
  AlreadyExistsError,
  InvalidError,
  isControlledBy,
  type Job,
  type Key,
  keyOf,
  type Pod,
  type Reader,
  type Store,
} from "../../api/store.ts";
import { isRunning, trainingSince } from "../status.ts";
import type { TrialCache } from "../trials.ts";
import {
  awaitAdmission,
  awaitProgress,
  decideTrial,
  failingStatus,
  isToTrain,
  noteJob,
  recoveredStatus,
  refuseAttempt,
  type TrialAction,
  type TrialWorld,
  trainingPod,
  withStage,
} from "./decide.ts";
import { TRIAL_LABEL } from "./job.ts";
import { AttemptCause, trainerState } from "./outcome.ts";
import type { Heard } from "./progress.ts";

export interface TrialDependencies {
  store: Store;
  logger: Logger;
  now: () => Date;
  retryDelay: (failures: number) => number;
  trainerImage?: string;
  /** Those of all searches. Left out, a trial does not wait for others. */
  trials?: TrialCache;
  /** See `listener`. Nobody asks where it is left out. */
  listen?: (pod: Pod) => Promise<Heard | undefined>;
}

/** Returns when to look again, if nothing changes before. Throws ConflictError: try again. */
export async function reconcileTrial(dependencies: TrialDependencies, key: Key): Promise<Date | undefined> {
  const { store, now, retryDelay, trainerImage } = dependencies;
  for (;;) {
    const trial = await store.get("CandidateTrial", key);
    // One that is to go is its garbage collector's.
    if (!trial || trial.metadata.deletionTimestamp) return undefined;
    const search = await store.get("ArchitectureSearch", { ...key, name: trial.spec.search });
    const mayBegin = search && isToTrain(trial) && !isRunning(trial);
    const siblings = mayBegin ? ((await dependencies.trials?.of(keyOf(search))) ?? []) : [];
    const look = async (reader: Reader, ended: Pod[] = []): Promise<TrialWorld> => {
      const labels = { [TRIAL_LABEL]: key.name };
      const jobs = await reader.list("Job", key.namespace, labels);
      const there = await reader.list("Pod", key.namespace, labels);
      const gone = ended.filter((pod) => there.every(({ metadata }) => metadata.uid !== pod.metadata.uid));
      const pods = [...gone, ...there];
      return {
        trial,
        search,
        jobs,
        pods,
        events: await store.list("Event", key.namespace),
        now: now(),
        siblings,
        retryDelay,
        trainerImage,
      };
    };
    let world = await look(store);
    let actions = decideTrial(world);
    // A Job, a pod and what is known of them may be of different times.
    if (actions.some((action) => losesAttempt(trial, action))) {
      // How a trainer ended stays true, though its pod may have gone since.
      world = await look(
        store.live,
        world.pods.filter((pod) => trainerState(pod)?.terminated),
      );
      const hidden = await hiddenJob(store, world);
      if (hidden) world = { ...world, jobs: [...world.jobs, hidden] };
      actions = decideTrial(world);
    }
    if (actions.every(({ type }) => type === "Wait")) {
      const recovered = recoveredStatus(world);
      if (recovered) {
        await store.updateStatus<"CandidateTrial">({ ...trial, status: recovered });
        continue;
      }
      const asked = await askTrainer(dependencies, world);
      if (asked === AGAIN) continue;
      const waits = [...actions, ...asked].map((action) => (action as TrialAction & { type: "Wait" }).until);
      return waits.sort((a, b) => a.getTime() - b.getTime())[0];
    }
    const until = await actAll(dependencies, world, actions);
    if (until) return until;
  }
}

/** The Job of the open attempt, where somebody has taken from it the labels that it is found by. */
async function hiddenJob(store: Store, { trial, jobs }: TrialWorld): Promise<Job | undefined> {
  const open = trial.status?.attempts?.at(-1);
  if (!open || open.endTime || jobs.some(({ metadata }) => metadata.uid === open.uid)) return undefined;
  const job = await store.live.get("Job", { ...keyOf(trial), name: open.job });
  return job?.metadata.uid === open.uid ? job : undefined;
}

/** Deletes the Job of an attempt that has ended, where it is not found by its labels: nobody would later. */
async function removeHidden(store: Store, world: TrialWorld, uid: string): Promise<void> {
  const seen = world.jobs.find(({ metadata }) => metadata.uid === uid) ?? (await hiddenJob(store, world));
  if (seen && seen.metadata.labels?.[TRIAL_LABEL] === undefined)
    await store.delete("Job", keyOf(seen), { uid });
}

/** Says in the trial's status what the operator cannot get done. */
export async function tellFailure(
  { store, now }: Pick<TrialDependencies, "store" | "now">,
  key: Key,
  message: string,
): Promise<void> {
  const trial = await store.get("CandidateTrial", key);
  const status = trial && failingStatus(trial, message, now());
  if (status) await store.updateStatus<"CandidateTrial">({ ...trial, status });
}

async function actAll(
  dependencies: TrialDependencies,
  world: TrialWorld,
  actions: TrialAction[],
): Promise<Date | undefined> {
  for (const action of actions) {
    const until = await act(dependencies, world, action);
    if (until) return until;
  }
  return undefined;
}

/** How often a trainer is asked what it does, and after how long for the first time. */
const ASK_MS = 30_000;
/** The trial is not as it was read any more. */
const AGAIN = Symbol("again");

/** Asks the trainer, where one trains, what it does: writes its stage, and gives the attempt up where it hangs. */
async function askTrainer(
  dependencies: TrialDependencies,
  world: TrialWorld,
): Promise<TrialAction[] | typeof AGAIN> {
  const { store, now, listen } = dependencies;
  const { trial } = world;
  const pod = listen && trainingPod(world);
  if (!pod) return [];
  // The first stages are over soon, each worth a write.
  const start = Date.parse(trainingSince(trial)!);
  const first = new Date(start + ASK_MS);
  // A clock may have been set back.
  if (start <= now().getTime() && now() < first) return [{ type: "Wait", until: first }];
  const heard = await listen(pod);
  const hangs = heard ? awaitProgress({ ...world, now: now() }, heard.since) : [];
  const status = heard && withStage(trial, heard.progress);
  if (hangs.some(({ type }) => type !== "Wait")) {
    await actAll(dependencies, world, hangs);
    return AGAIN;
  }
  if (status) await store.updateStatus<"CandidateTrial">({ ...trial, status });
  return [...hangs, { type: "Wait", until: new Date(now().getTime() + ASK_MS) }];
}

/** Whether an attempt is to end without anything that its trainer has said. */
function losesAttempt({ status }: CandidateTrial, action: TrialAction): boolean {
  if (action.type !== "WriteStatus") return false;
  const last = action.status.attempts?.at(-1);
  const ends = last?.endTime !== undefined && status?.attempts?.at(-1)?.endTime === undefined;
  return ends && !action.status.result && last.cause !== AttemptCause.Suspended;
}

async function act(
  dependencies: TrialDependencies,
  world: TrialWorld,
  action: TrialAction,
): Promise<Date | undefined> {
  const { store, logger } = dependencies;
  const { trial } = world;
  const about = { namespace: keyOf(trial).namespace, search: trial.spec.search, trial: trial.metadata.name };
  switch (action.type) {
    case "Wait":
      return action.until;
    case "DeleteJob":
      await store.delete("Job", keyOf(action.job), { uid: action.job.metadata.uid! });
      return undefined;
    case "CreateJob":
      try {
        await store.create(action.job);
      } catch (error) {
        if (error instanceof InvalidError)
          return act(dependencies, world, refuseAttempt(world, error.message));
        if (error instanceof AdmissionError)
          return actAll(dependencies, world, awaitAdmission(world, error.message));
        if (!(error instanceof AlreadyExistsError)) throw error;
        const there = await store.live.get("Job", keyOf(action.job));
        if (!there) return undefined;
        if (isControlledBy(there, trial)) return act(dependencies, world, noteJob(world, there));
        const why = `a Job ${there.metadata.name} is there already, and is not this trial's`;
        return actAll(dependencies, world, awaitAdmission(world, why));
      }
      return undefined;
    case "WriteStatus": {
      const { result, attempts } = action.status;
      await store.updateStatus<"CandidateTrial">({ ...trial, status: action.status });
      const last = attempts?.at(-1);
      const was = trial.status?.attempts?.at(-1);
      if (result?.outcome === "Succeeded")
        logger.info("trial succeeded", { ...about, reward: result.reward });
      else if (result) logger.warn("trial failed", { ...about, cause: result.cause, reason: result.message });
      else if (last?.cause)
        logger.warn("attempt ended", { ...about, job: last.job, cause: last.cause, reason: last.message });
      else if (last?.startTime && !was?.startTime)
        logger.info("attempt started", { ...about, job: last.job });
      if (last?.endTime && was?.uid && !was.endTime) await removeHidden(store, world, was.uid);
      return undefined;
    }
  }
}
