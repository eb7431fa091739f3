// What a trainer says of itself, asked of its pod.
import type { Pod } from "../api/store.ts";
import { PORT } from "../controllers/candidatetrial/job.ts";

/** Whoever waits for it keeps others waiting. */
const TIMEOUT_MS = 1_000;

/** The stage that the trainer in a pod is at (the trainer contract's /progress); undefined where it does not say. */
export async function stageOf({ status }: Pod): Promise<string | undefined> {
  const address = status?.podIP;
  if (!address) return undefined;
  const host = address.includes(":") ? `[${address}]` : address;
  try {
    const response = await fetch(`http://${host}:${PORT}/progress`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { stage } = (await response.json()) as { stage?: unknown };
    return typeof stage === "string" || typeof stage === "number" ? String(stage).slice(0, 63) : undefined;
  } catch {
    // It has not begun to listen, has just ended, or serves none.
    return undefined;
  }
}
