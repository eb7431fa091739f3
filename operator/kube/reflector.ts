// All objects of one collection, as the API server changes them: a list, then a watch from where the list ended, for
// as long as it lasts, and on from there. What goes wrong is healed here, after client-go's Reflector; whoever is told
// of the objects hears only of the latest state, not of how it was got.
import { setTimeout as wait } from "node:timers/promises";
import type { ObjectMeta } from "../api/meta.ts";
import { type ApiClient, ApiError } from "./client.ts";

export interface ReflectorOptions<T extends { metadata: ObjectMeta }> {
  client: ApiClient;
  /** The collection: /apis/segnas.dev/v1alpha1/candidatetrials, or of one namespace. */
  path: string;
  /** labelSelector, fieldSelector. */
  query?: Record<string, string>;
  /** All that there is at a version, after each list: what is not among it is gone. */
  listed: (objects: T[], resourceVersion: string) => void;
  /** An event that cannot be taken (it throws) comes again. */
  changed: (type: "ADDED" | "MODIFIED" | "DELETED", object: T) => void;
  /** Told of each thing that went wrong; it goes on by itself. */
  failed: (error: unknown) => void;
  now: () => Date;
  /** Uniform in [0, 1). */
  random: () => number;
  timings?: Partial<ReflectorTimings>;
}

export interface ReflectorTimings {
  /** Objects asked for at once. */
  pageSize: number;
  /** A watch is asked for this long to twice this long. */
  watchSeconds: number;
  /** A watch that has said nothing for so long is dead. A healthy one is heard of once a minute by its bookmarks. */
  idleMs: number;
  /** A watch that ends sooner, and without news, has failed. */
  shortWatchMs: number;
  /** After the first failure in a row; doubled after each. */
  backoffMs: number;
  longestBackoffMs: number;
  /** A failure so long after the last is the first in a row. */
  backoffResetMs: number;
}

/** Those of client-go's Reflector; idleMs is two bookmarks that did not come. */
export const REFLECTOR_TIMINGS: ReflectorTimings = {
  pageSize: 500,
  watchSeconds: 300,
  idleMs: 150_000,
  shortWatchMs: 1000,
  backoffMs: 800,
  longestBackoffMs: 30_000,
  backoffResetMs: 120_000,
};

export interface Reflector {
  /** Resolves after the first list; rejects where it is closed before. */
  synced: Promise<void>;
  /** When the server was last heard of: a list, an event, a bookmark, a watch's end in time; undefined before. */
  heard(): Date | undefined;
  /** Resolves when nothing is called any more. */
  close(): Promise<void>;
}

/** A watch that does not do what watches do. */
export class WatchError extends Error {
  override readonly name = "WatchError";
  readonly what: "silent" | "short" | "malformed";
  constructor(what: "silent" | "short" | "malformed", message: string) {
    super(message);
    this.what = what;
  }
}

/**
 * What to do after an error: whether to list again, rather than to watch on from the last version seen, and how long
 * to wait before. Where the server is away or busy, a watch costs it least; where it cannot go on from that version,
 * only a list helps. The wait doubles with each failure, with up to as much again at random.
 * @param inARow failures since the last news, this one too
 * @param random uniform in [0, 1)
 */
export function recovery(
  error: unknown,
  inARow: number,
  random: number,
  { backoffMs, longestBackoffMs } = REFLECTOR_TIMINGS,
): { list: boolean; waitMs: number } {
  const waitMs = Math.min(longestBackoffMs, backoffMs * 2 ** (inARow - 1)) * (1 + random);
  if (error instanceof WatchError) return { list: error.what !== "silent" || inARow > 1, waitMs };
  if (!(error instanceof ApiError)) return { list: false, waitMs };
  return {
    list: ![429, 500, 503].includes(error.status) || (error.status === 500 && inARow > 1),
    waitMs: Math.max(waitMs, (error.retryAfterSeconds ?? 0) * 1000),
  };
}

interface List<T> {
  metadata: { resourceVersion: string; continue?: string };
  /** Go writes an empty list as null where nobody took care. */
  items: T[] | null;
}

interface Status {
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number };
}

type Event<T> =
  | { type: "ADDED" | "MODIFIED" | "DELETED"; object: T }
  | { type: "BOOKMARK"; object: { metadata: { resourceVersion: string } } };

