// How a running search looks: a line for each event, or a frame that a terminal redraws. Pure.
import type { PendingReason } from "@segnas/operator/controllers/candidatetrial/pending-reason.ts";
import type { SearchView } from "@segnas/operator/local/run.ts";
import { duration, percent, real, whole } from "@segnas/operator/web/format.ts";
import { standingOf } from "@segnas/operator/web/standing.ts";
import { counts, failureInWords, ranked, type SearchSummary } from "@segnas/operator/web/summary.ts";
import type { TrialSummary } from "@segnas/operator/web/trial-summary.ts";

type RunningTrial = SearchView["running"][number];

/** What happened between two looks at a search, a line each; the first look has nothing before it. */
export function eventLines(before: SearchSummary | undefined, after: SearchSummary): string[] {
  const { settled } = counts(after.trials);
  const progress = `${whole(settled)} of ${whole(after.maxTrials)} trials`;
  if (before === undefined) {
    const running = after.trials.filter((trial) => trial.outcome === "Running");
    const goesOn = settled > 0 ? [`${after.name} goes on: ${progress} have ended`] : [];
    return [...goesOn, ...running.flatMap((trial) => eventLine(trial) ?? [])];
  }
  const earlier = new Map(before.trials.map((trial) => [trial.name, trial.outcome]));
  const changed = after.trials.filter((trial) => trial.outcome !== earlier.get(trial.name));
  const lines = changed.flatMap((trial) => eventLine(trial) ?? []);
  const attempts = new Map(before.trials.map((trial) => [trial.name, trial.failedAttempt?.number]));
  for (const { name, failedAttempt } of after.trials)
    if (failedAttempt && failedAttempt.number !== attempts.get(name))
      lines.push(`${name} is tried again: ${failedAttempt.message}`);
  const stuck = new Set(before.trials.filter(isStuck).map(({ name }) => name));
  for (const trial of after.trials)
    if (isStuck(trial) && !stuck.has(trial.name)) lines.push(`${trial.name} waits: ${trial.waits!.why}`);
  const best = ranked(after.trials)[0];
  if (best && best.name !== ranked(before.trials)[0]?.name)
    lines.push(`best so far: ${best.name}, reward ${real(best.reward)} (${progress})`);
  for (const { update, entropy } of after.policy.slice(before.policy.length))
    lines.push(`policy update ${update}: entropy ${real(entropy)}`);
  return lines;
}

/** What a trial waits for in the ordinary course, or is told of in another line. */
const ORDINARY: string[] = ["Starting", "Duplicate", "Retry", "Suspended"] satisfies PendingReason[];

/** Whether something stands in a trial's way. */
const isStuck = ({ waits }: TrialSummary): boolean => waits !== undefined && !ORDINARY.includes(waits.reason);

function eventLine(trial: TrialSummary): string | undefined {
  const size = trial.parameters === undefined ? "" : `${whole(trial.parameters)} parameters`;
  const time = trial.seconds === undefined ? "" : `, ${duration(trial.seconds)}`;
  const stopped = trial.stopped ? ", stopped by the gate" : "";
  if (trial.duplicateOf)
    return `${trial.name} is the same network as ${trial.duplicateOf}, and gets its result`;
  switch (trial.outcome) {
    case "Running":
      return `${trial.name} started: ${size}`;
    case "Succeeded":
      return `${trial.name} done: reward ${real(trial.reward ?? 0)}${
        trial.metrics ? `, mIoU ${percent(trial.metrics.meanIoU)}` : ""
      }, ${size}${time}${stopped}`;
    case "Rejected":
      return `${trial.name}: ${failureInWords(trial)}`;
    case "Failed":
    case "Deleted":
      return `${trial.name} failed: ${failureInWords(trial)}`;
    case "Pending":
      return undefined;
  }
}

/** Seconds that the rest of a search will take as it stands; absent where it does not go on, or nothing has ended. */
export const timeLeft = (
  summary: SearchSummary,
  { search, gpus = Infinity }: Pick<SearchView, "search" | "gpus">,
): number | undefined =>
  standingOf(search).state === "Searching"
    ? secondsLeft(summary, Math.min(search.spec.parallelism, gpus))
    : undefined;

