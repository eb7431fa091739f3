// The operator itself: does it lead, hear, keep up, and what does it need.
import { figure, labelVariable, lines, pageOf } from "./parts.ts";

/** Other processes have metrics of the same names: only those that say they are segnas. */
const OWN = `* on (job, instance) group_left () max by (job, instance) (segnas_build_info{job=~"$job"})`;
const CONTROLLER = `job=~"$job", controller=~"architecturesearch|candidatetrial"`;
const QUEUE = `job=~"$job", name=~"architecturesearch|candidatetrial"`;
const rate = (by: string, metric: string, matchers: string): string =>
  `sum by (${by}) (rate(${metric}{${matchers}}[$__rate_interval]))`;
const quantile = (q: number, by: string, metric: string, matchers: string): string =>
  `histogram_quantile(${q}, ${rate(`${by}, le`, `${metric}_bucket`, matchers)})`;

export const operator = pageOf({
  uid: "segnas-operator",
  title: "segnas / Operator",
  description: "The operator itself: does it lead, hear, keep up, and what does it need.",
  variables: [labelVariable("job", "segnas_build_info", "job", true)],
  rows: [
    {
      title: "Health",
      panels: [
        figure("Replicas", "By version.", {}, [
          `count by (version) (segnas_build_info{job=~"$job"})`,
          "{{version}}",
        ]),
        figure("Leaders", "Of each job exactly one.", {}, [
          `sum by (job) (leader_election_master_status{name="segnas-operator", job=~"$job"})`,
          "{{job}}",
        ]),
        figure("Waiting", "Objects to be reconciled.", {}, [
          `sum by (name) (workqueue_depth{${QUEUE}})`,
          "{{name}}",
        ]),
        lines(
          "Last heard",
          "Seconds since the API server was last heard of, by kind.",
          { width: 12, unit: "s", min: 0 },
          [`max by (kind) (time() - segnas_watch_last_heard_timestamp_seconds{job=~"$job"})`, "{{kind}}"],
        ),
      ],
    },
    {
      title: "Work",
      panels: [
        lines("Reconciliations a second", "By what came of them.", { min: 0, stacked: true }, [
          rate("controller, result", "controller_runtime_reconcile_total", CONTROLLER),
          "{{controller}} {{result}}",
        ]),
        lines(
          "Reconciliation time",
          "Median and the longest hundredth.",
          { unit: "s", min: 0 },
          [
            quantile(0.5, "controller", "controller_runtime_reconcile_time_seconds", CONTROLLER),
            "{{controller}} median",
          ],
          [
            quantile(0.99, "controller", "controller_runtime_reconcile_time_seconds", CONTROLLER),
            "{{controller}} 99%",
          ],
        ),
        lines("Time in the queue", "The longest hundredth.", { unit: "s", min: 0 }, [
          quantile(0.99, "name", "workqueue_queue_duration_seconds", QUEUE),
          "{{name}}",
        ]),
        lines(
          "Queue",
          "Objects that wait, and are worked on.",
          { min: 0 },
          [`sum by (name) (workqueue_depth{${QUEUE}})`, "{{name}} wait"],
          [
            `sum by (controller) (controller_runtime_active_workers{${CONTROLLER}})`,
            "{{controller}} worked on",
          ],
        ),
        lines(
          "Tried again",
          "Retries and errors a second.",
          { min: 0 },
          [rate("name", "workqueue_retries_total", QUEUE), "{{name}} retries"],
          [
            rate("controller", "controller_runtime_reconcile_errors_total", CONTROLLER),
            "{{controller}} errors",
          ],
        ),
        lines("Watches that failed", "In an hour, by kind.", { min: 0 }, [
          `sum by (kind) (increase(segnas_watch_failures_total{job=~"$job"}[1h]))`,
          "{{kind}}",
        ]),
        lines(
          "Requests to the API server",
          "A second, by method and answer.",
          { width: 24, min: 0, stacked: true },
          [
            `sum by (method, code) (rate(rest_client_requests_total{job=~"$job"}[$__rate_interval]) ${OWN})`,
            "{{method}} {{code}}",
          ],
        ),
      ],
    },
    {
      title: "Process",
      panels: [
        lines(
          "Memory",
          "Resident, and JavaScript's heap.",
          { unit: "bytes", min: 0 },
          [`process_resident_memory_bytes{job=~"$job"} ${OWN}`, "{{instance}} resident"],
          [`nodejs_heap_size_used_bytes{job=~"$job"} ${OWN}`, "{{instance}} heap"],
        ),
        lines(
          "Event loop",
          "How late it is: the mean and the longest hundredth.",
          { unit: "s", min: 0 },
          [`nodejs_eventloop_lag_mean_seconds{job=~"$job"} ${OWN}`, "{{instance}} mean"],
          [`nodejs_eventloop_lag_p99_seconds{job=~"$job"} ${OWN}`, "{{instance}} 99%"],
        ),
        lines("CPU", "Cores, the policy's thread too.", { min: 0 }, [
          `rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval]) ${OWN}`,
          "{{instance}}",
        ]),
      ],
    },
  ],
});
