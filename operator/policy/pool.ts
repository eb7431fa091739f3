// The threads that policies run in: a few, shared by all, since each takes some 30 MB however little it holds. A
// policy stays in one thread; a thread begins with its first policy and ends with its last.
import { Worker } from "node:worker_threads";
import type { Experience } from "./policy.ts";
import type { PolicySettings } from "./settings.ts";

/** What a policy starts from. */
export interface PolicyStart {
  settings: PolicySettings;
  seed: number;
}

/** A call as it crosses to the thread. */
export type PolicyCall =
  | ({ method: "start" } & PolicyStart)
  | { method: "propose"; index: number; version: number; draw: number }
  | { method: "score"; version: number; decisions: readonly number[] }
  | { method: "learn"; batch: readonly Experience[] }
  | { method: "probabilities" | "state"; version: number }
  | { method: "restore"; version: number; state: Uint8Array }
  | { method: "forget"; belowVersion: number }
  | { method: "close" };

/** A thread gets the next one when it has answered the last. */
export interface PolicyRequest {
  /** Its number in this process. */
  policy: number;
  call: PolicyCall;
}

/** What comes back: the result, or why there is none. */
export type PolicyReply = { result: unknown } | { error: string };

/** A policy's place in a thread. */
export interface Place {
  /** The calls of a policy are answered in their order. Rejects once the thread has ended. */
  call<T>(call: PolicyCall): Promise<T>;
  /** Frees what the policy takes in the thread; calls that still wait are rejected. */
  leave(): Promise<void>;
}

interface Waiting extends PolicyRequest {
  resolve: (result: never) => void;
  reject: (reason: Error) => void;
}

interface Thread {
  policies: Set<number>;
  place(policy: number): Place;
}

/** While one learns, the policies of the other are still served. */
const THREADS = 2;
/** The young generation's, so that it does not grow by what is garbage at once. */
const YOUNG_MB = 6;

const threads = new Set<Thread>();
let policies = 0;

/** A place in the thread that has the fewest policies. A thread keeps the process alive only while a call waits. */
export function takePlace(): Place {
  if (threads.size < THREADS) startThread();
  const [thread] = [...threads].sort((a, b) => a.policies.size - b.policies.size);
  return thread!.place(policies++);
}

function startThread(): void {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  worker.unref();
  let queue: Waiting[] = [];
  let running: Waiting | undefined;
  let ended: Error | undefined;

  function end(reason: Error): void {
    ended ??= reason;
    threads.delete(thread);
    running?.reject(ended);
    for (const { reject } of queue) reject(ended);
    queue = [];
  }
  worker.on("error", (error) =>
    end(new Error(`the policy's thread failed: ${error.message}`, { cause: error })),
  );
  // Otherwise the call would wait for ever, and what the policy has learned by it is not known.
  worker.on("messageerror", (error) => {
    end(new Error(`the policy's thread cannot be understood: ${error.message}`, { cause: error }));
    worker.terminate();
  });
  worker.on("exit", (code) => end(new Error(`the policy's thread ended with code ${code}`)));
  worker.on("message", (reply: PolicyReply) => {
    const { resolve, reject } = running!;
    next();
    if ("error" in reply) reject(new Error(reply.error));
    else resolve(reply.result as never);
  });

  function next(): void {
    running = nextOf(queue);
    if (!running) {
      worker.unref();
      return;
    }
    const { policy, call } = running;
    queue.splice(queue.indexOf(running), 1);
    worker.ref();
    worker.postMessage({ policy, call } satisfies PolicyRequest);
  }

  const thread: Thread = {
    policies: new Set(),
    place(policy) {
      thread.policies.add(policy);
      function call<T>(what: PolicyCall): Promise<T> {
        if (ended) return Promise.reject(ended);
        return new Promise<T>((resolve, reject) => {
          queue.push({ policy, call: what, resolve, reject });
          if (!running) next();
        });
      }
      async function leave(): Promise<void> {
        thread.policies.delete(policy);
        const isOwn = (waiting: Waiting) => waiting.policy === policy;
        const closed = new Error("the policy is closed");
        if (running && isOwn(running)) running.reject(closed);
        for (const { reject } of queue.filter(isOwn)) reject(closed);
        queue = queue.filter((waiting) => !isOwn(waiting));
        if (thread.policies.size === 0) {
          end(closed);
          await worker.terminate();
        } else await call({ method: "close" }).catch(() => {});
      }
      return { call, leave };
    },
  };
  threads.add(thread);
}

/** The call that comes first; where that is to learn, the first of another policy that is not, as it takes less time. */
function nextOf(queue: Waiting[]): Waiting | undefined {
  const before = new Set<number>();
  for (const waiting of queue) {
    if (waiting.call.method !== "learn" && !before.has(waiting.policy)) return waiting;
    before.add(waiting.policy);
  }
  return queue[0];
}
