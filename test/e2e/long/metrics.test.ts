// Every query of every panel, and every alert, on a real Prometheus that scraped a real operator and real trainers.
import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { load, loadAll } from "js-yaml";
import { run } from "../../cluster/machine.ts";
import { noPrometheus } from "../../prometheus.ts";
import { CHART, type OperatorProcess, runHelm } from "../operator.ts";
import { type Prometheus, SCRAPE_SECONDS, type Series, startPrometheus } from "../prometheus.ts";
import { createSpace } from "../space.ts";

const SEARCH = "watched";

/** The quickstart's, small: the policy learns once while another trial trains, and there is a budget. */
function smallSearch() {
  const { spec, ...rest } = load(
    readFileSync(new URL("../../../examples/quickstart.yaml", import.meta.url), "utf8"),
  ) as ArchitectureSearch;
  const [container] = spec.trialTemplate!.spec!.containers;
  const resources = { ...container!.resources, requests: { cpu: "100m", memory: "600Mi" } };
  return {
    ...rest,
    metadata: { name: SEARCH },
    spec: {
      ...spec,
      maxTrials: 3,
      parallelism: 1,
      policyLag: 1,
      policy: { batchSize: 2, epochs: 1 },
      budget: { gpuHours: "10", activeDeadlineSeconds: 86_400 },
      // Long enough for Prometheus, which takes a few seconds to hear of a new pod.
      dataset: { ...spec.dataset, shapes: { ...spec.dataset.shapes, images: 96 } },
      trialTemplate: { spec: { containers: [{ ...container, resources }] } },
    },
  };
}

interface Dashboard {
  title: string;
  panels: { title: string; targets?: { refId: string; expr: string; instant?: boolean }[] }[];
  templating: { list: { name: string; type: string; query: string }[] };
}

const dashboards = globSync("dashboards/*.json", { cwd: CHART }).map(
  (file) => JSON.parse(readFileSync(join(CHART, file), "utf8")) as Dashboard,
);

/** A query as Grafana sends it, with everything chosen that there is. */
function filledIn(expr: string, variables: Record<string, string>): string {
  return expr.replace(/\$(\w+)/g, (_, name: string) => {
    if (variables[name] === undefined) throw new Error(`${expr}: nothing is known of $${name}`);
    return variables[name];
  });
}

interface Rules {
  groups: { rules: { alert: string; annotations: { runbook_url?: string } }[] }[];
}

const isNumber = ([, text]: [number, string]): boolean => Number.isFinite(Number(text));
const hasData = (series: Series[]): boolean =>
  series.some(({ value, values = [] }) => [...(value ? [value] : []), ...values].some(isNumber));

