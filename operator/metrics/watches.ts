// Whether the operator still hears of what happens in the cluster.
import { Counter, Gauge, type Registry } from "prom-client";
import type { Kind } from "../api/store.ts";

export interface WatchMetrics {
  /** A watch broke, or a list failed. */
  failed(kind: Kind): void;
}

/** @param heard when the API server was last heard of, for each kind that is watched */
export function watchMetrics(
  registry: Registry,
  heard: () => [kind: Kind, time: Date | undefined][],
): WatchMetrics {
  const registers = [registry];
  new Gauge({
    name: "segnas_watch_last_heard_timestamp_seconds",
    help: "When the API server was last heard of, by kind of object; a healthy watch is heard of once a minute. Absent before the first time.",
    labelNames: ["kind"],
    registers,
    collect() {
      for (const [kind, time] of heard()) if (time) this.set({ kind }, time.getTime() / 1000);
    },
  });
  const failures = new Counter({
    name: "segnas_watch_failures_total",
    help: "Lists and watches that failed, by kind of object; they heal by themselves.",
    labelNames: ["kind"],
    registers,
    collect() {
      for (const [kind] of heard()) this.inc({ kind }, 0);
    },
  });
  return { failed: (kind) => failures.inc({ kind }) };
}
