// An HTTP server that answers as a test says, where a Kubernetes API server would: lists, watches and errors.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { ObjectMeta } from "@segnas/operator/api/meta.ts";
import { type ApiClient, type ClientOptions, createClient } from "@segnas/operator/kube/client.ts";

export interface Call {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage["headers"];
  body: string;
  response: ServerResponse;
}
export type Answer = (call: Call) => void;

export interface ApiServer {
  url: string;
  client: ApiClient;
  calls: Call[];
  /** Connections opened so far. */
  connections(): number;
  /** The call of that number (1 the first), once it has come. */
  call(number: number): Promise<Call>;
  /** Breaks all connections. */
  breakAll(): void;
  /** Refuses connections until `start`, on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** What createClient makes its client from. */
export function configFor(url: string, user: object = {}): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: "test", server: url, skipTLSVerify: true }, {
    name: "user",
    ...user,
  } as Parameters<KubeConfig["loadFromClusterAndUser"]>[1]);
  return config;
}

/**
 * Gone with the test.
 * @param answer for every call; or one for each, in their order, where calls beyond them get no answer
 */
export async function startApiServer(
  context: TestContext,
  answer: Answer | Answer[],
  options?: ClientOptions,
): Promise<ApiServer> {
  const calls: Call[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://api");
    response.on("error", () => {});
    try {
      const call = {
        method: request.method!,
        path: pathname,
        query: Object.fromEntries(searchParams),
        headers: request.headers,
        body: await text(request),
        response,
      };
      calls.push(call);
      (Array.isArray(answer) ? answer[calls.length - 1] : answer)?.(call);
    } catch {
      response.destroy(); // it broke off while it asked
    }
  });
  server.on("connection", () => connections++);
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const port = await listen(0);
  context.after(async () => {
    if (server.listening) await stop();
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    client: createClient(configFor(url), options),
    calls,
    connections: () => connections,
    async call(number) {
      await until(() => calls.length >= number);
      return calls[number - 1]!;
    },
    breakAll: () => server.closeAllConnections(),
    stop,
    start: async () => void (await listen(port)),
  };
}

/** Waits for something that comes soon. @throws Error where it has not come in ten seconds */
export async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !condition(); await wait(1))
    if (performance.now() > end) throw new Error(`not in ten seconds: ${condition}`);
}

export interface TestObject {
  metadata: ObjectMeta;
}
export const object = (name: string, version: number | string): TestObject => ({
  metadata: { name, namespace: "n", resourceVersion: String(version) },
});

export function sendJson({ response }: Call, body: object, code = 200, headers = {}): void {
  response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

export const sendList =
  (items: TestObject[] | null, version: number | string, next?: string): Answer =>
  (call) =>
    sendJson(call, {
      kind: "List",
      metadata: { resourceVersion: String(version), ...(next && { continue: next }) },
      items,
    });

export const status = (code: number, reason: string, more = {}) => ({
  kind: "Status",
  status: "Failure",
  code,
  reason,
  message: `${reason}, says the server`,
  ...more,
});

export const sendStatus =
  (code: number, reason: string, headers = {}): Answer =>
  (call) =>
    sendJson(call, status(code, reason), code, headers);

/** Begins to answer a watch: events as lines. */
export const sendEvents =
  (...events: { type: string; object: object }[]): Answer =>
  ({ response }) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const event of events) response.write(`${JSON.stringify(event)}\n`);
  };

/** As sendEvents, and the server ends the watch. */
export const sendEventsAndEnd =
  (...events: { type: string; object: object }[]): Answer =>
  (call) => {
    sendEvents(...events)(call);
    call.response.end();
  };

export const bookmark = (version: number | string) => ({
  type: "BOOKMARK",
  object: { kind: "Thing", metadata: { resourceVersion: String(version) } },
});
