// What Prometheus is told of watches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { watchMetrics } from "@segnas/operator/metrics/watches.ts";
import { Registry } from "prom-client";

test("when each kind was last heard of, and how often it failed", async () => {
  const registry = new Registry();
  let time: Date | undefined;
  const metrics = watchMetrics(registry, () => [
    ["Job", new Date(5000)],
    ["Pod", time],
  ]);
  const scrape = async () =>
    (await registry.metrics()).split("\n").filter((line) => line && !line.startsWith("#"));
  assert.deepEqual(await scrape(), [
    'segnas_watch_last_heard_timestamp_seconds{kind="Job"} 5',
    'segnas_watch_failures_total{kind="Job"} 0',
    'segnas_watch_failures_total{kind="Pod"} 0',
  ]);
  time = new Date(7000);
  metrics.failed("Pod");
  assert.deepEqual(await scrape(), [
    'segnas_watch_last_heard_timestamp_seconds{kind="Job"} 5',
    'segnas_watch_last_heard_timestamp_seconds{kind="Pod"} 7',
    'segnas_watch_failures_total{kind="Job"} 0',
    'segnas_watch_failures_total{kind="Pod"} 1',
  ]);
});
