// What Prometheus is told of a search, as far as its spec, its status and its open trials say it: a table, from
// which the series are made anew at each scrape. So they are right after a restart, and vanish with the search.
import { SearchCondition } from "../api/conditions.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import { PendingReason, pendingReason } from "../controllers/candidatetrial/pending-reason.ts";
import { isTraining, isTrue, trainingSince } from "../controllers/status.ts";
import { resolvePolicy } from "../policy/settings.ts";

export interface SearchView {
  search: ArchitectureSearch;
  /** Those without a result. */
  open: CandidateTrial[];
  /** Of the policy, after its last update. */
  baseline: number | undefined;
  now: Date;
}

type Sample = [value: number, labels?: Record<string, string>];

export interface Definition {
  name: string;
  help: string;
  /** A gauge where left out. */
  type?: "counter";
  /** Beside namespace and search. */
  labels?: string[];
  samples: (view: SearchView) => Sample[];
}

/** A sample of what may not be there; decimal strings and times are what the API has. */
const sample = (value: number | string | undefined): Sample[] =>
  value === undefined ? [] : [[Number(value)]];
const seconds = (time: string | undefined): Sample[] =>
  time === undefined ? [] : [[Date.parse(time) / 1000]];

/** Up to this moment, by attempts that still go on too. */
function spentSeconds({ search, open, now }: SearchView): number {
  const starts = open.flatMap((trial) => trainingSince(trial) ?? []);
  const since = starts.reduce((sum, start) => sum + Math.max(0, now.getTime() - Date.parse(start)) / 1000, 0);
  return Number(search.status?.gpuSeconds ?? 0) + since;
}

/** Of settings that cannot be, which stall the search, as it is written. */
function policyName({ policy }: ArchitectureSearch["spec"]): string {
  try {
    return resolvePolicy(policy).name;
  } catch {
    return policy.name ?? "";
  }
}

function budgetSeconds({ search }: SearchView): number | undefined {
  const hours = search.spec.budget?.gpuHours;
  return hours === undefined ? undefined : 3600 * Number(hours);
}

function pendingSamples({ open }: SearchView): Sample[] {
  const reasons = open.filter((trial) => !isTraining(trial)).map(pendingReason);
  return Object.values(PendingReason).map((reason) => [
    reasons.filter((other) => other === reason).length,
    { reason },
  ]);
}

export const STATUS_METRICS: Definition[] = [
  {
    name: "segnas_search_info",
    help: "1, with what the search asks in its labels.",
    labels: ["policy", "metric", "dataset"],
    samples: ({ search: { spec } }) => [
      [
        1,
        {
          policy: policyName(spec),
          metric: spec.objective.metric,
          dataset: spec.dataset.format,
        },
      ],
    ],
  },
  {
    name: "segnas_search_condition",
    help: "1 where the search's condition of this type is True, else 0.",
    labels: ["type"],
    samples: ({ search }) =>
      Object.values(SearchCondition).map((type) => [
        isTrue(search.status?.conditions, type) ? 1 : 0,
        { type },
      ]),
  },
  {
    name: "segnas_search_start_timestamp_seconds",
    help: "When the first trial was made, later by what the search has stood still since.",
    samples: ({ search }) => seconds(search.status?.startTime),
  },
  {
    name: "segnas_search_completion_timestamp_seconds",
    help: "When the search ended. Absent before.",
    samples: ({ search }) => seconds(search.status?.completionTime),
  },
  {
    name: "segnas_search_max_trials",
    help: "spec.maxTrials.",
    samples: ({ search }) => [[search.spec.maxTrials]],
  },
  {
    name: "segnas_search_parallelism",
    help: "spec.parallelism: trials that may train at a time.",
    samples: ({ search }) => [[search.spec.parallelism]],
  },
  {
    name: "segnas_search_trials_running",
    help: "Trials that train.",
    samples: ({ open }) => [[open.filter(isTraining).length]],
  },
  {
    name: "segnas_search_trials_pending",
    help: `Trials that do not train yet, by why: ${Object.values(PendingReason).join(", ")}.`,
    labels: ["reason"],
    samples: pendingSamples,
  },
  {
    name: "segnas_search_best_reward",
    help: "The best reward so far, those of trials taken over from another search too. Absent before the first success.",
    samples: ({ search }) => sample(search.status?.best?.reward),
  },
  {
    name: "segnas_search_best_mean_iou",
    help: "Mean intersection over union of the trial with the best reward, a ratio.",
    samples: ({ search }) => sample(search.status?.best?.meanIoU),
  },
  {
    name: "segnas_search_best_parameters",
    help: "Parameters of the network with the best reward.",
    samples: ({ search }) => sample(search.status?.best?.parameters),
  },
  {
    name: "segnas_search_policy_updates_total",
    type: "counter",
    help: "How often the policy has learned.",
    samples: ({ search }) => [[search.status?.policyUpdates ?? 0]],
  },
  {
    name: "segnas_search_policy_entropy_nats",
    help: "The policy's mean entropy for each decision; it falls as the policy makes up its mind. Absent before its first update.",
    samples: ({ search }) => sample(search.status?.policyEntropy),
  },
  {
    name: "segnas_search_policy_baseline_reward",
    help: "The mean reward that the policy takes its advantages from, after its last update. Only while the search goes on.",
    samples: ({ baseline }) => sample(baseline),
  },
  {
    name: "segnas_search_gpu_spent_seconds",
    help: "GPU time (CPU time of a trial where there is no GPU) of all attempts up to now. A gauge: an attempt whose machine is lost is not charged in the end.",
    samples: (view) => [[spentSeconds(view)]],
  },
  {
    name: "segnas_search_gpu_budget_seconds",
    help: "spec.budget.gpuHours in seconds. Absent without.",
    samples: (view) => sample(budgetSeconds(view)),
  },
  {
    name: "segnas_search_gpu_budget_left_seconds",
    help: "What is left of spec.budget.gpuHours. Absent without.",
    samples(view) {
      const budget = budgetSeconds(view);
      return budget === undefined ? [] : [[Math.max(0, budget - spentSeconds(view))]];
    },
  },
  {
    name: "segnas_search_deadline_timestamp_seconds",
    help: "When spec.budget.activeDeadlineSeconds will have passed. Absent without, and unless the search goes on.",
    samples({ search: { spec, status } }) {
      const { activeDeadlineSeconds } = spec.budget ?? {};
      if (!activeDeadlineSeconds || !isTrue(status?.conditions, SearchCondition.Progressing)) return [];
      return seconds(status?.startTime).map(([start]) => [start + activeDeadlineSeconds]);
    },
  },
];
