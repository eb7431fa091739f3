// What a trainer in a pod says of itself, asked from within the cluster.
import type { Pod } from "../api/store.ts";
import { PORT } from "../controllers/candidatetrial/job.ts";
import { askTrainer, type Progress } from "../controllers/candidatetrial/progress.ts";

/** Whoever waits for it keeps others waiting. */
const TIMEOUT_MS = 1_000;

/** What the trainer in a pod says; undefined where it says nothing. */
export async function progressOf({ status }: Pod): Promise<Progress | undefined> {
  const address = status?.podIP;
  if (!address) return undefined;
  const host = address.includes(":") ? `[${address}]` : address;
  return askTrainer(`http://${host}:${PORT}`, TIMEOUT_MS);
}
