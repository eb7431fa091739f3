// What the trainers of running pods say of themselves.
import type { Pod } from "../api/store.ts";
import { TRIAL_LABEL } from "../controllers/candidatetrial/job.ts";
import { PORT_ANNOTATION } from "./kubelet.ts";

/** The trainer's /progress. */
export interface Progress {
  stage?: number | string;
  epoch?: number;
  epochs?: number;
  step?: number;
  steps?: number;
  loss?: number;
  meanIoU?: number;
  imagesPerSecond?: number;
}

const TIMEOUT_MS = 500;

/** Running trials with their progress, where the trainer gives it in time. */
export function runningTrials(pods: Pod[]) {
  const running = pods.filter(({ status }) => status?.phase === "Running");
  return Promise.all(
    running.map(async ({ metadata }) => {
      const progress = await progressOf(metadata.annotations?.[PORT_ANNOTATION]);
      const stage = progress?.stage === undefined ? undefined : String(progress.stage);
      return { trial: metadata.labels![TRIAL_LABEL]!, stage, ...(progress && { progress }) };
    }),
  );
}

async function progressOf(port: string | undefined): Promise<Progress | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/progress`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return response.ok ? ((await response.json()) as Progress) : undefined;
  } catch {
    // It has not begun to listen, or has just ended.
    return undefined;
  }
}
