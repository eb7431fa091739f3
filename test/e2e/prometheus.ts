// A real Prometheus that scrapes an operator, and the trainers of its namespace through the API server.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { SEARCH_LABEL, TRIAL_LABEL } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { kubectlProgram } from "../cluster/build.ts";
import { REPOSITORY } from "../cluster/machine.ts";
import { remote } from "./cluster.ts";

const RULES = join(REPOSITORY, "charts", "segnas", "alerts.yaml");
/** Seconds from one scrape to the next. */
export const SCRAPE_SECONDS = 1;

export interface Series {
  metric: Record<string, string>;
  /** At one time, or at several. */
  value?: [number, string];
  values?: [number, string][];
}

export interface Prometheus {
  /** @param time in seconds since 1970; now where left out */
  query(expr: string, time?: number): Promise<Series[]>;
  /** From so long ago until now. */
  queryRange(expr: string, seconds: number, step: number): Promise<Series[]>;
  /** The values that a label has among the series that match. */
  labelValues(label: string, match?: string): Promise<string[]>;
  /** The rules of charts/segnas/alerts.yaml, as Prometheus has taken them. */
  rules(): Promise<{ name: string; health: string; lastError?: string }[]>;
}

/** A port that nothing listens on for now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

function endAfter(context: TestContext, child: ChildProcess): void {
  const exited = once(child, "exit");
  context.after(async () => {
    child.kill();
    await exited;
  });
}

/** kubectl's way to the API server, without any proof of who asks. Returns its host and port. */
async function openProxy(context: TestContext): Promise<string> {
  const child = spawn(await kubectlProgram(), ["proxy", "--port=0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  endAfter(context, child);
  for await (const line of createInterface(child.stdout)) {
    const address = /Starting to serve on (\S+)/.exec(line)?.[1];
    if (address) return address;
  }
  throw new Error("kubectl proxy ended");
}

/**
 * Tells Prometheus of the trainers that run, with the labels that the chart's trainerMonitor gives them: Debian's build
 * knows no Kubernetes. Returns its address.
 */
async function openDiscovery(context: TestContext, proxy: string, namespace: string): Promise<string> {
  const server = createHttpServer(async (_, response) => {
    const pods = await remote.list("Pod", namespace);
    const running = pods.filter(({ status }) => status?.phase === "Running");
    const groups = running.map(({ metadata: { name, labels = {} } }) => ({
      targets: [proxy],
      labels: {
        __metrics_path__: `/api/v1/namespaces/${namespace}/pods/${name}:9090/proxy/metrics`,
        namespace,
        pod: name,
        search: labels[SEARCH_LABEL],
        trial: labels[TRIAL_LABEL],
      },
    }));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(groups));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** As the chart's monitors do it, segnas' own label namespace stays. */
const configuration = (operatorPort: number, discovery: string) => ({
  global: { scrape_interval: `${SCRAPE_SECONDS}s`, evaluation_interval: "5s" },
  rule_files: [RULES],
  scrape_configs: [
    {
      job_name: "segnas",
      honor_labels: true,
      static_configs: [{ targets: [`127.0.0.1:${operatorPort}`] }],
    },
    { job_name: "trainers", http_sd_configs: [{ url: discovery, refresh_interval: "1s" }] },
  ],
});

/** It ends with the test. @param folder where its data lie */
export async function startPrometheus(
  context: TestContext,
  { folder, operatorPort, namespace }: { folder: string; operatorPort: number; namespace: string },
): Promise<Prometheus> {
  const file = join(folder, "prometheus.yaml");
  const discovery = await openDiscovery(context, await openProxy(context), namespace);
  writeFileSync(file, JSON.stringify(configuration(operatorPort, discovery)));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    "prometheus",
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      "--log.level=error",
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  endAfter(context, child);

  async function get<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (error) throw new Error(`${Object.values(parameters)[0]}: ${error}`);
    return data;
  }
  for (let tries = 0; ; tries++) {
    const ready = await fetch(`http://${address}/-/ready`).catch(() => undefined);
    if (ready?.ok) break;
    if (tries > 100 || child.exitCode !== null) throw new Error("Prometheus does not begin");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    query: async (query, time = Date.now() / 1000) =>
      (await get<{ result: Series[] }>("query", { query, time: String(time) })).result,
    async queryRange(query, seconds, step) {
      const end = Date.now() / 1000;
      const range = { start: String(end - seconds), end: String(end), step: String(step) };
      return (await get<{ result: Series[] }>("query_range", { query, ...range })).result;
    },
    labelValues: (label, match) => get(`label/${label}/values`, match ? { "match[]": match } : {}),
    async rules() {
      const { groups } = await get<{ groups: { rules: { name: string; health: string }[] }[] }>("rules");
      return groups.flatMap(({ rules }) => rules);
    },
  };
}
