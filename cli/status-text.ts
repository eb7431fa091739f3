// How one search stands, as text for people and as a document for programs. Pure.
import type { ReadView, ToldEvent } from "@segnas/operator/kube/view.ts";
import type { SearchView } from "@segnas/operator/local/run.ts";
import { resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { counted, duration, percent, real, whole } from "@segnas/operator/web/format.ts";
import { listed } from "@segnas/operator/web/page/list.ts";
import { standingOf } from "@segnas/operator/web/standing.ts";
import { outcomesInWords, type SearchSummary } from "@segnas/operator/web/summary.ts";
import { timeLeft, trialWords } from "./progress.ts";
import { bestLines, causeLines, resultDocument } from "./results.ts";
import { age, hours, secondsSince } from "./status-list.ts";

const SHOWN = 5;

export interface Status {
  view: ReadView;
  summary: SearchSummary;
  events: ToldEvent[];
  /** Whether something works on it. */
  isLive: boolean;
  now: Date;
}

/** What trials wait for: of each reason, which trials and since when. */
function waiting({ trials }: SearchSummary): { why: string; names: string[]; since: string | undefined }[] {
  const reasons = new Map<string, { names: string[]; since: string | undefined }>();
  for (const { name, waits } of trials) {
    if (!waits) continue;
    const known = reasons.get(waits.why) ?? { names: [], since: waits.since };
    known.names.push(name);
    reasons.set(waits.why, known);
  }
  return [...reasons].map(([why, rest]) => ({ why, ...rest }));
}

/** GPU seconds spent, those of the trials that train now among them. */
function spentSeconds({ search, trials }: SearchView, now: Date): number {
  const open = trials.flatMap(({ status }) => {
    const last = status?.attempts?.at(-1);
    return !status?.result && last && last.endTime === undefined ? (last.startTime ?? []) : [];
  });
  const running = open.reduce((sum, start) => sum + secondsSince(start, now), 0);
  return Number(search.status?.gpuSeconds ?? 0) + running;
}

/** Everything about one search. `report` is the command that writes its report. */
export function statusText(status: Status, { where, report }: { where: string; report: string }): string {
  const { view, summary, now } = status;
  const { state, reason, message } = standingOf(view.search, status.isLive);
  const rows = [...rowsOf(status)];
  const width = Math.max(...rows.map(([label]) => label.length));
  const isOver = view.search.status?.completionTime !== undefined;
  const waits = isOver ? [] : waiting(summary);
  const names = Math.max(0, ...view.running.map(({ trial }) => trial.length));
  return [
    `${summary.name} in ${where}: ${state}${reason && reason !== state ? ` (${reason})` : ""}`,
    ...(message ? [`  ${message}`] : []),
    "",
    ...rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`),
    ...bestLines(summary.trials, SHOWN),
    ...section(
      "Training:",
      view.running.map((it) => `${it.trial.padEnd(names)}  ${trialWords(it)}`),
    ),
    ...section(
      "Waiting:",
      waits.map(
        ({ names, since, why }) => `${shortList(names)} for ${duration(secondsSince(since, now))}: ${why}`,
      ),
    ),
    ...causeLines(summary.trials, SHOWN),
    ...section(
      "Last events:",
      worthReading(status)
        .slice(-SHOWN)
        .map((it) => eventLine(it, now)),
    ),
    ...(summary.trials.length > 0 ? ["", `More: ${report}`] : []),
  ].join("\n");
}

/** Events of the search itself, and of attempts at trials that go on: why others failed, or wait, stands above. */
function worthReading({ events, view, summary }: Status): ToldEvent[] {
  const open = new Set(summary.trials.flatMap(({ name, outcome }) => (isOpen(outcome) ? [name] : [])));
  return events.filter(
    ({ about, reason, note }) =>
      about === view.search.metadata.name || (open.has(about) && !note.includes(`${reason}: `)),
  );
}

const isOpen = (outcome: string): boolean => outcome === "Running" || outcome === "Pending";

const eventLine = ({ time, type, reason, about, note }: ToldEvent, now: Date): string =>
  `${age(time, now).padStart(4)} ago  ${type === "Normal" ? "" : `${type}: `}${about}: ${reason}: ${note}`;

const section = (title: string, lines: string[]): string[] =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];

const shortList = (names: string[]): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;

function rowsOf({ view, summary, isLive, now }: Status): [string, string][] {
  const { search } = view;
  const { spec, status, metadata } = search;
  const {
    trials,
    best,
    startTime,
    completionTime,
    imported = 0,
    policyUpdates = 0,
    policyEntropy,
  } = status ?? {};
  const ended = `${whole(listed(search).ended)} of ${whole(spec.maxTrials)} ended`;
  const open = `${whole(trials?.running ?? 0)} training, ${whole(trials?.pending ?? 0)} waiting`;
  const reused = trials?.reused ?? 0;
  const stopped = trials?.stopped ?? 0;
  const ofThese = [
    reused > 0 ? `${whole(reused)} got the result of the same network` : "",
    stopped > 0 ? `${whole(stopped)} stopped by the gate` : "",
  ].filter(Boolean);
  const isOver = completionTime !== undefined;
  const toGo = isLive ? timeLeft(summary, view) : undefined;
  const rows: [string, string | undefined][] = [
    ["Trials", `${ended}: ${outcomesInWords(trials ?? {})}${isOver || !isLive ? "" : `; ${open}`}`],
    ["  of these", ofThese.join(", ")],
    [
      "Taken over",
      imported > 0 ? `${counted(imported, "trial")} of ${spec.startingPoints?.search}` : undefined,
    ],
    [
      "Best",
      best
        ? `${real(Number(best.reward))} (${best.trial}${best.source ? ` of ${best.source}` : ""}): mIoU ${percent(Number(best.meanIoU))}, ${whole(best.parameters)} parameters`
        : "no reward yet",
    ],
    [
      "Policy",
      `${resolvePolicy(spec.policy).name}, ${counted(policyUpdates, "update")}${policyEntropy === undefined ? "" : `, entropy ${real(Number(policyEntropy))} nats a decision`}`,
    ],
    ["GPU time", gpuTime(spentSeconds(view, now), spec.budget?.gpuHours, isOver)],
    ["Time", timeOf(startTime, completionTime, isOver ? undefined : spec.budget?.activeDeadlineSeconds, now)],
    ["To go", toGo === undefined ? undefined : `about ${duration(toGo)}`],
    ["Ledger", view.problem],
    ["Created", `${age(metadata.creationTimestamp, now)} ago`],
  ];
  return rows.filter((row): row is [string, string] => Boolean(row[1]));
}

function gpuTime(seconds: number, budget: string | undefined, isOver: boolean): string {
  if (budget === undefined) return duration(seconds);
  const left = Math.max(0, 3600 * Number(budget) - seconds);
  return `${hours(seconds)} of ${budget} hours${isOver ? "" : `, ${hours(left)} left`}`;
}

/** The start moves on with the time that a search stands still. */
function timeOf(
  start: string | undefined,
  end: string | undefined,
  limit: number | undefined,
  now: Date,
): string | undefined {
  if (start === undefined) return undefined;
  const seconds = secondsSince(start, end === undefined ? now : new Date(end));
  if (limit === undefined) return duration(seconds);
  return `${duration(seconds)} of ${duration(limit)}, ${duration(Math.max(0, limit - seconds))} left`;
}

/** The document of `--output json` for one search. */
export function statusDocument(status: Status) {
  const { view, summary, events, isLive, now } = status;
  return {
    ...listed(view.search, isLive),
    spentSeconds: Math.round(spentSeconds(view, now)),
    budget: view.search.spec.budget,
    policy: {
      name: resolvePolicy(view.search.spec.policy).name,
      updates: view.search.status?.policyUpdates ?? 0,
      entropy: view.search.status?.policyEntropy,
    },
    running: view.running,
    waiting: waiting(summary),
    failures: resultDocument(summary).failures,
    events,
  };
}
