// Writes docs/metrics.md from the metrics themselves, and the chart's dashboards from their code:
// node operator/metrics/generate.ts [--check]
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { serveProgress } from "../../trainer/server.ts";
import { Session } from "../../trainer/training/session.ts";
import { put } from "../api/put.ts";
import { controllerMetrics } from "./controllers.ts";
import { operator } from "./dashboards/operator.ts";
import { overview } from "./dashboards/overview.ts";
import { search } from "./dashboards/search.ts";
import { type MetricText, metricsPage } from "./page.ts";
import { searchMetrics } from "./searches.ts";
import { watchMetrics } from "./watches.ts";

/** What a registry holds after it was given to a function. */
function textsOf(registering: (registry: Registry) => unknown): MetricText[] {
  const registry = new Registry();
  registering(registry);
  return registry.getMetricsAsArray().map((metric) => {
    const { labelNames } = metric as unknown as { labelNames: string[] };
    const type = String(metric.type);
    return { name: metric.name, type, help: metric.help, labels: labelNames };
  });
}

/** What a trainer serves that has not begun. */
async function trainerTexts(): Promise<MetricText[]> {
  const session = new Session("t", undefined);
  session.enter(0, 1, 1, 1);
  const server = await serveProgress(session, 0, (sentence) => {
    throw new Error(sentence);
  });
  const { port } = server.address() as AddressInfo;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  server.close();
  server.closeAllConnections();
  const lines = [...text.matchAll(/^# HELP (\w+) (.*)\n# TYPE \w+ (\w+)$/gm)];
  return lines.map(([, name, help, type]) => {
    const [, labels = ""] = new RegExp(`^${name}{(.*)}`, "m").exec(text) ?? [];
    return {
      ...{ name: name!, help: help!, type: type! },
      labels: [...labels.matchAll(/(\w+)=/g)].map(([, label]) => label!),
    };
  });
}

const isProcess = ({ name }: MetricText): boolean => /^(process|nodejs)_/.test(name);
/** Of the process's, those that there are on every system. */
const isEverywhere = ({ name }: MetricText): boolean =>
  /^(nodejs_|process_(cpu_|start_|resident_))/.test(name);
const own = textsOf(controllerMetrics);
put(
  "docs/metrics.md",
  metricsPage([
    {
      title: "Searches",
      text: "Counters and histograms are counted over the ledger, so they never fall, and are the same after a restart; of a search that ended before this process began to lead they come a scrape or more later, when its ledger has been read. The rest is what status says, at each scrape anew.",
      metrics: textsOf((registry) => searchMetrics(registry, () => new Date())),
    },
    {
      title: "The operator's work",
      text: "Under the names that controller-runtime gives: dashboards and alerts for other operators fit.",
      metrics: own.filter((metric) => !isProcess(metric)),
    },
    {
      title: "Watches",
      text: "By kind: ArchitectureSearch, CandidateTrial, Job, Pod, Event.",
      metrics: textsOf((registry) => watchMetrics(registry, () => [])),
    },
    {
      title: "The operator's process",
      text: "Those of prom-client, among them how late the event loop is and what memory is used for; on Linux there are a few more.",
      metrics: own.filter(isProcess).filter(isEverywhere),
    },
    {
      title: "Trainers",
      text: "Of one trial's attempt each, from its first step to its end.",
      metrics: await trainerTexts(),
    },
  ]),
  "operator/metrics",
);
for (const dashboard of [overview, search, operator])
  put(
    `charts/segnas/dashboards/${dashboard.uid}.json`,
    `${JSON.stringify(dashboard, undefined, 2)}\n`,
    "operator/metrics/dashboards",
  );