/** Starts at once; it goes on until it is closed. */
export function startReflector<T extends { metadata: ObjectMeta }>(options: ReflectorOptions<T>): Reflector {
  const { client, path, query, now } = options;
  const timings = { ...REFLECTOR_TIMINGS, ...options.timings };
  const synced = Promise.withResolvers<void>();
  synced.promise.catch(() => {}); // nobody need wait for it
  let heard: Date | undefined;
  let closed = false;
  /** Of what is under way. */
  let abort = new AbortController();
  /** Of the last list, event or bookmark; undefined where it has to be listed. */
  let version: string | undefined;
  let inARow = 0;
  let lastFailure = Number.NEGATIVE_INFINITY;

  async function run(): Promise<void> {
    while (!closed) {
      try {
        if (version === undefined) await list();
        await watch();
      } catch (thrown) {
        if (closed) break;
        const error = abort.signal.aborted ? abort.signal.reason : thrown;
        abort = new AbortController();
        options.failed(error);
        const time = now().getTime();
        // The time of a silence is longer than that, and was no good time.
        const silence = error instanceof WatchError && error.what === "silent" ? timings.idleMs : 0;
        inARow = time - silence - lastFailure > timings.backoffResetMs ? 1 : inARow + 1;
        lastFailure = time;
        const next = recovery(error, inARow, options.random(), timings);
        if (next.list) version = undefined;
        await wait(next.waitMs, undefined, { signal: abort.signal }).catch(() => {});
      }
    }
    synced.reject(new Error(`${path}: closed before the first list`));
  }

  async function list(): Promise<void> {
    const { items, resourceVersion } = await listAll();
    if (closed) return;
    options.listed(items, resourceVersion);
    version = resourceVersion;
    synced.resolve();
  }

  /** A list whose pages have expired on the way begins again; the third time in one piece. */
  async function listAll() {
    for (let begun = 1; ; begun++) {
      try {
        return await listPages(begun < 3 ? { limit: timings.pageSize } : {});
      } catch (error) {
        if (begun === 3 || !(error instanceof ApiError && error.status === 410)) throw error;
      }
    }
  }

  async function listPages(limit: { limit?: number }) {
    let items: T[] = [];
    let next: { continue?: string } = {};
    for (;;) {
      const page = await client.request<List<T>>({
        path,
        query: { ...query, ...limit, ...next },
        signal: abort.signal,
      });
      heard = now();
      items = items.concat(page.items ?? []);
      if (!page.metadata.continue) return { items, resourceVersion: page.metadata.resourceVersion };
      next = { continue: page.metadata.continue };
    }
  }

  /** @throws WatchError, ApiError; Error where the connection breaks */
  async function watch(): Promise<void> {
    if (closed) return;
    const start = now().getTime();
    const from = version!;
    const { signal } = abort;
    const silence = setTimeout(
      () => abort.abort(new WatchError("silent", `watch of ${path}: silent for ${timings.idleMs / 1000} s`)),
      timings.idleMs,
    );
    try {
      const lines = client.lines({
        path,
        query: {
          ...query,
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion: from,
          timeoutSeconds: Math.round(timings.watchSeconds * (1 + options.random())),
        },
        signal,
      });
      for await (const line of lines) {
        if (signal.aborted) return;
        const event = parseEvent<T>(path, line);
        silence.refresh();
        heard = now();
        if (event.type !== "BOOKMARK") options.changed(event.type, event.object);
        if (event.object.metadata.resourceVersion !== version) inARow = 0;
        version = event.object.metadata.resourceVersion!;
      }
    } finally {
      clearTimeout(silence);
    }
    if (version === from && now().getTime() - start < timings.shortWatchMs)
      throw new WatchError("short", `watch of ${path}: ended at once, without an event`);
    // The server ends a watch in time.
    heard = now();
  }

  const running = run();
  return {
    synced: synced.promise,
    heard: () => heard,
    async close() {
      closed = true;
      abort.abort();
      await running;
    },
  };
}

/** @throws ApiError for an ERROR event; WatchError where it is none that is known */
function parseEvent<T extends { metadata: ObjectMeta }>(path: string, line: string): Event<T> {
  const malformed = (): WatchError =>
    new WatchError("malformed", `watch of ${path}: not an event: ${line.slice(0, 200)}`);
  let event: { type?: unknown; object?: { metadata?: { resourceVersion?: unknown } } & Status };
  try {
    event = JSON.parse(line);
  } catch {
    throw malformed();
  }
  if (event?.type === "ERROR") {
    const { code, reason, message, details } = event.object ?? {};
    throw new ApiError(
      code ?? 500,
      reason ?? "",
      message ?? `watch of ${path}: ${line.slice(0, 200)}`,
      details?.retryAfterSeconds,
    );
  }
  const known = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"].includes(event?.type as string);
  if (!known || typeof event.object?.metadata?.resourceVersion !== "string") throw malformed();
  return event as Event<T>;
}
