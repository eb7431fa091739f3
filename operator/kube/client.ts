// HTTP to an API server: one agent keeps all connections, and what the server asks us to wait for (Retry-After) is
// waited for.
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { createInterface } from "node:readline";
import { json, text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { urlToHttpOptions } from "node:url";

export interface ApiRequest {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root: /apis/batch/v1/... */
  path: string;
  query?: Record<string, string | number | boolean>;
  body?: object;
  /** application/json where left out. */
  contentType?: string;
  signal?: AbortSignal;
}

export interface ApiClient {
  /** The namespace that the kubeconfig's context, or the pod, is in. */
  readonly namespace: string;
  /**
   * The answer's JSON. After 429 and what else names a time it asks again, ten times at most.
   * @throws ApiError where the server says no; Error where there is no answer
   */
  request<T>(request: ApiRequest): Promise<T>;
  /** The answer's text, asked for once. Throws as `request` does. */
  text(request: ApiRequest): Promise<string>;
  /** The lines of an answer that goes on, such as a watch, until the server ends it. Throws as `request` does. */
  lines(request: ApiRequest): AsyncIterable<string>;
}

/** The server's no: a metav1.Status. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** NotFound, Conflict, AlreadyExists, Invalid, Expired ...: one word. */
  readonly reason: string;
  readonly retryAfterSeconds: number | undefined;
  constructor(status: number, reason: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface ClientOptions {
  /** Told of each answer; a request without one has code 0. */
  observe?: (call: { method: string; host: string; code: number; seconds: number }) => void;
  /** How long an answer may let wait for itself, or stop on its way. 30 s where left out. */
  timeoutMs?: number;
}

const RETRIES = 10;
/** How long a connection is kept without use. API servers end it after 90 s, gateways on the way forget it silently. */
const IDLE_CONNECTION_MS = 60_000;

/** Where an API server is and who we are, as far as it is asked of a kubeconfig. */
export interface Access {
  getCurrentCluster(): { readonly server: string } | null;
  getCurrentContext(): string;
  getContextObject(name: string): { readonly namespace?: string } | null;
  /** Adds what proves who we are, and an agent. */
  applyToHTTPSOptions(options: https.RequestOptions): Promise<void>;
}

/** A client for the current context of a kubeconfig (kubeconfig.ts), or for the pod that this runs in (pod.ts). */
export function createClient(
  config: Access,
  { observe = () => {}, timeoutMs = 30_000 }: ClientOptions = {},
): ApiClient {
  const server = new URL(config.getCurrentCluster()!.server);
  const { hostname, port } = urlToHttpOptions(server); // an IPv6 address without its brackets
  const base = server.pathname.replace(/\/$/, "");
  const transport = server.protocol === "http:" ? http : https;
  let agent: http.Agent | undefined;

  /** The answer, once it has begun. Tokens may change: they are asked for each time. */
  async function send(
    { method = "GET", path, query, body, contentType, signal }: ApiRequest,
    timeout: number,
  ) {
    const given: https.RequestOptions = {};
    await config.applyToHTTPSOptions(given);
    agent ??= keepAlive(given.agent as http.Agent);
    const search = new URLSearchParams(
      Object.entries(query ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const content = body && JSON.stringify(body);
    const start = performance.now();
    const observed = (code: number): void =>
      observe({ method, host: server.host, code, seconds: (performance.now() - start) / 1000 });
    return await new Promise<IncomingMessage>((resolve, reject) => {
      let begun: IncomingMessage | undefined;
      const request = transport.request(
        {
          ...given,
          agent,
          ...(signal && { signal }),
          method,
          host: hostname,
          port,
          path: `${base}${path}${search.size > 0 ? `?${search}` : ""}`,
          headers: {
            ...given.headers,
            accept: "application/json",
            "user-agent": "segnas",
            ...(content && {
              "content-type": contentType ?? "application/json",
              "content-length": Buffer.byteLength(content),
            }),
          },
        },
        (response) => {
          begun = response;
          observed(response.statusCode!);
          resolve(response);
        },
      );
      request.setTimeout(timeout, () =>
        (begun ?? request).destroy(new Error(`${method} ${path}: no answer in ${timeout / 1000} s`)),
      );
      request.on("error", (error) => {
        if (begun) return; // whoever reads it is told
        observed(0);
        reject(error);
      });
      request.end(content);
    });
  }

  async function answer(request: ApiRequest, timeout = timeoutMs): Promise<IncomingMessage> {
    const response = await send(request, timeout);
    if (response.statusCode! < 300) return response;
    throw apiError(response, await text(response));
  }

  return {
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
    async request<T>(request: ApiRequest): Promise<T> {
      for (let retries = 0; ; retries++) {
        try {
          return (await json(await answer(request))) as T;
        } catch (error) {
          const seconds = error instanceof ApiError ? error.retryAfterSeconds : undefined;
          if (seconds === undefined || retries === RETRIES) throw error;
          await wait(seconds * 1000, undefined, request.signal && { signal: request.signal });
        }
      }
    },
    text: async (request) => await text(await answer(request)),
    async *lines(request) {
      // How long such an answer may be silent its reader knows.
      const response = await answer(request, 0);
      try {
        // Throws where the answer breaks off.
        yield* createInterface({ input: response, crlfDelay: Infinity });
      } finally {
        response.destroy(); // its reader may stop before its end
      }
    },
  };
}

/**
 * The client for who may write only while something holds, such as a Lease. A process that was stopped and wakes may
 * be about to write before any timer can tell it that its time is over: so it is asked before each write.
 */
export const writesWhile = (client: ApiClient, holds: () => boolean): ApiClient => ({
  ...client,
  async request<T>(request: ApiRequest): Promise<T> {
    const { method = "GET", path } = request;
    if (method !== "GET" && !holds())
      throw new Error(`${method} ${path}: the Lease is not held, nothing is written`);
    return await client.request<T>(request);
  },
});

/** The kubeconfig's own agent opens a connection for each request. That of a proxy is left as it is. */
function keepAlive(agent: http.Agent): http.Agent {
  const given = (agent as http.Agent & { options: https.AgentOptions }).options;
  const options = { ...given, keepAlive: true, timeout: IDLE_CONNECTION_MS };
  if (agent.constructor === https.Agent) return new https.Agent(options);
  return agent.constructor === http.Agent ? new http.Agent(options) : agent;
}

function apiError(response: IncomingMessage, body: string): ApiError {
  const seconds = Number(response.headers["retry-after"] ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  const code = response.statusCode!;
  try {
    const { reason, message } = JSON.parse(body) as { reason?: string; message?: string };
    return new ApiError(code, reason ?? "", message ?? `the API server answered ${code}`, retryAfter);
  } catch {
    return new ApiError(
      code,
      "",
      `the API server answered ${code}: ${body.slice(0, 300).trim()}`,
      retryAfter,
    );
  }
}