async function portOf(operator: OperatorProcess): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const line = operator.log.find((line) => line.includes('"listening"'));
    if (line) return (JSON.parse(line) as { port: number }).port;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it does not listen:\n${operator.log.join("\n")}`);
}

/** What an operator serves. */
const metricsOf = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

/** The series of searches that are counted. */
const countersOf = async (port: number): Promise<string> =>
  (await metricsOf(port))
    .split("\n")
    .filter((line) => /^segnas_search_\w+_(total|bucket|count|sum)\{/.test(line))
    .join("\n");

const skip = noPrometheus() ?? false;

test("every query of every panel returns data", { skip }, async (context) => {
  const space = await createSpace(context);
  const folder = mkdtempSync(join(tmpdir(), "segnas-prometheus-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const operator = await space.operator();
  const operatorPort = await portOf(operator);
  const { namespace } = space;
  const start = Date.now();
  const prometheus: Prometheus = await startPrometheus(context, { folder, operatorPort, namespace });
  await space.apply(smallSearch());
  await space.training(`${SEARCH}-1`);
  await new Promise((resolve) => setTimeout(resolve, 2000 * SCRAPE_SECONDS));
  const amid = Date.now() / 1000;
  await space.condition(SEARCH, "Complete", 900);
  // The last scrapes.
  await new Promise((resolve) => setTimeout(resolve, 5000 * SCRAPE_SECONDS));
  const seconds = (Date.now() - start) / 1000;

  const everything = { job: "segnas", namespace, search: SEARCH, __rate_interval: "20s" };
  const empty: string[] = [];
  let queries = 0;
  for (const { title: page, panels, templating } of dashboards) {
    for (const { type, query } of templating.list) {
      if (type !== "query") continue;
      const [, match, label] = /^label_values\((.*), (\w+)\)$/.exec(query)!;
      queries++;
      const values = await prometheus.labelValues(label!, filledIn(match!, everything));
      if (values.length === 0) empty.push(`${page}: ${query}`);
    }
    for (const { title, targets = [] } of panels)
      for (const { expr, instant } of targets) {
        queries++;
        const filled = filledIn(expr, everything);
        // What a search has only while it goes on is asked for as of then.
        const found = instant
          ? [...(await prometheus.query(filled)), ...(await prometheus.query(filled, amid))]
          : await prometheus.queryRange(filled, seconds, SCRAPE_SECONDS);
        if (!hasData(found)) empty.push(`${page} / ${title}: ${filled}`);
      }
  }
  assert.deepEqual(empty, []);
  context.diagnostic(`${queries} queries, after ${seconds.toFixed(0)} s of a search`);

  const rules = await prometheus.rules();
  assert.ok(rules.length > 0);
  assert.deepEqual(
    rules.filter(({ health }) => health !== "ok"),
    [],
  );
  const names = new Set(await prometheus.labelValues("__name__"));
  const watched = readFileSync(join(CHART, "alerts.yaml"), "utf8").matchAll(
    /\b(segnas_|workqueue_|controller_runtime_|leader_)\w+(?=\{|\)| )/g,
  );
  assert.deepEqual(
    [...new Set([...watched].map(([name]) => name))].filter((name) => !names.has(name)),
    [],
  );

  // Another operator counts the same.
  const counted = await countersOf(operatorPort);
  assert.match(counted, /segnas_search_trials_total\{.*outcome="Succeeded"\} 3/);
  const nextPort = await portOf(await space.operator());
  // While it stands by, it tells only of itself.
  const standby = await metricsOf(nextPort);
  assert.match(standby, /^leader_election_master_status\{.*\} 0$/m);
  assert.ok(!standby.includes(SEARCH));
  await operator.stop();
  await space.until(
    "the next operator to count the ledger",
    async () => (await countersOf(nextPort)) === counted,
  );
  // And tells nothing of what is gone.
  await space.kubectl("delete", "architecturesearch", SEARCH);
  await space.until("the search's series to go", async () => !(await metricsOf(nextPort)).includes(SEARCH));
});

test("the chart ships dashboards and rules", { skip }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "segnas-prometheus-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const values = ["dashboards.enabled=true", "alerts.enabled=true"];
  const parts = ["dashboards", "alerts"].flatMap((part) => ["--show-only", `templates/${part}.yaml`]);
  const objectsOf = async (...more: string[]) => {
    const set = [...values, ...more].join(",");
    return loadAll(await runHelm("default", "template", "segnas", CHART, "--set", set, ...parts)) as {
      kind: string;
      metadata: { labels: Record<string, string> };
      data?: Record<string, string>;
      spec?: Rules;
    }[];
  };
  const objects = await objectsOf();
  const { metadata, data } = objects.find(({ kind }) => kind === "ConfigMap")!;
  assert.equal(metadata.labels.grafana_dashboard, "1");
  const titles = Object.values(data!).map((text) => (JSON.parse(text) as Dashboard).title);
  assert.deepEqual(titles.toSorted(), dashboards.map(({ title }) => title).toSorted());
  const { spec } = objects.find(({ kind }) => kind === "PrometheusRule")!;
  const file = join(folder, "rules.json");
  writeFileSync(file, JSON.stringify(spec));
  run("promtool", ["check", "rules", file]);
  assert.deepEqual(spec, load(readFileSync(join(CHART, "alerts.yaml"), "utf8")));

  const runbooks = "https://example.org/runbooks.md";
  const linked = (await objectsOf(`alerts.runbooks=${runbooks}`)).find(
    ({ kind }) => kind === "PrometheusRule",
  )!;
  for (const { alert, annotations } of linked.spec!.groups.flatMap(({ rules }) => rules)) {
    assert.equal(annotations.runbook_url, `${runbooks}#${alert.toLowerCase()}`);
    delete annotations.runbook_url;
  }
  assert.deepEqual(linked.spec, spec);
});
