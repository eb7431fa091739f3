// Trials by columns, as the browser's table and charts want them: ten thousand in a few hundred kilobytes. What has
// settled never changes, so each entry of the ledger is looked at once.
import { OPERATIONS } from "@segnas/searchspace/architecture.ts";
import { DECISIONS, toDecisions } from "@segnas/searchspace/decisions.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import { PendingReason } from "../../controllers/candidatetrial/pending-reason.ts";
import { isImported, type LedgerEntry, type SettledEntry } from "../../ledger/entry.ts";
import { byRank } from "../../ledger/fold.ts";
import { failureInWords } from "../summary.ts";
import { summariseEntry, summariseTrial, type TrialSummary } from "../trial-summary.ts";
import type { OutcomeName, TrialColumns, TrialsDocument } from "./documents.ts";
import type { PageView } from "./source.ts";

const OUTCOMES: OutcomeName[] = ["Succeeded", "Failed", "Rejected", "Deleted", "Running", "Pending"];

const COLUMNS = [
  "index",
  "outcome",
  "reward",
  "meanIoU",
  "meanAccuracy",
  "parameters",
  "macs",
  "seconds",
  "operations",
] as const;

/** The decisions that choose operations. */
const CHOICES = DECISIONS.flatMap(({ name }, i) => (name.includes(".operations[") ? [i] : []));

/** What a search's ledger says of its own trials, as far as it has been looked at. */
export interface TrialTable {
  rows: TrialColumns;
  /** Entries that were looked at, those taken over from another search among them. */
  entries: number;
  imported: number;
  indices: Set<number>;
  /** The best, best first. */
  top: Top[];
}

export const emptyTable = (): TrialTable => ({
  rows: noRows(),
  entries: 0,
  imported: 0,
  indices: new Set(),
  top: [],
});

/** Entries that are looked at in one go: a few milliseconds. */
export const AT_A_TIME = 500;
const TOP = 6;
type Top = SettledEntry & { reward: number };
/** Whether a trial may be among the best: of those with the same network the first, and none of another search. */
export const isRanked = (entry: LedgerEntry): entry is Top =>
  entry.outcome === "Succeeded" && entry.reward !== null && entry.duplicateOf === null && !isImported(entry);

const noRows = (): TrialColumns => ({
  ...(Object.fromEntries(COLUMNS.map((column) => [column, []])) as unknown as Omit<TrialColumns, "words">),
  words: {},
});

/** Takes over the entries that are new, at most so many; true where that were all. */
export function extendTable(table: TrialTable, entries: readonly LedgerEntry[], atMost = Infinity): boolean {
  const end = Math.min(entries.length, table.entries + atMost);
  for (const entry of entries.slice(table.entries, end)) {
    table.entries++;
    if (isImported(entry)) {
      table.imported++;
      continue;
    }
    table.indices.add(entry.index);
    addRow(table.rows, summariseEntry(entry), entry.outcome === "Deleted" ? undefined : entry.decisions);
    if (isRanked(entry)) table.top = [...table.top, entry].sort(byRank).slice(0, TOP);
  }
  return end === entries.length;
}

/** Those of a search's trials that its ledger does not have, in their order. */
export const openTrials = ({ indices }: TrialTable, trials: readonly CandidateTrial[]): CandidateTrial[] =>
  trials.filter(({ spec }) => !indices.has(spec.index)).sort((a, b) => a.spec.index - b.spec.index);

/** A trial that has not settled. Where nothing works on its search it does not train, whatever its object says. */
export function summariseOpen(trial: CandidateTrial, isLive: boolean): TrialSummary {
  const summary = summariseTrial(trial);
  if (isLive || summary.outcome !== "Running") return summary;
  return {
    ...summary,
    outcome: "Pending",
    waits: { reason: PendingReason.Suspended, why: "for the search to go on" },
  };
}

/**
 * The trials that have settled from row `from` on, all that have not, and the policy's updates.
 * @param from 0 for all; beyond the end there are none
 */
export function trialsDocument(
  { search, trials, policy, isLive }: Pick<PageView, "search" | "trials" | "policy" | "isLive">,
  table: TrialTable,
  from: number,
): TrialsDocument {
  const { uid, name } = search.metadata;
  const { rows } = table;
  const open = noRows();
  for (const trial of openTrials(table, trials))
    addRow(open, summariseOpen(trial, isLive), toDecisions(trial.spec.architecture));
  const settled = rows.index.length;
  const start = Math.min(from, settled);
  return {
    uid: uid!,
    search: name,
    outcomes: OUTCOMES,
    operations: [...OPERATIONS],
    from: start,
    settled,
    rows: start === 0 ? rows : rowsFrom(rows, start),
    open,
    updates: {
      update: policy.map(({ update }) => update),
      entropy: policy.map(({ entropy }) => short(entropy / DECISIONS.length)),
      baseline: policy.map(({ baseline }) => short(baseline)),
      entry: policy.map(({ entry }) => entry),
    },
  };
}

function rowsFrom(rows: TrialColumns, start: number): TrialColumns {
  const words = Object.entries(rows.words).flatMap(([row, text]) =>
    Number(row) >= start ? [[Number(row) - start, text]] : [],
  );
  const columns = COLUMNS.map((column) => [column, rows[column].slice(start)]);
  return { ...Object.fromEntries(columns), words: Object.fromEntries(words) };
}

function addRow(rows: TrialColumns, trial: TrialSummary, decisions: readonly number[] | undefined): void {
  const { metrics } = trial;
  rows.index.push(trial.index);
  rows.outcome.push(OUTCOMES.indexOf(trial.outcome));
  rows.reward.push(shortOr(trial.reward));
  rows.meanIoU.push(shortOr(metrics?.meanIoU));
  rows.meanAccuracy.push(shortOr(metrics?.meanAccuracy));
  rows.parameters.push(trial.parameters ?? null);
  rows.macs.push(trial.macs ?? null);
  rows.seconds.push(trial.seconds === undefined ? null : Math.round(trial.seconds * 10) / 10);
  rows.operations.push(decisions ? operationsOf(decisions) : null);
  const words = inWords(trial);
  if (words) rows.words[rows.index.length - 1] = words;
}

const operationsOf = (decisions: readonly number[]): number =>
  CHOICES.reduce((code, i) => code * OPERATIONS.length + decisions[i]!, 0);

/** What a row says that its numbers do not. */
export function inWords(trial: TrialSummary): string {
  if (trial.waits) return trial.waits.why.replace(/^for /, "waits for ");
  if (trial.outcome === "Running" && trial.failedAttempt)
    return `tried again: ${trial.failedAttempt.message}`;
  if (trial.duplicateOf) return `the same network as ${trial.duplicateOf}`;
  if (trial.stopped) return "stopped by the gate";
  return trial.cause || trial.outcome === "Deleted" ? failureInWords(trial) : "";
}

/** Six digits are more than anybody reads. */
const short = (value: number): number => Number(value.toPrecision(6));
const shortOr = (value: number | undefined): number | null => (value === undefined ? null : short(value));
