// What the operator measures of its own work, under the names that controller-runtime gives: dashboards and alerts
// for other operators fit.
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from "prom-client";
import type { Controller } from "../controllers/controllers.ts";
import type { QueueObserver } from "../controllers/queue.ts";
import type { ClientOptions } from "../kube/client.ts";
import packageFile from "../package.json" with { type: "json" };

export interface ControllerMetrics {
  observeQueue(controller: Controller, concurrency: number): QueueObserver;
  observeCall: NonNullable<ClientOptions["observe"]>;
  /** Whether this process leads. */
  leads(name: string, leader: boolean): void;
}

/** Seconds: those of controller-runtime. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

/** Registers the metrics, and those of the process. */
export function controllerMetrics(registry: Registry): ControllerMetrics {
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  new Gauge({
    name: "segnas_build_info",
    help: "1, with the operator's version in its label.",
    labelNames: ["version"],
    registers,
  }).set({ version: packageFile.version }, 1);
  const reconciles = new Counter({
    name: "controller_runtime_reconcile_total",
    help: "Total number of reconciliations per controller.",
    labelNames: ["controller", "result"],
    registers,
  });
  const errors = new Counter({
    name: "controller_runtime_reconcile_errors_total",
    help: "Total number of reconciliation errors per controller.",
    labelNames: ["controller"],
    registers,
  });
  const times = new Histogram({
    name: "controller_runtime_reconcile_time_seconds",
    help: "Length of time per reconciliation per controller.",
    labelNames: ["controller"],
    buckets: RECONCILE_BUCKETS,
    registers,
  });
  const most = new Gauge({
    name: "controller_runtime_max_concurrent_reconciles",
    help: "Maximum number of concurrent reconciles per controller.",
    labelNames: ["controller"],
    registers,
  });
  const active = new Gauge({
    name: "controller_runtime_active_workers",
    help: "Number of currently used workers per controller.",
    labelNames: ["controller"],
    registers,
  });
  const depth = new Gauge({
    name: "workqueue_depth",
    help: "Current depth of workqueue.",
    labelNames: ["name"],
    registers,
  });
  const adds = new Counter({
    name: "workqueue_adds_total",
    help: "Total number of adds handled by workqueue.",
    labelNames: ["name"],
    registers,
  });
  const retries = new Counter({
    name: "workqueue_retries_total",
    help: "Total number of retries handled by workqueue.",
    labelNames: ["name"],
    registers,
  });
  const waits = new Histogram({
    name: "workqueue_queue_duration_seconds",
    help: "How long in seconds an item stays in workqueue before being requested.",
    labelNames: ["name"],
    buckets: QUEUE_BUCKETS,
    registers,
  });
  const works = new Histogram({
    name: "workqueue_work_duration_seconds",
    help: "How long in seconds processing an item from workqueue takes.",
    labelNames: ["name"],
    buckets: QUEUE_BUCKETS,
    registers,
  });
  const calls = new Counter({
    name: "rest_client_requests_total",
    help: "Number of HTTP requests, partitioned by status code, method, and host.",
    labelNames: ["code", "method", "host"],
    registers,
  });
  const leader = new Gauge({
    name: "leader_election_master_status",
    help: "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
    labelNames: ["name"],
    registers,
  });

  return {
    observeQueue(kind, concurrency) {
      const controller = kind.toLowerCase();
      const name = controller;
      most.set({ controller }, concurrency);
      // At 0 before anything happens: Prometheus sees the first one come.
      for (const result of ["success", "requeue_after", "requeue", "error"])
        reconciles.inc({ controller, result }, 0);
      errors.inc({ controller }, 0);
      retries.inc({ name }, 0);
      return {
        added: () => adds.inc({ name }),
        depth: (keys) => depth.set({ name }, keys),
        started(_, waited) {
          waits.observe({ name }, waited);
          active.inc({ controller });
        },
        ended(_, took, result) {
          active.dec({ controller });
          works.observe({ name }, took);
          times.observe({ controller }, took);
          reconciles.inc({ controller, result: result === "conflict" ? "requeue" : result });
          if (result === "error") errors.inc({ controller });
          if (result === "error" || result === "conflict") retries.inc({ name });
        },
      };
    },
    observeCall: ({ method, host, code }) => calls.inc({ method, host, code: code === 0 ? "<error>" : code }),
    leads: (name, leads) => leader.set({ name }, leads ? 1 : 0),
  };
}
