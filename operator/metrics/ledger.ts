// What Prometheus is told of a search's settled trials. All of it is counted over the ledger, which only grows and
// outlives trials: so counters never fall, and a restart, or another leader, gives the same values.
import { Counter, Histogram, type Registry } from "prom-client";
import { TrialReason } from "../api/conditions.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import { keyOf } from "../api/store.ts";
import { isImported, type LedgerEntry, type Outcome, STAGES } from "../ledger/entry.ts";

export interface LedgerMetrics {
  /** Counts the entries that were not counted before. */
  observe(search: ArchitectureSearch, entries: readonly LedgerEntry[]): void;
  /** How many entries of the search are counted; undefined where it was never observed. */
  observed(search: ArchitectureSearch): number | undefined;
  /** Lets go of the series of all other searches. */
  keep(searches: ArchitectureSearch[]): void;
}

const OUTCOMES: Outcome[] = ["Succeeded", "Failed", "Rejected", "Infrastructure", "Deleted"];
const { OutOfMemory, NonFiniteLoss, TimeLimit, InvalidConfiguration, Infrastructure } = TrialReason;
const CAUSES: string[] = [OutOfMemory, NonFiniteLoss, TimeLimit, InvalidConfiguration, Infrastructure];
/** A trainer of somebody else's may have its own words. */
const OTHER = "Other";

/** Rewards are ratios. */
const REWARD_BUCKETS = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
/** From 10 s to two days, each about twice the one before. */
const SECONDS_BUCKETS = [
  10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 172_800,
];

/** From 1 s to a day, each about three times the one before: there are as many series for each stage. */
const STAGE_BUCKETS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000];

/** @param collect awaited before the values are read */
export function ledgerMetrics(registry: Registry, collect: () => Promise<void>): LedgerMetrics {
  const own = { registers: [registry], collect };
  const labelNames = ["namespace", "search"] as const;
  const trials = new Counter({
    name: "segnas_search_trials_total",
    help: `Settled trials, by what came of them: ${OUTCOMES.join(", ")}.`,
    labelNames: [...labelNames, "outcome"],
    ...own,
  });
  const failures = new Counter({
    name: "segnas_search_trial_failures_total",
    help: `Those of the trials that failed (outcomes Failed and Infrastructure), by why: ${[...CAUSES, OTHER].join(", ")}.`,
    labelNames: [...labelNames, "cause"],
    ...own,
  });
  const reused = new Counter({
    name: "segnas_search_trials_reused_total",
    help: "Those of the trials that got the result of an earlier one with the same network.",
    labelNames,
    ...own,
  });
  const stopped = new Counter({
    name: "segnas_search_gate_stops_total",
    help: "Those of the succeeded trials that the gate stopped on the way.",
    labelNames,
    ...own,
  });
  const rewards = new Histogram({
    name: "segnas_search_reward",
    help: "Rewards of the trials that succeeded, those aside that got the result of another.",
    labelNames,
    buckets: REWARD_BUCKETS,
    ...own,
  });
  const times = new Histogram({
    name: "segnas_search_trial_gpu_seconds",
    help: "GPU time that a settled trial took, all its attempts together; of those that took any.",
    labelNames,
    buckets: SECONDS_BUCKETS,
    ...own,
  });
  const stageTimes = new Histogram({
    name: "segnas_search_trial_stage_seconds",
    help: "Time of each stage of the attempt with which a trial succeeded, by stage: Setup, WarmUp, Features, 0 (the decoder), 1 (everything), Validation; of trainers that tell it.",
    labelNames: [...labelNames, "stage"],
    buckets: STAGE_BUCKETS,
    ...own,
  });

  interface Series {
    labels: { namespace: string; search: string };
    entries: number;
  }
  /** By the search's UID. */
  const known = new Map<string, Series>();

  /** At 0 before anything is counted: Prometheus sees the first one come. */
  function begin(search: ArchitectureSearch): Series {
    const labels = { namespace: keyOf(search).namespace, search: search.metadata.name };
    for (const outcome of OUTCOMES) trials.inc({ ...labels, outcome }, 0);
    for (const cause of [...CAUSES, OTHER]) failures.inc({ ...labels, cause }, 0);
    for (const counter of [reused, stopped]) counter.inc(labels, 0);
    for (const histogram of [rewards, times]) histogram.zero(labels);
    for (const stage of STAGES) stageTimes.zero({ ...labels, stage });
    const series = { labels, entries: 0 };
    known.set(search.metadata.uid!, series);
    return series;
  }

  function forget({ labels }: Series): void {
    for (const outcome of OUTCOMES) trials.remove({ ...labels, outcome });
    for (const cause of [...CAUSES, OTHER]) failures.remove({ ...labels, cause });
    for (const metric of [reused, stopped, rewards, times]) metric.remove(labels);
    for (const stage of STAGES) stageTimes.remove({ ...labels, stage });
  }

  function count({ labels }: Series, entry: LedgerEntry): void {
    if (isImported(entry)) return;
    trials.inc({ ...labels, outcome: entry.outcome });
    if (entry.outcome === "Deleted") return;
    const { outcome, cause, duplicateOf, reward, gpuSeconds, stages = [] } = entry;
    if (outcome === "Failed" || outcome === "Infrastructure")
      failures.inc({ ...labels, cause: CAUSES.find((known) => known === cause) ?? OTHER });
    if (duplicateOf !== null) reused.inc(labels);
    if (entry.stopped) stopped.inc(labels);
    if (outcome === "Succeeded" && duplicateOf === null && Number.isFinite(reward))
      rewards.observe(labels, reward!);
    if (gpuSeconds > 0) times.observe(labels, gpuSeconds);
    // A hand may have written others into a status, which nothing would take away again.
    for (const { stage, seconds } of stages)
      if (STAGES.some((known) => known === stage)) stageTimes.observe({ ...labels, stage }, seconds);
  }

  return {
    observe(search, entries) {
      const series = known.get(search.metadata.uid!) ?? begin(search);
      for (const entry of entries.slice(series.entries)) count(series, entry);
      series.entries = Math.max(series.entries, entries.length);
    },
    observed: ({ metadata }) => known.get(metadata.uid!)?.entries,
    keep(searches) {
      const there = new Set(searches.map(({ metadata }) => metadata.uid));
      for (const [uid, series] of known)
        if (!there.has(uid)) {
          forget(series);
          known.delete(uid);
        }
    },
  };
}
