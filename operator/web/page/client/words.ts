// Small things in words, and what states look like.
import { duration } from "../../format.ts";

/** An age in words: 42 s, 3 min 5 s, 2 h 10 min. Empty where the time is not known. */
export const since = (time: string | undefined, now: Date): string =>
  time === undefined ? "" : duration(Math.max(0, (now.getTime() - Date.parse(time)) / 1000));

/** GPU time in hours. */
export const gpuHours = (seconds: number): string =>
  (seconds / 3600).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const SIGNS: Record<string, string> = {
  New: "…",
  Searching: "▶",
  WaitingForPods: "…",
  Stopping: "‖",
  Suspended: "‖",
  Stopped: "‖",
  Stalled: "!",
  Complete: "✓",
  Failed: "✕",
};

export const stateSign = (state: string): string => SIGNS[state] ?? "";

/** What an outcome is called where people read it. */
export const OUTCOME_WORDS: Record<string, string> = {
  Rejected: "Over a constraint",
  Pending: "Waiting",
  Running: "Training",
};

/** A name of the API as words: pathConsistency -> path consistency. */
export const asWords = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** A trial's name where there is little room: of a long one the number and how it begins. */
export const shortName = (search: string, index: number): string =>
  `${search.length <= 12 ? search : `${search.slice(0, 8)}…`}-${index}`;

/** 2026-03-01 10:00 UTC. */
export const when = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;

const STAGES: Record<string, string> = {
  "0": "stage 0: the decoder alone",
  "1": "stage 1: end to end",
  Setup: "sets up",
  WarmUp: "warms the encoder up",
  Features: "computes the encoder's features",
  Validation: "is judged",
};

const SHORT_STAGES: Record<string, string> = {
  "0": "stage 0",
  "1": "stage 1",
  Setup: "set-up",
  WarmUp: "warm-up",
  Features: "features",
  Validation: "validations",
};

/** What stages took: "set-up 2 s, stage 0 40 s". */
export const stageTimes = (stages: { stage: string; seconds: number }[]): string =>
  stages.map(({ stage, seconds }) => `${SHORT_STAGES[stage] ?? stage} ${duration(seconds)}`).join(", ");

export const stageInWords = (stage: string | undefined): string =>
  stage === undefined ? "trains" : (STAGES[stage] ?? stage);
