// Which objects wait to be reconciled: each at most once in the queue, and never twice at a time.
import { ConflictError } from "../api/store.ts";

export interface Queue {
  /** Asks for a key to be worked on, now or from that time on. */
  add(key: string, when?: Date): void;
  /** Takes no more work; resolves when what is being worked on has ended. */
  close(): Promise<void>;
}

/** Told of what a queue does; times in seconds. */
export interface QueueObserver {
  added(): void;
  started(key: string, waited: number): void;
  ended(key: string, took: number, result: "success" | "requeue_after" | "conflict" | "error"): void;
  /** How many wait. */
  depth(keys: number): void;
}

export interface QueueOptions {
  now: () => Date;
  /**
   * Told of an error, which is that many failures of the key in a row; returns when it is tried again, if it is
   * before it is added again.
   */
  failed: (key: string, error: unknown, failures: number) => Date | undefined;
  /** How many keys are worked on at a time; all where left out. */
  concurrency?: number;
  observer?: QueueObserver;
}

/** Doubled with each conflict after the first, at which the work is tried again at once. */
const CONFLICT_MS = 5;
const LONGEST_CONFLICT_MS = 1000;

/**
 * Works on keys as they are added, different ones at the same time. `work` resolves to the time from which a key
 * is to be worked on again, if there is one. After a ConflictError it is worked on again soon; any other error
 * goes to `failed`.
 */
export function createQueue(
  work: (key: string) => Promise<Date | undefined>,
  { now, failed, concurrency = Infinity, observer }: QueueOptions,
): Queue {
  const busy = new Map<string, Promise<void>>();
  /** Since when they wait for a place, in milliseconds. */
  const waiting = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  const failures = new Map<string, number>();
  let closed = false;

  function add(key: string, when?: Date): void {
    if (closed) return;
    clearTimeout(timers.get(key));
    timers.delete(key);
    const delay = when ? when.getTime() - now().getTime() : 0;
    if (delay > 0) {
      timers.set(
        key,
        setTimeout(() => add(key), Math.min(delay, 2 ** 31 - 1)),
      );
      return;
    }
    if (waiting.has(key)) return;
    waiting.set(key, performance.now());
    observer?.added();
    start();
  }

  /** Begins what waits and is not worked on, as far as there is room. */
  function start(): void {
    for (const [key, since] of waiting) {
      if (busy.size >= concurrency) break;
      if (busy.has(key)) continue;
      waiting.delete(key);
      busy.set(key, run(key, since));
    }
    observer?.depth(waiting.size);
  }

  async function run(key: string, since: number): Promise<void> {
    // Events that come in a row are one piece of work.
    await new Promise(setImmediate);
    waiting.delete(key);
    const began = performance.now();
    observer?.started(key, (began - since) / 1000);
    let when: Date | undefined;
    let result: Parameters<QueueObserver["ended"]>[2];
    try {
      when = await work(key);
      failures.delete(key);
      result = when ? "requeue_after" : "success";
    } catch (error) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      const conflict = error instanceof ConflictError;
      result = conflict ? "conflict" : "error";
      when = conflict ? afterConflict(count) : failed(key, error, count);
    }
    observer?.ended(key, (performance.now() - began) / 1000, result);
    busy.delete(key);
    if (when && !waiting.has(key)) add(key, when);
    start();
  }

  function afterConflict(count: number): Date {
    const delay = count === 1 ? 0 : Math.min(CONFLICT_MS * 2 ** count, LONGEST_CONFLICT_MS);
    return new Date(now().getTime() + delay);
  }

  return {
    add,
    async close() {
      closed = true;
      waiting.clear();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(busy.values());
    },
  };
}
