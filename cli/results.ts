// What a search came to: as text for people, as one document for programs.
import { counted, duration, large, percent, real, whole } from "@segnas/operator/web/format.ts";
import {
  counts,
  failureInWords,
  failures,
  outcomesInWords,
  ranked,
  rejections,
  type SearchSummary,
} from "@segnas/operator/web/summary.ts";
import type { TrialSummary } from "@segnas/operator/web/trial-summary.ts";
import { toGenotype } from "@segnas/searchspace/architecture.ts";
import { textTable } from "./table.ts";

const SHOWN = 10;

/** The best trials as a table, the failures with their causes in words, and where the report lies, if there is one. */
export function resultText(search: SearchSummary, reportPath?: string): string {
  const { settled, ...outcomes } = counts(search.trials);
  const head = `${counted(settled, "trial")} of ${whole(search.maxTrials)} ended, ${outcomesInWords(outcomes)}`;
  return [
    `${search.name}: ${head}`,
    ...takenOverLines(search),
    ...bestLines(search.trials, SHOWN),
    ...causeLines(search.trials, SHOWN),
    ...(reportPath === undefined ? [] : ["", `Report: ${reportPath}`]),
  ].join("\n");
}

function takenOverLines({ takenOver }: SearchSummary): string[] {
  if (!takenOver) return [];
  const { trials, search, best } = takenOver;
  const words = `Before that, ${counted(trials, "trial")} taken over of ${search}`;
  return [best ? `${words}, best ${real(best.reward)} (${best.name})` : words];
}

/** A table of the best trials, so many at most, after an empty line; nothing where there are none. */
export function bestLines(trials: TrialSummary[], shown: number): string[] {
  const best = ranked(trials);
  if (best.length === 0) return [];
  const rows = best
    .slice(0, shown)
    .map((trial, i) => [
      String(i + 1),
      trial.name,
      real(trial.reward),
      trial.metrics ? percent(trial.metrics.meanIoU) : "",
      whole(trial.parameters),
      trial.macs === undefined ? "" : large(trial.macs),
      trial.seconds === undefined ? "" : duration(trial.seconds),
    ]);
  return ["", ...textTable(COLUMNS, rows), ...more("", best.length - shown)];
}

/** Why trials failed, and why they were not trained, so many of each at most. */
export const causeLines = (trials: TrialSummary[], shown: number): string[] =>
  [
    { title: "Failed:", of: failures(trials) },
    { title: "Over a constraint, so not trained:", of: rejections(trials) },
  ].flatMap(({ title, of }) => {
    if (of.length === 0) return [];
    const causes = of.slice(0, shown).map((trial) => `  ${trial.name}: ${causeInWords(trial)}`);
    return ["", title, ...causes, ...more("  ", of.length - shown)];
  });

/** The title says already that it is over a constraint. */
const causeInWords = (trial: TrialSummary): string =>
  (trial.outcome === "Rejected" && trial.message) || failureInWords(trial);

const more = (indent: string, n: number): string[] => (n > 0 ? [`${indent}and ${whole(n)} more`] : []);

const COLUMNS = [
  { title: "Rank", align: "right" },
  { title: "Trial", align: "left" },
  { title: "Reward", align: "right" },
  { title: "mIoU", align: "right" },
  { title: "Parameters", align: "right" },
  { title: "MACs", align: "right" },
  { title: "Time", align: "right" },
] as const;

/**
 * The document of `--output json`: trials that succeeded, best first, and those that failed, or were not trained, in
 * their order.
 */
export function resultDocument(search: SearchSummary, reportPath?: string) {
  const trials = ranked(search.trials).map((trial, i) => ({
    rank: i + 1,
    name: trial.name,
    index: trial.index,
    reward: trial.reward,
    metrics: trial.metrics,
    parameters: trial.parameters,
    macs: trial.macs,
    seconds: trial.seconds,
    genotype: toGenotype(trial.architecture),
    architecture: trial.architecture,
  }));
  const ended = ({ name, index, cause, message, parameters, seconds }: TrialSummary) => ({
    name,
    index,
    cause,
    message,
    parameters,
    seconds,
  });
  return {
    name: search.name,
    state: search.state,
    message: search.message,
    maxTrials: search.maxTrials,
    counts: counts(search.trials),
    takenOver: search.takenOver,
    best: trials[0] && { name: trials[0].name, reward: trials[0].reward, parameters: trials[0].parameters },
    trials,
    failures: failures(search.trials).map(ended),
    rejected: rejections(search.trials).map(ended),
    report: reportPath,
  };
}
