// A policy in a thread of its own, so that learning never holds up the operator. Every update makes a new version;
// older ones can still be asked for proposals until they are forgotten.
import { Worker } from "node:worker_threads";
import type { Experience, Proposal, Update } from "./policy.ts";
import type { PolicySettings } from "./settings.ts";

/** Update u makes version u; version 0 has learned nothing. All methods reject once the thread has ended. */
export interface PolicyClient {
  /** What version `version` proposes for trial `index`. Rejects where that version is not kept. See Policy.propose. */
  propose(index: number, version: number, draw?: number): Promise<Proposal>;
  /** See Policy.score. */
  score(version: number, decisions: readonly number[]): Promise<number>;
  /** Learns from a batch with the newest version, which makes the next one. */
  learn(batch: readonly Experience[]): Promise<Update>;
  /** See Policy.probabilities. */
  probabilities(version: number): Promise<number[][]>;
  /** See Policy.state. */
  state(version: number): Promise<Uint8Array>;
  /** Goes on from a state of this version, which becomes the newest; every other version is forgotten. */
  restore(version: number, state: Uint8Array): Promise<void>;
  /** Drops the versions below this one; the newest always stays. */
  forget(belowVersion: number): Promise<void>;
  /** Ends the thread; calls that still wait are rejected. */
  close(): Promise<void>;
}

/** A call as it crosses to the thread. */
export type PolicyCall =
  | { method: "propose"; index: number; version: number; draw: number }
  | { method: "score"; version: number; decisions: readonly number[] }
  | { method: "learn"; batch: readonly Experience[] }
  | { method: "probabilities" | "state"; version: number }
  | { method: "restore"; version: number; state: Uint8Array }
  | { method: "forget"; belowVersion: number };

export interface PolicyRequest {
  id: number;
  call: PolicyCall;
}

/** What comes back: the result, or why there is none. */
export type PolicyReply = { id: number } & ({ result: unknown } | { error: string });

/** What the thread starts from. */
export interface PolicyStart {
  settings: PolicySettings;
  seed: number;
}

interface Waiting {
  resolve: (result: never) => void;
  reject: (reason: Error) => void;
}

/** Starts the thread with version 0. It keeps the process alive only while a call waits. */
export function startPolicy(start: PolicyStart): PolicyClient {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: start });
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let ended: Error | undefined;
  worker.unref();

  function end(reason: Error): void {
    ended ??= reason;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  }
  worker.on("error", (error) =>
    end(new Error(`the policy's thread failed: ${error.message}`, { cause: error })),
  );
  worker.on("exit", (code) => end(new Error(`the policy's thread ended with code ${code}`)));
  worker.on("message", (reply: PolicyReply) => {
    const caller = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) worker.unref();
    if ("error" in reply) caller?.reject(new Error(reply.error));
    else caller?.resolve(reply.result as never);
  });

  function call<T>(what: PolicyCall): Promise<T> {
    if (ended !== undefined) return Promise.reject(ended);
    return new Promise<T>((resolve, reject) => {
      const id = calls++;
      const request: PolicyRequest = { id, call: what };
      worker.postMessage(request);
      waiting.set(id, { resolve, reject });
      worker.ref();
    });
  }

  return {
    propose: (index, version, draw = 0) => call({ method: "propose", index, version, draw }),
    score: (version, decisions) => call({ method: "score", version, decisions }),
    learn: (batch) => call({ method: "learn", batch }),
    probabilities: (version) => call({ method: "probabilities", version }),
    state: (version) => call({ method: "state", version }),
    restore: (version, state) => call({ method: "restore", version, state }),
    forget: (belowVersion) => call({ method: "forget", belowVersion }),
    async close() {
      end(new Error("the policy is closed"));
      await worker.terminate();
    },
  };
}
