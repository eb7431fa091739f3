// All searches: are they going, how good, how much left, what do they cost.
import { SearchCondition } from "../../api/conditions.ts";
import { figure, labelVariable, lines, pageOf, table } from "./parts.ts";

const SELECTED = `namespace=~"$namespace", search=~"$search"`;
/** One value a search, though an old leader's series may still be there beside the new one's. */
const each = (metric: string, matchers = SELECTED): string =>
  `max by (namespace, search) (${metric}{${matchers}})`;
const condition = (type: string): string => each("segnas_search_condition", `type="${type}", ${SELECTED}`);
/** What a search is while a condition is True; where several are, the last of them here counts. */
const STATES: [SearchCondition, string][] = [
  [SearchCondition.Progressing, "going on"],
  [SearchCondition.Stalled, "stalled"],
  [SearchCondition.Suspended, "suspended"],
  [SearchCondition.Complete, "complete"],
  [SearchCondition.Failed, "failed"],
];
/** The place of that condition, from 1; 0 where none is True: before its first look, and until what was suspended has stopped. */
const state = `max by (namespace, search) (${STATES.map(
  ([type], i) => `${i + 1} * segnas_search_condition{type="${type}", ${SELECTED}}`,
).join(" or ")})`;
const STATE_WORDS = ["not going on", ...STATES.map(([, word]) => word)];
/** Until spec.budget.activeDeadlineSeconds have passed, of what goes on. */
const timeLeft = `clamp_min(${each("segnas_search_deadline_timestamp_seconds")} - time(), 0)`;
const settled = (outcomes: string): string =>
  `sum by (namespace, search) (max by (namespace, search, outcome) (segnas_search_trials_total{outcome=~"${outcomes}", ${SELECTED}}))`;
const NAME = "{{namespace}}/{{search}}";

export const overview = pageOf({
  uid: "segnas-overview",
  title: "segnas / Searches",
  description: "All searches: are they going, how good, how much left, what do they cost.",
  variables: [
    labelVariable("namespace", "segnas_search_info", "namespace", true),
    labelVariable("search", `segnas_search_info{namespace=~"$namespace"}`, "search", true),
  ],
  rows: [
    {
      title: "Now",
      panels: [
        figure("Going on", "Searches whose condition Progressing is True.", {}, [
          `sum(${condition("Progressing")})`,
          "",
        ]),
        figure("Stalled", "Searches that a person has to help.", {}, [`sum(${condition("Stalled")})`, ""]),
        figure("Training", "Trials that train.", {}, [`sum(${each("segnas_search_trials_running")})`, ""]),
        figure("Waiting", "Trials that do not train yet.", {}, [
          `sum(max by (namespace, search, reason) (segnas_search_trials_pending{${SELECTED}}))`,
          "",
        ]),
        figure("Settled", "Trials that have ended, whatever came of them.", {}, [
          `sum(${settled(".*")})`,
          "",
        ]),
        figure("GPU time", "Of all attempts of the searches that are there.", { unit: "s" }, [
          `sum(${each("segnas_search_gpu_spent_seconds")})`,
          "",
        ]),
        table(
          "Searches",
          "A row for each; its name leads to its own dashboard.",
          { width: 24, height: 10 },
          ["namespace", "search"],
          [
            { title: "State", expr: state, words: STATE_WORDS },
            { title: "Best reward", expr: each("segnas_search_best_reward"), decimals: 4 },
            { title: "Its mean IoU", expr: each("segnas_search_best_mean_iou"), decimals: 4 },
            { title: "Its parameters", expr: each("segnas_search_best_parameters"), unit: "short" },
            { title: "Settled", expr: settled(".*") },
            { title: "Of at most", expr: each("segnas_search_max_trials") },
            { title: "Training", expr: each("segnas_search_trials_running") },
            { title: "Failed", expr: settled("Failed|Infrastructure") },
            { title: "GPU time", expr: each("segnas_search_gpu_spent_seconds"), unit: "s" },
            { title: "GPU time left", expr: each("segnas_search_gpu_budget_left_seconds"), unit: "s" },
            { title: "Time left", expr: timeLeft, unit: "s" },
          ],
          `/d/segnas-search?var-namespace=\${__data.fields.namespace}&var-search=\${__data.fields.search}`,
        ),
      ],
    },
    {
      title: "Over time",
      panels: [
        lines("Best reward", "Of each search.", { width: 12 }, [each("segnas_search_best_reward"), NAME]),
        lines(
          "Settled trials",
          "Share of spec.maxTrials.",
          { width: 12, unit: "percentunit", min: 0, max: 1 },
          [`${settled(".*")} / ${each("segnas_search_max_trials")}`, NAME],
        ),
        lines("Training", "Trials that train.", { min: 0, stacked: true }, [
          each("segnas_search_trials_running"),
          NAME,
        ]),
        lines("Waiting", "Trials that do not train yet, by why.", { min: 0, stacked: true }, [
          `sum by (reason) (max by (namespace, search, reason) (segnas_search_trials_pending{${SELECTED}}))`,
          "{{reason}}",
        ]),
        lines("Failures an hour", "Trials that failed, by why.", { min: 0 }, [
          `sum by (cause) (increase(segnas_search_trial_failures_total{${SELECTED}}[1h]))`,
          "{{cause}}",
        ]),
      ],
    },
  ],
});
