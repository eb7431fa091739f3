// The page's HTTP: GET only, answers from what is at hand, and says nothing to who may not hear it.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { UserError } from "@segnas/searchspace/errors.ts";
import { type Key, keyOf } from "../../api/store.ts";
import type { Access, Viewer } from "./access.ts";
import { type Asset, readAssets } from "./assets.ts";
import type { ListDocument } from "./documents.ts";
import { listed } from "./list.ts";
import { searchDocument } from "./search.ts";
import type { PageSource, PageView } from "./source.ts";
import { AT_A_TIME, emptyTable, extendTable, type TrialTable, trialsDocument } from "./table.ts";
import { picturesDocument, trialDocument } from "./trial.ts";

export interface PageOptions {
  source: PageSource;
  /** The address to listen on. */
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Who may see what. Without it everybody who reaches it may see everything, so that it listens on this machine only. */
  access?: Access;
  /** Told of what went wrong while it answered. */
  failed: (error: unknown) => void;
}

const compress = promisify(gzip);
/** What is smaller is sent as it is. */
const WORTH_COMPRESSING = 1400;

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** An answer that is not 200. */
class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether an address is reached from this machine alone. */
export const isLoopback = (host: string): boolean => ["127.0.0.1", "::1", "localhost"].includes(host);

/** Serves the page. Throws UserError where the address cannot be listened on. */
export async function servePage(options: PageOptions): Promise<Server> {
  const { host, port, access } = options;
  if (!access && !isLoopback(host)) throw new Error(`a page for everybody is served on ${host}`);
  const server = createServer(pageListener(options));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", ({ message }) =>
    reject(new UserError(`the page cannot listen on ${host}:${port} (${message}): give it another port`)),
  );
  server.listen(port, host, resolve);
  await promise;
  return server;
}

function pageListener({ source, access, failed }: PageOptions) {
  const assets = readAssets();
  /** Of a search, by its UID, as long as there is one. */
  const tables = new Map<string, TrialTable>();

  async function list(viewer: Viewer): Promise<ListDocument> {
    const searches = await source.searches();
    const there = new Set(searches.map(({ metadata }) => metadata.uid));
    for (const uid of tables.keys()) if (!there.has(uid)) tables.delete(uid);
    const namespaces = [...new Set(searches.map((search) => keyOf(search).namespace))];
    const allowed = await Promise.all(namespaces.map(viewer.may));
    const seen = new Set(namespaces.filter((_, i) => allowed[i]));
    return {
      searches: searches
        .filter((search) => seen.has(keyOf(search).namespace))
        .map((search) => listed(search)),
    };
  }

  /** Throws Refusal where the request is nobody's whom anything may be shown to. */
  async function viewerOf({ headers }: IncomingMessage): Promise<Viewer> {
    if (!access) {
      if (isMeantForUs(headers.host)) return EVERYBODY;
      throw new Refusal(421, "This page is for localhost only.");
    }
    const viewer = await access.viewer(headers.authorization);
    if (viewer) return viewer;
    throw new Refusal(401, "A bearer token is needed that the cluster knows.");
  }

  async function look(key: Key): Promise<{ view: PageView; table: TrialTable }> {
    const view = await source.view(key);
    if (!view) throw new Refusal(404, `There is no search ${key.name} in namespace ${key.namespace}.`);
    const uid = view.search.metadata.uid!;
    const table = tables.get(uid) ?? emptyTable();
    tables.set(uid, table);
    while (!extendTable(table, view.entries, AT_A_TIME)) await turn();
    return { view, table };
  }

  /** The document of a path below /api/; undefined where there is none. */
  async function document(
    path: string[],
    query: URLSearchParams,
    viewer: Viewer,
  ): Promise<object | undefined> {
    const [kind, namespace, name, what, number, part, ...rest] = path;
    if (kind !== "searches" || rest.length > 0) return undefined;
    if (namespace === undefined) return list(viewer);
    if (name === undefined) return undefined;
    const key = { namespace, name };
    if (!(await viewer.may(namespace)))
      throw new Refusal(403, `You may not list architecturesearches in namespace ${namespace}.`);
    if (what === undefined) {
      const { view, table } = await look(key);
      return searchDocument(view, table, source.commands(key));
    }
    if (what !== "trials") return undefined;
    if (number !== undefined) {
      const index = Number(number);
      const { view } = await look(key);
      if (part === undefined) return trialDocument(view, index, source);
      return part === "pictures" ? picturesDocument(view, index, source) : undefined;
    }
    const from = Number(query.get("from") ?? 0);
    if (!Number.isSafeInteger(from) || from < 0) throw new Refusal(400, "from: write a number of trials");
    const { view, table } = await look(key);
    return trialsDocument(view, table, from);
  }

  async function answer(request: IncomingMessage): Promise<Asset> {
    if (request.method !== "GET" && request.method !== "HEAD")
      throw new Refusal(405, "This page only reads: GET and HEAD.");
    const { pathname, searchParams } = URL.parse(request.url ?? "/", "http://page") ?? NOWHERE;
    const asset = assets.get(pathname);
    if (asset) return asset;
    const [, root, ...path] = pathname.split("/").map(decoded);
    const found = root === "api" ? await document(path, searchParams, await viewerOf(request)) : undefined;
    if (!found) throw new Refusal(404, "There is nothing here.");
    return json(found);
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await send(request, response, 200, await answer(request));
    } catch (error) {
      const known = error instanceof Refusal || error instanceof UserError;
      const status = error instanceof Refusal ? error.status : known ? 503 : 500;
      if (!known) failed(error);
      const message = known ? error.message : "Something went wrong here; the log says what.";
      await send(request, response, status, json({ message })).catch(failed);
    }
  };
}

/**
 * Whether a request was meant for this machine: another site's name may be made to lead here (DNS rebinding), and then
 * its scripts could read the answer.
 */
const isMeantForUs = (host = ""): boolean => /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host);

const EVERYBODY: Viewer = { may: async () => true };
const NOWHERE = new URL("http://page/nowhere");

const json = (document: object): Asset => ({
  type: "application/json",
  body: JSON.stringify(document),
  isForEver: false,
});

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  { type, body, isForEver }: Asset,
): Promise<void> {
  const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  const headers = {
    ...HEADERS,
    "cache-control": isForEver ? "public, max-age=31536000, immutable" : "private, no-cache",
    etag: tag,
    vary: "accept-encoding, authorization",
    ...(status === 405 && { allow: "GET, HEAD" }),
    ...(status === 401 && { "www-authenticate": "Bearer" }),
  };
  if (status === 200 && request.headers["if-none-match"] === tag) {
    response.writeHead(304, headers).end();
    return;
  }
  const isZipped =
    body.length >= WORTH_COMPRESSING && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  const content = isZipped ? await compress(body) : Buffer.from(body);
  response
    .writeHead(status, {
      ...headers,
      "content-type": type,
      "content-length": content.length,
      ...(isZipped && { "content-encoding": "gzip" }),
    })
    .end(request.method === "HEAD" ? undefined : content);
}
