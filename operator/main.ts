// The operator's process: settings, logs, HTTP for metrics and health, and its end.
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { UserError } from "@segnas/searchspace/errors.ts";
import { Registry } from "prom-client";
import { createClient } from "./kube/client.ts";
import { podAccess } from "./kube/pod.ts";
import { openLog } from "./log.ts";
import { createOperator } from "./operator.ts";
import { readSettings } from "./settings.ts";
import { createAccess } from "./web/page/access.ts";
import { serve } from "./web/server.ts";

try {
  const settings = readSettings(process.env, randomUUID());
  const { stdout } = process;
  const logger = openLog(settings.logLevel, stdout.isTTY, (line) => stdout.write(line));
  const registry = new Registry();
  const access =
    podAccess(process.env, () => new Date()) ?? (await import("./kube/kubeconfig.ts")).loadKubeConfig();
  const operator = createOperator(settings, access, registry, logger);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      logger.info("stopping", { signal });
      stop.abort();
    });
  const server = await serve({ port: settings.port, registry, notReady: operator.notReady });
  logger.info("listening", { port: (server.address() as AddressInfo).port });
  const page = settings.page && (await openPage(settings.page));
  try {
    await operator.run(stop.signal);
    process.exitCode = 0;
  } catch (error) {
    logger.error("ended", { reason: (error as Error).message });
    process.exitCode = 1;
  }
  server.close();
  page?.close();
  // Whatever still runs must not write any more.
  logger.on("finish", () => process.exit());
  logger.end();

  async function openPage({ host, port }: NonNullable<typeof settings.page>) {
    const { isLoopback, servePage } = await import("./web/page/server.ts"); // who serves none need not load it
    const opened = await servePage({
      ...{ host, port, source: operator.pageSource() },
      ...(!isLoopback(host) && { access: createAccess(createClient(access)) }),
      failed: (error) => logger.warn("page not answered", { reason: (error as Error).message }),
    });
    logger.info("page served", { host, port: (opened.address() as AddressInfo).port });
    return opened;
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  // Its watches would go on for ever.
  process.exit(1);
}