/** Seconds that the rest of the search will take, from the mean of the trials so far; absent before the first. */
export function secondsLeft(search: SearchSummary, atATime: number): number | undefined {
  const times = search.trials.flatMap((trial) =>
    trial.outcome === "Succeeded" ? (trial.seconds ?? []) : [],
  );
  if (times.length === 0) return undefined;
  const mean = times.reduce((sum, seconds) => sum + seconds, 0) / times.length;
  return (Math.max(0, search.maxTrials - counts(search.trials).settled) * mean) / atATime;
}

export type Paint = (style: "bold" | "dim" | "green", text: string) => string;

/** Where a frame goes, and how long the search still takes, in seconds, where that can be told. */
interface Look {
  width: number;
  height: number;
  left: number | undefined;
  paint: Paint;
}

/**
 * The frame: a bar for the search, then a line for each running trial; no line wider than `width`, and no more lines
 * than `height`: a terminal's cursor goes back no further than to what can be seen.
 */
export function frame(
  search: SearchSummary,
  running: RunningTrial[],
  { width, height, left, paint }: Look,
): string[] {
  const { settled } = counts(search.trials);
  const best = ranked(search.trials)[0];
  const words = [
    `${whole(settled)}/${whole(search.maxTrials)} trials`,
    best ? `best ${real(best.reward)} (${best.name})` : "no reward yet",
    left === undefined ? "" : `about ${duration(left)} left`,
  ].filter(Boolean);
  const barWidth = Math.max(0, Math.min(30, width - words.join("  ").length - 3));
  // More than maxTrials have ended where that was lowered.
  const filled = Math.round(barWidth * Math.min(1, settled / search.maxTrials));
  const bar = paint("green", "█".repeat(filled)) + paint("dim", "░".repeat(barWidth - filled));
  const columns = width - (barWidth > 0 ? barWidth + 2 : 0);
  const head = (barWidth > 0 ? `${bar}  ` : "") + paint("bold", cut(words.join("  "), columns));
  const names = Math.max(0, ...running.map(({ trial }) => trial.length));
  const rewards = sparkline(rewardsOf(search), width - REWARDS.length);
  const above = [head, ...(rewards ? [paint("dim", REWARDS) + rewards] : [])];
  const below = running.map((it) => cut(`  ${it.trial.padEnd(names)}  ${trialWords(it)}`, width));
  const lines = Math.max(0, height - above.length);
  if (below.length <= lines) return [...above, ...below];
  const shown = below.slice(0, Math.max(0, lines - 1));
  return [...above, ...shown, cut(`  and ${whole(below.length - shown.length)} more`, width)];
}

const REWARDS = "  rewards  ";

/** Of the trials that have one, in their order. */
const rewardsOf = ({ trials }: SearchSummary): number[] => trials.flatMap(({ reward }) => reward ?? []);

const LEVELS = "▁▂▃▄▅▆▇█";

/** The last values that there is room for, a letter each, from the least to the greatest; nothing for fewer than two. */
export function sparkline(values: number[], width: number): string {
  const shown = values.slice(-Math.max(0, width));
  if (shown.length < 2 || width < 2) return "";
  const least = Math.min(...shown);
  const range = Math.max(...shown) - least || 1;
  return shown.map((value) => LEVELS[Math.round(((value - least) / range) * (LEVELS.length - 1))]).join("");
}

export function trialWords({ stage, progress = {} }: RunningTrial): string {
  const at = progress.stage ?? stage;
  const of = (name: string, now: number | undefined, all: number | undefined) =>
    now === undefined || all === 0 ? "" : `${name} ${now}${all === undefined ? "" : `/${all}`}`;
  return [
    at === undefined ? "running" : typeof at === "number" ? `stage ${at}` : at.toLowerCase(),
    of("epoch", progress.epoch, progress.epochs),
    of("step", progress.step, progress.steps),
    typeof progress.loss === "number" ? `loss ${real(progress.loss)}` : "",
    typeof progress.meanIoU === "number" ? `mIoU ${percent(progress.meanIoU)}` : "",
  ]
    .filter(Boolean)
    .join("  ");
}

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
