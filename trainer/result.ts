// The result of a trial: JSON of at most 4,096 bytes, as a termination message may be.
import { writeFile } from "node:fs/promises";
import { UserError } from "@segnas/searchspace/errors.ts";
import { type Session, type Stage, Untrainable, type UntrainableCause } from "./training/session.ts";
import type { TrialResult } from "./training/trial.ts";

const LIMIT = 4096;

export type Outcome =
  | ({ outcome: "Succeeded"; seconds: number; stageSeconds: StageSeconds } & TrialResult)
  | ({ outcome: "Failed"; seconds: number } & Verdict);

/** What each stage of this attempt has taken, to a tenth of a second; of those that it was at. */
export type StageSeconds = Partial<Record<Stage, number>>;

/** Why a trial has no reward: the configuration is wrong, or the architecture cannot be trained. */
export interface Verdict {
  cause: UntrainableCause | "InvalidConfiguration";
  message: string;
}

/** What an error says of the trial; undefined where it says nothing of it. */
export function verdictOf(error: unknown): Verdict | undefined {
  if (error instanceof UserError) return { cause: "InvalidConfiguration", message: error.message };
  if (error instanceof Untrainable) return { cause: error.reason, message: error.message };
  // TensorFlow's own words where an allocation fails (a GPU's memory is full), behind the addon's "Message: ".
  if (error instanceof Error && /\bOOM\b|ResourceExhausted|RESOURCE_EXHAUSTED/.test(error.message))
    return { cause: "OutOfMemory", message: error.message.replace(/^.*\nMessage: /, "").split("\n")[0]! };
  return undefined;
}

/** The time of each stage up to now. */
export const stageSecondsOf = ({ stageSeconds }: Pick<Session, "stageSeconds">): StageSeconds =>
  Object.fromEntries([...stageSeconds].map(([stage, seconds]) => [stage, Math.round(seconds * 10) / 10]));

/** As JSON within the limit: the oldest slots go first, a long message is cut. */
export function encodeResult(outcome: Outcome): string {
  const text = JSON.stringify(outcome);
  const excess = Buffer.byteLength(text) - LIMIT;
  if (excess <= 0) return text;
  if (outcome.outcome === "Succeeded") {
    let [gone, left] = [0, excess];
    while (left > 0 && gone < outcome.slots.length)
      left -= Buffer.byteLength(JSON.stringify(outcome.slots[gone++])) + ",".length;
    return encodeResult({ ...outcome, slots: outcome.slots.slice(gone) });
  }
  // By whole characters, each counted as JSON writes it.
  let room = Buffer.byteLength(JSON.stringify(outcome.message)) - excess - "...".length - 2;
  let kept = "";
  for (const character of outcome.message) {
    room -= Buffer.byteLength(JSON.stringify(character)) - 2;
    if (room < 0) break;
    kept += character;
  }
  return encodeResult({ ...outcome, message: `${kept}...` });
}

/** Writes the result for whoever started the trainer. */
export async function writeResult(path: string, outcome: Outcome): Promise<void> {
  await writeFile(path, encodeResult(outcome));
}
