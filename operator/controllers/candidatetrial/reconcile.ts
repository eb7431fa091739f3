// Brings one trial on: reads it and its Job, decides, acts, until there is nothing to do.
import type { Logger } from "winston";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import {
  AdmissionError,
  AlreadyExistsError,
  InvalidError,
  isControlledBy,
  type Key,
  keyOf,
  type Pod,
  type Reader,
  type Store,
} from "../../api/store.ts";
import {
  awaitAdmission,
  decideTrial,
  refuseAttempt,
  type TrialAction,
  type TrialWorld,
  trainingPod,
  withStage,
} from "./decide.ts";
import { TRIAL_LABEL } from "./job.ts";
import { AttemptCause, trainerState } from "./outcome.ts";

export interface TrialDependencies {
  store: Store;
  logger: Logger;
  now: () => Date;
  retryDelay: (failures: number) => number;
  trainerImage?: string;
  /** What the trainer in a pod says that it does; undefined where it does not say, or nobody asks. */
  stageOf?: (pod: Pod) => Promise<string | undefined>;
}

/** Returns when to look again, if nothing changes before. Throws ConflictError: try again. */
export async function reconcileTrial(dependencies: TrialDependencies, key: Key): Promise<Date | undefined> {
  const { store, now, retryDelay, trainerImage } = dependencies;
  for (;;) {
    const trial = await store.get("CandidateTrial", key);
    // One that is to go is its garbage collector's.
    if (!trial || trial.metadata.deletionTimestamp) return undefined;
    const search = await store.get("ArchitectureSearch", { ...key, name: trial.spec.search });
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
      actions = decideTrial(world);
    }
    if (actions.every(({ type }) => type === "Wait")) {
      const told = await tellStage(dependencies, world);
      const waits = actions.map((action) => (action as TrialAction & { type: "Wait" }).until);
      return [...waits, ...(told ? [told] : [])].sort((a, b) => a.getTime() - b.getTime())[0];
    }
    const until = await actAll(dependencies, world, actions);
    if (until) return until;
  }
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

/** How often a trainer is asked what it does. */
const STAGE_MS = 30_000;

/** Writes what the trainer does, where it trains and that is news. Returns when to ask again. */
async function tellStage(
  { store, now, stageOf }: TrialDependencies,
  world: TrialWorld,
): Promise<Date | undefined> {
  const pod = stageOf && trainingPod(world);
  if (!pod) return undefined;
  const status = withStage(world.trial, await stageOf(pod));
  if (status) await store.updateStatus<"CandidateTrial">({ ...world.trial, status });
  return new Date(now().getTime() + STAGE_MS);
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
        if (there && !isControlledBy(there, trial))
          return actAll(
            dependencies,
            world,
            awaitAdmission(world, `a Job ${there.metadata.name} is there already, and is not this trial's`),
          );
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
      return undefined;
    }
  }
}
