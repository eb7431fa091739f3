// The result of a trial: JSON of at most 4,096 bytes, as a termination message may be.
import { writeFile } from "node:fs/promises";
import type { UntrainableCause } from "./training/session.ts";
import type { TrialResult } from "./training/trial.ts";

const LIMIT = 4096;

export type Outcome =
  | ({ outcome: "Succeeded"; seconds: number } & TrialResult)
  | { outcome: "Failed"; cause: UntrainableCause | "InvalidConfiguration"; message: string; seconds: number };

/** As JSON within the limit: the oldest slots go first, a long message is cut. */
export function encodeResult(outcome: Outcome): string {
  const text = JSON.stringify(outcome);
  const excess = Buffer.byteLength(text) - LIMIT;
  if (excess <= 0) return text;
  if (outcome.outcome === "Succeeded") return encodeResult({ ...outcome, slots: outcome.slots.slice(1) });
  const cut = Math.max(0, outcome.message.length - excess - 3);
  return encodeResult({ ...outcome, message: `${outcome.message.slice(0, cut)}...` });
}

/** Writes the result for whoever started the trainer. */
export async function writeResult(path: string, outcome: Outcome): Promise<void> {
  await writeFile(path, encodeResult(outcome));
}
