// What the trainers on this machine say of themselves.
import type { Pod } from "../api/store.ts";
import {
  askTrainer,
  type Progress,
  type RunningTrial,
  runningTrials,
} from "../controllers/candidatetrial/progress.ts";
import { PORT_ANNOTATION } from "./kubelet.ts";

const TIMEOUT_MS = 500;

/** What the trainer of a pod says; undefined where it does not in time. */
export const progressOf = ({ metadata }: Pod): Promise<Progress | undefined> =>
  askTrainer(`http://127.0.0.1:${metadata.annotations?.[PORT_ANNOTATION]}`, TIMEOUT_MS);

/** Running trials with their progress. */
export const localTrials = (pods: Pod[]): Promise<RunningTrial[]> => runningTrials(pods, progressOf);
