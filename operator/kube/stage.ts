// What a trainer in a pod does, asked from within the cluster.
import type { Pod } from "../api/store.ts";
import { PORT } from "../controllers/candidatetrial/job.ts";
import { askTrainer } from "../controllers/candidatetrial/progress.ts";

/** Whoever waits for it keeps others waiting. */
const TIMEOUT_MS = 1_000;
/** What status takes. */
const MAX_STAGE = 63;

/** The stage that the trainer in a pod is at; undefined where it does not say. */
export async function stageOf({ status }: Pod): Promise<string | undefined> {
  const address = status?.podIP;
  if (!address) return undefined;
  const host = address.includes(":") ? `[${address}]` : address;
  const stage = (await askTrainer(`http://${host}:${PORT}`, TIMEOUT_MS))?.stage;
  return typeof stage === "string" || typeof stage === "number"
    ? String(stage).slice(0, MAX_STAGE)
    : undefined;
}
