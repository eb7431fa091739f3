// What the trainers on this machine say of themselves.
import type { Pod } from "../api/store.ts";
import { askTrainer, type RunningTrial, runningTrials } from "../controllers/candidatetrial/progress.ts";
import { PORT_ANNOTATION } from "./kubelet.ts";

const TIMEOUT_MS = 500;

/** Running trials with their progress, where the trainer gives it in time. */
export const localTrials = (pods: Pod[]): Promise<RunningTrial[]> =>
  runningTrials(pods, ({ metadata }) =>
    askTrainer(`http://127.0.0.1:${metadata.annotations?.[PORT_ANNOTATION]}`, TIMEOUT_MS),
  );
