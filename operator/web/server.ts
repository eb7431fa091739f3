// The operator's HTTP: metrics for Prometheus, and how it is for the kubelet.
import { createServer, type Server } from "node:http";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Registry } from "prom-client";

export interface ServerOptions {
  /** 0 takes a free one. */
  port: number;
  registry: Registry;
  /** What keeps the operator from being ready, if anything does. */
  notReady: () => string | undefined;
}

/** Listens on every address. Throws UserError where the port is taken. */
export async function serve({ port, registry, notReady }: ServerOptions): Promise<Server> {
  const server = createServer(async (request, response) => {
    // Whatever was asked for: "//" is no URL.
    const [pathname] = request.url!.split("?");
    const answer = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
    };
    if (pathname === "/metrics") {
      try {
        const metrics = await registry.metrics();
        response.writeHead(200, { "content-type": registry.contentType }).end(metrics);
      } catch (error) {
        answer(500, (error as Error).message);
      }
    } else if (pathname === "/healthz") answer(200, "ok");
    else if (pathname === "/readyz") {
      const reason = notReady();
      answer(reason === undefined ? 200 : 503, reason ?? "ok");
    } else answer(404, "Here are /metrics, /healthz and /readyz.");
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", ({ message }) =>
    reject(new UserError(`SEGNAS_PORT: cannot listen on ${port} (${message}); write another port`)),
  );
  server.listen(port, resolve);
  await promise;
  return server;
}
