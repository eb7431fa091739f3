// What trainers say of themselves (the trainer contract's /progress), by whatever way they are asked.
import type { Pod } from "../../api/store.ts";
import { TRIAL_LABEL } from "./job.ts";

/** The trainer's /progress. */
export interface Progress {
  stage?: number | string;
  epoch?: number;
  epochs?: number;
  step?: number;
  steps?: number;
  loss?: number;
  /** The course of the loss, the oldest first. */
  losses?: number[];
  meanIoU?: number;
  imagesPerSecond?: number;
  /** Grows while it works, whatever at. */
  beats?: number;
}

/** What a trainer says, and since when it has said just that. */
export interface Heard {
  progress: Progress;
  since: Date;
}

/** Trainers whose words are remembered. */
const REMEMBERED = 10_000;

/** Asks trainers what they do, and remembers what each said; undefined where one says nothing. */
export function listener(
  progressOf: (pod: Pod) => Promise<Progress | undefined>,
  now: () => Date,
): (pod: Pod) => Promise<Heard | undefined> {
  /** By pod; those asked last come last. */
  const heard = new Map<string, { words: string; since: Date }>();
  return async (pod) => {
    const progress = await progressOf(pod);
    if (!progress) return undefined;
    const uid = pod.metadata.uid!;
    const words = JSON.stringify(progress);
    const before = heard.get(uid);
    const time = now();
    // A clock may have been set back.
    const since = before?.words === words && before.since <= time ? before.since : time;
    heard.delete(uid);
    heard.set(uid, { words, since });
    if (heard.size > REMEMBERED) heard.delete(heard.keys().next().value!);
    return { progress, since };
  };
}

/** A trial whose pod runs, with its progress where the trainer gives it. */
export interface RunningTrial {
  trial: string;
  stage: string | undefined;
  progress?: Progress;
}

/** What the trainer at a URL says; undefined where it does not in time. */
export async function askTrainer(url: string, timeoutMs: number): Promise<Progress | undefined> {
  try {
    const response = await fetch(`${url}/progress`, { signal: AbortSignal.timeout(timeoutMs) });
    return response.ok ? ((await response.json()) as Progress) : undefined;
  } catch {
    // It has not begun to listen, has just ended, or serves none.
    return undefined;
  }
}

/** The trials whose pods run; `progressOf` asks the trainer in a pod. */
export function runningTrials(
  pods: Pod[],
  progressOf: (pod: Pod) => Promise<Progress | undefined>,
): Promise<RunningTrial[]> {
  const running = pods.filter(({ status }) => status?.phase === "Running");
  return Promise.all(
    running.map(async (pod) => {
      const progress = await progressOf(pod);
      const stage = progress?.stage === undefined ? undefined : String(progress.stage);
      return { trial: pod.metadata.labels![TRIAL_LABEL]!, stage, ...(progress && { progress }) };
    }),
  );
}
