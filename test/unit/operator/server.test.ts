// The operator's HTTP: health, readiness and metrics.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { controllerMetrics } from "@segnas/operator/metrics/controllers.ts";
import { serve } from "@segnas/operator/web/server.ts";
import { Gauge, Registry } from "prom-client";

test("health, readiness with its reason, and metrics are served", async (context) => {
  const registry = new Registry();
  const metrics = controllerMetrics(registry);
  let reason: string | undefined = "not every kind has been listed yet";
  const server = await serve({ port: 0, registry, notReady: () => reason });
  context.after(() => server.close());
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    return [response.status, (await response.text()).trim()];
  };
  assert.deepEqual(await get("/healthz"), [200, "ok"]);
  assert.deepEqual(await get("/readyz"), [503, "not every kind has been listed yet"]);
  reason = undefined;
  assert.deepEqual(await get("/readyz"), [200, "ok"]);
  for (const path of ["/", "//"])
    assert.deepEqual(await get(path), [404, "Here are /metrics, /healthz and /readyz."]);

  const queue = metrics.observeQueue("CandidateTrial", 16);
  queue.added();
  queue.started("a", 0.5);
  queue.ended("a", 0.25, "error");
  metrics.observeCall({ method: "GET", host: "api", code: 0, seconds: 1 });
  metrics.leads("lease", true);
  const [status, text] = await get("/metrics");
  assert.equal(status, 200);
  for (const line of [
    'controller_runtime_reconcile_total{controller="candidatetrial",result="error"} 1',
    'controller_runtime_reconcile_errors_total{controller="candidatetrial"} 1',
    'controller_runtime_active_workers{controller="candidatetrial"} 0',
    'controller_runtime_max_concurrent_reconciles{controller="candidatetrial"} 16',
    'workqueue_adds_total{name="candidatetrial"} 1',
    'workqueue_retries_total{name="candidatetrial"} 1',
    'workqueue_queue_duration_seconds_sum{name="candidatetrial"} 0.5',
    'rest_client_requests_total{method="GET",host="api",code="<error>"} 1',
    'leader_election_master_status{name="lease"} 1',
  ])
    assert.ok(text.includes(line), line);
  assert.match(text, /^process_resident_memory_bytes \d+$/m);
});

test("a metric that cannot be told is an answer of its own, and ends nothing", async (context) => {
  const registry = new Registry();
  const collect = () => {
    throw new Error("no ledger");
  };
  registry.registerMetric(new Gauge({ name: "broken", help: "Broken.", registers: [], collect }));
  const server = await serve({ port: 0, registry, notReady: () => undefined });
  context.after(() => server.close());
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
  assert.deepEqual([response.status, await response.text()], [500, "no ledger\n"]);
});
