// Events (events.k8s.io/v1) tell people who look at an object what has become of it. What there is to tell follows
// from the object before and after its status was written; telling it is never in the way of work, and may fail.
import { SearchCondition, SearchReason, TrialCondition, TrialReason } from "../api/conditions.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import type { Condition, ObjectMeta } from "../api/meta.ts";
import { AttemptCause } from "../controllers/candidatetrial/outcome.ts";
import { type ApiClient, ApiError } from "./client.ts";

export interface ObjectEvent {
  type: "Normal" | "Warning";
  /** One word. */
  reason: string;
  /** A sentence. */
  note: string;
}

/** What a status write has to tell: one event for one thing, none for counts that go on. */
export function conditionEvents<T extends ArchitectureSearch | CandidateTrial>(
  before: T,
  after: T,
): ObjectEvent[] {
  return after.kind === "ArchitectureSearch"
    ? searchEvents(before as ArchitectureSearch, after)
    : trialEvents(before as CandidateTrial, after);
}

function searchEvents(before: ArchitectureSearch, after: ArchitectureSearch): ObjectEvent[] {
  const became = (type: string) => turned(before, after, type);
  const failed = became(SearchCondition.Failed);
  if (failed) return [event("Warning", failed)];
  const complete = became(SearchCondition.Complete);
  if (complete) return [event("Normal", complete)];
  const suspended = became(SearchCondition.Suspended);
  if (suspended) return [event("Normal", suspended)];
  const events: ObjectEvent[] = [];
  const progressing = became(SearchCondition.Progressing);
  if (progressing) {
    const first = !condition(before, SearchCondition.Progressing);
    events.push(event("Normal", progressing, first ? progressing.reason : "Resumed"));
  }
  const stalled = became(SearchCondition.Stalled);
  if (stalled) events.push(event("Warning", stalled));
  const cleared = turned(after, before, SearchCondition.Stalled) && condition(after, SearchCondition.Stalled);
  if (cleared?.reason === SearchReason.Searching) events.push(event("Normal", cleared, "Recovered"));
  return events;
}

function trialEvents(before: CandidateTrial, after: CandidateTrial): ObjectEvent[] {
  const ended =
    turned(before, after, TrialCondition.Failed) ?? turned(before, after, TrialCondition.Complete);
  // What was rejected or deleted is nothing to worry about.
  if (ended) return [event(after.status?.result?.outcome === "Failed" ? "Warning" : "Normal", ended)];
  const open = before.status?.attempts?.filter(({ endTime }) => endTime === undefined) ?? [];
  const events = open.flatMap(({ number }): ObjectEvent[] => {
    const attempt = after.status?.attempts?.find((other) => other.number === number);
    if (attempt?.endTime === undefined || attempt.cause === undefined) return [];
    const type = attempt.cause === AttemptCause.Suspended ? "Normal" : "Warning";
    return [{ type, reason: attempt.cause, note: `attempt ${number}: ${attempt.message ?? "ended"}` }];
  });
  const progressing = condition(after, TrialCondition.Progressing);
  if (progressing?.status !== "True") return events;
  if (progressing.reason === TrialReason.Running) {
    if (turned(before, after, TrialCondition.Progressing)) events.push(event("Normal", progressing));
    return events;
  }
  const obstacle = obstacleOf(progressing);
  if (obstacle && obstacle !== obstacleOf(condition(before, TrialCondition.Progressing)))
    events.push(event("Warning", progressing, obstacle));
  return events;
}

const condition = (object: ArchitectureSearch | CandidateTrial, type: string): Condition | undefined =>
  object.status?.conditions?.find((condition) => condition.type === type);

/** The condition, where it has become true or is true for another reason than before. */
function turned<T extends ArchitectureSearch | CandidateTrial>(before: T, after: T, type: string) {
  const [was, is] = [condition(before, type), condition(after, type)];
  return is?.status === "True" && (was?.status !== "True" || was.reason !== is.reason) ? is : undefined;
}

const event = (
  type: ObjectEvent["type"],
  { message, reason }: Condition,
  word: string = reason,
): ObjectEvent => ({ type, reason: word, note: message });

/** Kubernetes' own word for what an attempt waits for, with which the message then begins (see whyPending). */
const obstacleOf = ({ reason, message }: Partial<Condition> = {}): string | undefined =>
  reason === TrialReason.Pending
    ? /^(?:container \S+: )?([A-Z]\w*)(?:: |$)/.exec(message ?? "")?.[1]
    : undefined;

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

  function record(regarding: Regarding, { type, reason, note }: ObjectEvent, time: number): void {
    const { apiVersion, kind, metadata } = regarding;
    const { name, namespace = "default", uid = "", resourceVersion } = metadata;
    if (!allowed(uid, time)) return;
    const key = JSON.stringify([uid, type, reason, note]);
    const known = remembered.get(key);
    const series = known && time - known.last <= SERIES_MS ? known : first();
    series.count++;
    series.last = time;
    remember(remembered, key, series);
    waiting.add(series);
    if (waiting.size > MAX_QUEUED) waiting.delete(oldest(waiting));

    function first(): Series {
      // No two events have the same, whatever the clock does.
      lastMicroseconds = Math.max(time * 1000, lastMicroseconds + 1);
      const eventName = `${name.slice(0, MAX_NAME).replace(/[-.]+$/, "")}.${hex(lastMicroseconds)}`;
      return {
        collection: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
        name: eventName,
        body: {
          apiVersion: "events.k8s.io/v1",
          kind: "Event",
          metadata: { namespace, name: eventName },
          eventTime: microTime(lastMicroseconds),
          reportingController: controller,
          reportingInstance: instance.slice(0, MAX_INSTANCE),
          action: "Reconcile",
          regarding: { apiVersion, kind, namespace, name, uid, resourceVersion },
          type,
          reason,
          note: cut(note),
        },
        count: 0,
        last: time,
        written: false,
      };
    }
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

  async function write(written: Series): Promise<void> {
    const { collection, name, body, count, last } = written;
    const series = count > 1 && { series: { count, lastObservedTime: microTime(last * 1000) } };
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    if (series && written.written) {
      try {
        const contentType = "application/merge-patch+json";
        await client.request({
          method: "PATCH",
          path: `${collection}/${name}`,
          body: series,
          contentType,
          signal,
        });
        return;
      } catch (error) {
        // Events are kept for an hour or so.
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
      }
    }
    await client.request({ method: "POST", path: collection, body: { ...body, ...series }, signal });
    written.written = true;
  }

  return {
    record(regarding, events) {
      if (closed !== undefined) return;
      for (const event of events) record(regarding, event, now().getTime());
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
