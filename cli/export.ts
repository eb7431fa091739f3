// A search's trials for other programs: a row of CSV or a line of JSON each, in their order.
import type { TrialSummary } from "@segnas/operator/web/trial-summary.ts";
import { toGenotype } from "@segnas/searchspace/architecture.ts";

/** What is told of a trial; what is not known of it is null. */
function recordOf(trial: TrialSummary) {
  const { metrics, architecture } = trial;
  return {
    index: trial.index,
    trial: trial.name,
    outcome: trial.outcome,
    reward: trial.reward ?? null,
    meanIoU: metrics?.meanIoU ?? null,
    meanAccuracy: metrics?.meanAccuracy ?? null,
    frequencyWeightedIoU: metrics?.frequencyWeightedIoU ?? null,
    parameters: trial.parameters ?? null,
    macs: trial.macs ?? null,
    seconds: trial.seconds ?? null,
    stopped: trial.stopped ?? false,
    duplicateOf: trial.duplicateOf ?? null,
    cause: trial.cause ?? null,
    message: trial.message ?? null,
    genotype: architecture ? toGenotype(architecture) : null,
  };
}

/** JSON Lines: an object for each trial. */
export const jsonLines = (trials: TrialSummary[]): string =>
  trials.map((trial) => `${JSON.stringify(recordOf(trial))}\n`).join("");

/** CSV as RFC 4180 has it, the names of the columns first. */
export function csv(trials: TrialSummary[]): string {
  const names = Object.keys(recordOf({ name: "", index: 0, outcome: "Pending" }));
  const rows = trials.map((trial) => Object.values(recordOf(trial)).map(cell));
  return [names, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

function cell(value: unknown): string {
  const text = value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
