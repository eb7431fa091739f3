// What a search came to: as text for people, as one document for programs.
import { counted, duration, large, percent, real, whole } from "@segnas/operator/web/report-format.ts";
import {
  counts,
  failureInWords,
  failures,
  ranked,
  type SearchSummary,
} from "@segnas/operator/web/report-summary.ts";
import { toGenotype } from "@segnas/searchspace/architecture.ts";
import { textTable } from "./table.ts";

const SHOWN = 10;

/** The best trials as a table, the failures with their causes in words, and where the report lies. */
export function resultText(search: SearchSummary, reportPath: string): string {
  const best = ranked(search.trials);
  const failed = failures(search.trials);
  const { succeeded, settled } = counts(search.trials);
  const lines = [
    `${search.name}: ${counted(settled, "trial")} of ${whole(search.maxTrials)} ended, ${whole(succeeded)} succeeded, ${whole(failed.length)} failed`,
  ];
  if (best.length > 0) {
    const rows = best
      .slice(0, SHOWN)
      .map((trial, i) => [
        String(i + 1),
        trial.name,
        real(trial.reward),
        trial.metrics ? percent(trial.metrics.meanIoU) : "",
        whole(trial.parameters),
        trial.macs === undefined ? "" : large(trial.macs),
        trial.seconds === undefined ? "" : duration(trial.seconds),
      ]);
    lines.push("", ...textTable(COLUMNS, rows));
    if (best.length > SHOWN) lines.push(`and ${whole(best.length - SHOWN)} more`);
  }
  if (failed.length > 0) {
    lines.push("", "Failed:");
    for (const trial of failed.slice(0, SHOWN)) lines.push(`  ${trial.name}: ${failureInWords(trial)}`);
    if (failed.length > SHOWN) lines.push(`  and ${whole(failed.length - SHOWN)} more`);
  }
  return [...lines, "", `Report: ${reportPath}`].join("\n");
}

const COLUMNS = [
  { title: "Rank", align: "right" },
  { title: "Trial", align: "left" },
  { title: "Reward", align: "right" },
  { title: "mIoU", align: "right" },
  { title: "Parameters", align: "right" },
  { title: "MACs", align: "right" },
  { title: "Time", align: "right" },
] as const;

/** The document of `--output json`: trials that succeeded, best first, and those that failed, in their order. */
export function resultDocument(search: SearchSummary, reportPath: string) {
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
  return {
    name: search.name,
    state: search.state,
    message: search.message,
    maxTrials: search.maxTrials,
    counts: counts(search.trials),
    best: trials[0] && { name: trials[0].name, reward: trials[0].reward, parameters: trials[0].parameters },
    trials,
    failures: failures(search.trials).map(({ name, index, cause, message, parameters, seconds }) => ({
      name,
      index,
      cause,
      message,
      parameters,
      seconds,
    })),
    report: reportPath,
  };
}
