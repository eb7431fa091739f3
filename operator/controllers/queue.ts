// Which objects wait to be reconciled: each at most once in the queue, and never twice at a time.
import { ConflictError } from "../api/store.ts";

export interface Queue {
  /** Asks for a key to be worked on, now or from that time on. */
  add(key: string, when?: Date): void;
  /** Takes no more work; resolves when what is being worked on has ended. */
  close(): Promise<void>;
}

/**
 * Works on keys as they are added, different ones at the same time. `work` resolves to the time from which a key
 * is to be worked on again, if there is one. After a ConflictError it is worked on again at once; any other error
 * goes to `failed`.
 */
export function createQueue(
  work: (key: string) => Promise<Date | undefined>,
  { now, failed }: { now: () => Date; failed: (key: string, error: unknown) => void },
): Queue {
  const busy = new Map<string, Promise<void>>();
  /** Added again while they were worked on. */
  const again = new Set<string>();
  const timers = new Map<string, NodeJS.Timeout>();
  let closed = false;

  function add(key: string, when?: Date): void {
    if (closed) return;
    clearTimeout(timers.get(key));
    timers.delete(key);
    const delay = when ? when.getTime() - now().getTime() : 0;
    if (delay > 0)
      timers.set(
        key,
        setTimeout(() => add(key), Math.min(delay, 2 ** 31 - 1)),
      );
    else if (busy.has(key)) again.add(key);
    else busy.set(key, run(key));
  }

  async function run(key: string): Promise<void> {
    // Events that come in a row are one piece of work.
    await new Promise(setImmediate);
    let when: Date | undefined;
    try {
      again.delete(key);
      when = await work(key);
    } catch (error) {
      if (error instanceof ConflictError) again.add(key);
      else failed(key, error);
    }
    busy.delete(key);
    if (again.has(key)) add(key);
    else if (when) add(key, when);
  }

  return {
    add,
    async close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(busy.values());
    },
  };
}
