// Events (events.k8s.io/v1) tell people who look at an object what has become of it. Writing them is never in the way
// of work, and may fail.
import type { ObjectMeta } from "../api/meta.ts";
import { type ApiClient, ApiError } from "./client.ts";

export interface ObjectEvent {
  type: "Normal" | "Warning";
  /** One word. */
  reason: string;
  /** A sentence. */
  note: string;
}

/** The object that an event is about. */
export interface Regarding {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface RecorderOptions {
  client: ApiClient;
  /** segnas.dev/operator */
  controller: string;
  /** The pod's name. */
  instance: string;
  now: () => Date;
  /** Told of each event that could not be written; it is given up. */
  failed: (error: unknown) => void;
}

export interface Recorder {
  /** Returns at once and never throws. */
  record(regarding: Regarding, events: ObjectEvent[]): void;
  /** Takes no more and writes what waits, for five seconds at most. */
  close(): Promise<void>;
}

/** An event as it was first recorded, and how often. */
interface Series {
  collection: string;
  name: string;
  body: object;
  count: number;
  /** Milliseconds. */
  last: number;
  written: boolean;
}

// The figures are those of client-go: tools/events and the spam filter of tools/record.
const SERIES_MS = 6 * 60_000;
const MAX_REMEMBERED = 4096;
const MAX_QUEUED = 1000;
const BURST = 25;
const REFILL_MS = 5 * 60_000;

const REQUEST_TIMEOUT_MS = 10_000;
const CLOSE_MS = 5_000;

/**
 * Writes events in the background, in order. What was told of an object within the last 6 minutes is counted in the
 * event that is there. An object that has too much to tell is heard less often: 25 times, then once in 5 minutes.
 */
export function createRecorder({ client, controller, instance, now, failed }: RecorderOptions): Recorder {
  const remembered = new Map<string, Series>();
  const waiting = new Set<Series>();
  const allowed = limiter();
  let lastMicroseconds = 0;
  let writing = Promise.resolve();
  let isWriting = false;
  let closed: number | undefined;

  function take(regarding: Regarding, event: ObjectEvent, time: number): void {
    const { uid = "" } = regarding.metadata;
    if (!allowed(uid, time)) return;
    const key = JSON.stringify([uid, event.type, event.reason, event.note]);
    const known = remembered.get(key);
    const series = known && time - known.last <= SERIES_MS ? known : begin(regarding, event, time);
    series.count++;
    series.last = time;
    remember(remembered, key, series);
    waiting.add(series);
    if (waiting.size > MAX_QUEUED) waiting.delete(oldest(waiting));
  }

  function begin({ apiVersion, kind, metadata }: Regarding, event: ObjectEvent, time: number): Series {
    const { name: about, namespace = "default", uid, resourceVersion } = metadata;
    // No two events have the same, whatever the clock does.
    lastMicroseconds = Math.max(time * 1000, lastMicroseconds + 1);
    const name = `${about.slice(0, MAX_NAME).replace(/[-.]+$/, "")}.${hex(lastMicroseconds)}`;
    const body = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { namespace, name },
      eventTime: microTime(lastMicroseconds),
      reportingController: controller,
      reportingInstance: instance.slice(0, MAX_INSTANCE),
      action: "Reconcile",
      regarding: { apiVersion, kind, namespace, name: about, uid, resourceVersion },
      type: event.type,
      reason: event.reason,
      note: cut(event.note),
    };
    const collection = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    return { collection, name, body, count: 0, last: time, written: false };
  }

  async function writeAll(): Promise<void> {
    for (const series of waiting) {
      if (closed !== undefined && now().getTime() - closed > CLOSE_MS) break;
      waiting.delete(series);
      try {
        await write(series);
      } catch (error) {
        if (!isBecauseOfDeletion(error)) failed(error);
      }
    }
    isWriting = false;
  }

  async function write(series: Series): Promise<void> {
    const { collection, name, count, last } = series;
    const repeats = count > 1 && { series: { count, lastObservedTime: microTime(last * 1000) } };
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    if (series.written && repeats) {
      const contentType = "application/merge-patch+json";
      try {
        const path = `${collection}/${name}`;
        await client.request({ method: "PATCH", path, body: repeats, contentType, signal });
        return;
      } catch (error) {
        // Events are kept for an hour or so.
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
      }
    }
    await client.request({ method: "POST", path: collection, body: { ...series.body, ...repeats }, signal });
    series.written = true;
  }

  return {
    record(regarding, events) {
      if (closed !== undefined) return;
      for (const event of events) take(regarding, event, now().getTime());
      if (isWriting || waiting.size === 0) return;
      isWriting = true;
      writing = writeAll();
    },
    async close() {
      closed ??= now().getTime();
      await writing;
    },
  };
}

/** The token bucket of each object. */
function limiter(): (uid: string, time: number) => boolean {
  const buckets = new Map<string, { tokens: number; time: number }>();
  return (uid, time) => {
    const { tokens, time: since } = buckets.get(uid) ?? { tokens: BURST, time };
    const full = Math.min(BURST, tokens + Math.max(0, time - since) / REFILL_MS);
    remember(buckets, uid, { tokens: full >= 1 ? full - 1 : full, time });
    return full >= 1;
  };
}

/** As the newest; the oldest is forgotten where there are too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) map.delete(oldest(map.keys()));
}

const oldest = <T>(values: Iterable<T>): T => values[Symbol.iterator]().next().value as T;

/** The namespace is being deleted, or is gone. */
const isBecauseOfDeletion = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 404 || (error.status === 403 && error.message.includes("is being terminated")));

// What the API allows.
const MAX_NOTE_BYTES = 1024;
const MAX_INSTANCE = 128;
/** An event's name has 253, of which 14 are the time and the point before it. */
const MAX_NAME = 239;

const hex = (microseconds: number): string => microseconds.toString(16).padStart(13, "0");

const microTime = (microseconds: number): string =>
  new Date(Math.floor(microseconds / 1000))
    .toISOString()
    .replace("Z", `${String(microseconds % 1000).padStart(3, "0")}Z`);

/** At most as long as a note may be, with no character cut in two. */
function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  const end = "…";
  const start = bytes.subarray(0, MAX_NOTE_BYTES - Buffer.byteLength(end));
  return new TextDecoder().decode(start, { stream: true }) + end;
}
