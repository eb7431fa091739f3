// A search in plain data, as the terminal's table, the JSON document and the report show it.
import type { Architecture, NetworkSettings } from "@segnas/searchspace/architecture.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import type { PolicyUpdate } from "../controllers/architecturesearch/knowledge.ts";
import { inputSize, networkSettings } from "../controllers/architecturesearch/networks.ts";
import { NOT_CHARGED } from "../controllers/candidatetrial/outcome.ts";
import { metricInWords, settingsInWords } from "./report-settings.ts";

/** A trial with whatever is known of it: reward and metrics only where it succeeded, cause where it failed. */
export interface TrialSummary {
  name: string;
  index: number;
  outcome: "Succeeded" | "Failed" | "Rejected" | "Deleted" | "Running" | "Pending";
  architecture: Architecture;
  /** Trainable parameters and multiply-accumulates at the search's settings. */
  parameters: number;
  macs?: number;
  reward?: number;
  metrics?: { meanIoU: number; meanAccuracy?: number; frequencyWeightedIoU?: number };
  seconds?: number;
  /** The trial with the same network whose result it got. */
  duplicateOf?: string;
  /** Whether the gate stopped it on the way. */
  stopped?: boolean;
  cause?: string;
  message?: string;
  /** Its last attempt, where that failed by the machine's fault and another will follow. */
  failedAttempt?: { number: number; message: string };
}

export type SearchState = "Running" | "Stopped" | "Complete" | "Failed";

export interface SearchSummary {
  name: string;
  state: SearchState;
  /** The condition's message: why it failed, or what it is doing. */
  message?: string;
  maxTrials: number;
  trials: TrialSummary[];
  policy: PolicyUpdate[];
  /** What was asked for, in words: label and value. */
  settings: [string, string][];
  /** What the reward measures, in words. */
  metric: string;
  /** What the trials' networks have in common: their settings, and the size that they are trained on. */
  network: NetworkSettings;
  input: { height: number; width: number };
  startTime?: string;
  completionTime?: string;
}

type Scored = TrialSummary & { reward: number };

/** Succeeded trials, best first; of equal rewards the smaller network, then the earlier. */
export const ranked = (trials: TrialSummary[]): Scored[] =>
  trials
    .filter((trial): trial is Scored => trial.outcome === "Succeeded" && trial.reward !== undefined)
    .sort((a, b) => b.reward - a.reward || a.parameters - b.parameters || a.index - b.index);

/** How many trials ended in each way, and how many have ended. */
export function counts(trials: TrialSummary[]) {
  const of = (outcome: TrialSummary["outcome"]) => trials.filter((trial) => trial.outcome === outcome).length;
  const [succeeded, failed, rejected, deleted] = [
    of("Succeeded"),
    of("Failed"),
    of("Rejected"),
    of("Deleted"),
  ];
  return {
    succeeded,
    failed,
    rejected,
    deleted,
    running: of("Running"),
    pending: of("Pending"),
    settled: succeeded + failed + rejected + deleted,
  };
}

/** Trials that ended without having been trained to their end, in their order. */
export const failures = (trials: TrialSummary[]): TrialSummary[] =>
  trials.filter(({ outcome }) => outcome === "Failed" || outcome === "Rejected" || outcome === "Deleted");

const CAUSES: Record<string, string> = {
  NonFiniteLoss: "the loss stopped being a finite number",
  OutOfMemory: "it ran out of memory",
  TimeLimit: "it ran past its time limit",
  OverConstraint: "it is over a constraint and was not trained",
  InvalidConfiguration: "its settings or data are wrong",
  Infrastructure: "the machine failed it",
  Deleted: "it was deleted by hand",
};

/** A failure in words: the trainer's own sentence after what its cause means. */
export function failureInWords(trial: TrialSummary): string {
  const cause = trial.cause ?? (trial.outcome === "Deleted" ? "Deleted" : "unknown cause");
  const meaning = CAUSES[cause] ?? cause;
  return trial.message ? `${meaning}: ${trial.message}` : meaning;
}

/** What a store says of a search at one moment. */
export interface SearchObjects {
  search: ArchitectureSearch;
  trials: CandidateTrial[];
  policy: PolicyUpdate[];
}

/**
 * The summary of a search's objects. `live` says whether something is running the search at this moment:
 * an unfinished search that nothing runs is stopped.
 */
export function summarise({ search, trials, policy }: SearchObjects, live: boolean): SearchSummary {
  const { metadata, spec, status } = search;
  const held = (type: string) => status?.conditions?.find((it) => it.type === type && it.status === "True");
  const [complete, failed, stalled] = [held("Complete"), held("Failed"), held("Stalled")];
  const state = complete ? "Complete" : failed ? "Failed" : live && !spec.suspend ? "Running" : "Stopped";
  const message = (failed ?? (complete ? undefined : stalled))?.message;
  return {
    name: metadata.name,
    state,
    ...(message && { message }),
    maxTrials: spec.maxTrials,
    trials: trials.map(summariseTrial).sort((a, b) => a.index - b.index),
    policy: [...policy], // the store's own list grows
    settings: settingsInWords(search),
    metric: metricInWords(spec.objective.metric),
    network: networkSettings(search),
    input: inputSize(search),
    ...(status?.startTime && { startTime: status.startTime }),
    ...(status?.completionTime && { completionTime: status.completionTime }),
  };
}

function summariseTrial({ metadata, spec, status }: CandidateTrial): TrialSummary {
  const result = status?.result;
  const attempts = status?.attempts ?? [];
  const seconds = result?.gpuSeconds === undefined ? trained(attempts) : Number(result.gpuSeconds);
  const last = attempts.at(-1);
  const training = last?.startTime !== undefined && last.endTime === undefined;
  const again = !result && last?.cause && !NOT_CHARGED.includes(last.cause);
  const cause = result?.cause;
  const message = result?.message;
  return {
    name: metadata.name,
    index: spec.index,
    outcome: result?.outcome ?? (training ? "Running" : "Pending"),
    architecture: spec.architecture,
    parameters: spec.parameters,
    macs: spec.macs,
    ...(result?.outcome === "Succeeded" && result.reward !== undefined && { reward: Number(result.reward) }),
    ...(result?.metrics && {
      metrics: {
        meanIoU: Number(result.metrics.meanIoU),
        meanAccuracy: Number(result.metrics.meanAccuracy),
        frequencyWeightedIoU: Number(result.metrics.frequencyWeightedIoU),
      },
    }),
    ...(seconds !== undefined && { seconds }),
    ...(result?.duplicateOf && { duplicateOf: result.duplicateOf }),
    ...(result?.stopped && { stopped: true }),
    ...(cause && { cause }),
    ...(message && { message }),
    ...(again && { failedAttempt: { number: last.number, message: last.message ?? last.cause! } }),
  };
}

/** Seconds of all attempts that have ended; undefined where none has. */
function trained(attempts: { startTime?: string; endTime?: string }[]): number | undefined {
  const times = attempts.flatMap(({ startTime, endTime }) =>
    startTime && endTime ? [(Date.parse(endTime) - Date.parse(startTime)) / 1000] : [],
  );
  return times.length > 0 ? times.reduce((sum, seconds) => sum + seconds, 0) : undefined;
}
