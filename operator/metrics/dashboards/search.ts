// One search: what it has found, what its policy has learned, how its trials go and what they cost.
import { SearchCondition } from "../../api/conditions.ts";
import { figure, labelVariable, lines, pageOf, type Query, spread } from "./parts.ts";

const SELECTED = `namespace="$namespace", search="$search"`;
const one = (metric: string): string => `max(${metric}{${SELECTED}})`;
const by = (label: string, metric: string): string => `max by (${label}) (${metric}{${SELECTED}})`;
const rate = (metric: string, labels: string): string =>
  `sum by (${labels}) (rate(${metric}{${SELECTED}}[$__rate_interval]))`;

/** Of the trials that settled in the last six hours. */
const quantile = (q: number, metric: string): string =>
  `histogram_quantile(${q}, sum by (le) (increase(${metric}_bucket{${SELECTED}}[6h])))`;

/** Of what was observed in the last six hours, for each value of a label. */
const mean = (metric: string, label: string): string => {
  const increase = (part: string) => `sum by (${label}) (increase(${metric}_${part}{${SELECTED}}[6h]))`;
  return `${increase("sum")} / ${increase("count")}`;
};

/** The number of each condition that is True; 0 is none. */
const STATE: Query[] = Object.values(SearchCondition).map((type) => [
  `max(segnas_search_condition{type="${type}", ${SELECTED}})`,
  type,
]);

export const search = pageOf({
  uid: "segnas-search",
  title: "segnas / One search",
  description: "What a search has found, what its policy has learned, how its trials go and what they cost.",
  variables: [
    labelVariable("namespace", "segnas_search_info", "namespace", false),
    labelVariable("search", `segnas_search_info{namespace="$namespace"}`, "search", false),
  ],
  rows: [
    {
      title: "Now",
      panels: [
        figure("Conditions", "Whether each is True.", { width: 12, truth: true }, ...STATE),
        figure(
          "Settled trials",
          "And spec.maxTrials.",
          { width: 6 },
          [`sum(${by("outcome", "segnas_search_trials_total")})`, "settled"],
          [one("segnas_search_max_trials"), "at most"],
        ),
        figure(
          "GPU time",
          "Spent, and left where spec.budget.gpuHours is set.",
          { width: 6, unit: "s" },
          [one("segnas_search_gpu_spent_seconds"), "spent"],
          [one("segnas_search_gpu_budget_left_seconds"), "left"],
        ),
        figure("Best reward", "So far.", { width: 5, decimals: 4 }, [one("segnas_search_best_reward"), ""]),
        figure("Its mean IoU", "On the held-out part.", { width: 5, decimals: 4 }, [
          one("segnas_search_best_mean_iou"),
          "",
        ]),
        figure("Its parameters", "Of the search's form of the network.", { width: 5, unit: "short" }, [
          one("segnas_search_best_parameters"),
          "",
        ]),
        figure(
          "Training",
          "Trials that train, of spec.parallelism.",
          { width: 5 },
          [one("segnas_search_trials_running"), "train"],
          [one("segnas_search_parallelism"), "at most"],
        ),
        figure(
          "Time left",
          "Until spec.budget.activeDeadlineSeconds have passed, where that is set.",
          { unit: "s" },
          [`clamp_min(${one("segnas_search_deadline_timestamp_seconds")} - time(), 0)`, ""],
        ),
      ],
    },
    {
      title: "What it finds",
      panels: [
        lines(
          "Rewards",
          "The best so far; the median and the best tenth of the last six hours; the policy's baseline.",
          { width: 12 },
          [one("segnas_search_best_reward"), "best"],
          [quantile(0.9, "segnas_search_reward"), "best tenth"],
          [quantile(0.5, "segnas_search_reward"), "median"],
          [one("segnas_search_policy_baseline_reward"), "baseline"],
        ),
        spread(
          "Rewards, spread",
          "Rewards of the trials that settled in each hour.",
          { width: 12 },
          `sum by (le) (increase(segnas_search_reward_bucket{${SELECTED}}[1h]))`,
        ),
        lines(
          "Policy's entropy",
          "Mean over the decisions, in nats: it falls as the policy makes up its mind.",
          { min: 0 },
          [one("segnas_search_policy_entropy_nats"), "entropy"],
        ),
        lines("Policy's updates", "How often it has learned.", { min: 0 }, [
          one("segnas_search_policy_updates_total"),
          "updates",
        ]),
        lines(
          "Spared",
          "Trials that the gate stopped, and that got the result of an earlier one with the same network.",
          { min: 0 },
          [one("segnas_search_gate_stops_total"), "stopped by the gate"],
          [one("segnas_search_trials_reused_total"), "reused"],
        ),
      ],
    },
    {
      title: "How its trials go",
      panels: [
        lines("Settled", "By what came of them.", { min: 0, stacked: true }, [
          by("outcome", "segnas_search_trials_total"),
          "{{outcome}}",
        ]),
        lines("Failed", "By why.", { min: 0, stacked: true }, [
          by("cause", "segnas_search_trial_failures_total"),
          "{{cause}}",
        ]),
        lines("Waiting", "By why.", { min: 0, stacked: true }, [
          by("reason", "segnas_search_trials_pending"),
          "{{reason}}",
        ]),
        lines(
          "GPU time a trial",
          "All attempts of a trial together, of those that settled in the last six hours.",
          { width: 6, unit: "s", min: 0 },
          [quantile(0.9, "segnas_search_trial_gpu_seconds"), "longest tenth"],
          [quantile(0.5, "segnas_search_trial_gpu_seconds"), "median"],
        ),
        lines(
          "Time of a stage",
          "Mean of the trials that succeeded in the last six hours, by stage.",
          { width: 6, unit: "s", min: 0 },
          [mean("segnas_search_trial_stage_seconds", "stage"), "{{stage}}"],
        ),
        lines("GPU time", "Spent by all attempts.", { width: 6, unit: "s", min: 0 }, [
          one("segnas_search_gpu_spent_seconds"),
          "spent",
        ]),
        lines(
          "Training",
          "Trials that train, and spec.parallelism.",
          { width: 6, min: 0 },
          [one("segnas_search_trials_running"), "train"],
          [one("segnas_search_parallelism"), "at most"],
        ),
      ],
    },
    {
      title: "Its trainers (the chart's trainerMonitor)",
      panels: [
        lines("Images a second", "By trial.", { min: 0 }, [
          rate("segnas_trainer_images_total", "trial"),
          "{{trial}}",
        ]),
        lines("Step time", "By trial.", { unit: "s", min: 0 }, [
          `${rate("segnas_trainer_step_seconds_total", "trial")} / ${rate("segnas_trainer_steps_total", "trial")}`,
          "{{trial}}",
        ]),
        lines("Loss", "Of the last step, by trial.", {}, [by("trial", "segnas_trainer_loss"), "{{trial}}"]),
        lines(
          "Time by stage",
          "What share of the trainers' time each stage takes.",
          { unit: "percentunit", min: 0 },
          [
            `${rate("segnas_trainer_stage_seconds_total", "stage")} / scalar(sum(rate(segnas_trainer_stage_seconds_total{${SELECTED}}[$__rate_interval])))`,
            "{{stage}}",
          ],
        ),
        lines("Mean IoU", "Of the last validation, by trial.", { min: 0 }, [
          by("trial", "segnas_trainer_mean_iou"),
          "{{trial}}",
        ]),
        lines("Epoch", "Within the stage, by trial.", { min: 0 }, [
          by("trial", "segnas_trainer_epoch"),
          "{{trial}}",
        ]),
      ],
    },
  ],
});
