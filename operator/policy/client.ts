// A policy in a thread apart, so that learning never holds up the operator. Every update makes a new version;
// older ones can still be asked for proposals until they are forgotten.
import type { Experience, Proposal, Update } from "./policy.ts";
import { type PolicyCall, type PolicyStart, takePlace } from "./pool.ts";

export type { PolicyStart };

/** Update u makes version u; version 0 has learned nothing. All methods reject once the thread has ended. */
export interface PolicyClient {
  /** What version `version` proposes for trial `index`. Rejects where that version is not kept. See Policy.propose. */
  propose(index: number, version: number, draw?: number): Promise<Proposal>;
  /** See Policy.score. */
  score(version: number, decisions: readonly number[]): Promise<number>;
  /** Learns from a batch with the newest version, which makes the next one. Where it rejects, so does all that follows. */
  learn(batch: readonly Experience[]): Promise<Update>;
  /** See Policy.probabilities. */
  probabilities(version: number): Promise<number[][]>;
  /** See Policy.state. Rejects where `version` is not the newest: of the others it keeps only what they propose. */
  state(version: number): Promise<Uint8Array>;
  /** Goes on from a state of this version, which becomes the newest; every other version is forgotten. */
  restore(version: number, state: Uint8Array): Promise<void>;
  /** Drops the versions below this one; the newest always stays. */
  forget(belowVersion: number): Promise<void>;
  /** Frees what the policy takes in its thread; calls that still wait are rejected, and so is every later one. */
  close(): Promise<void>;
}

/** A new policy, in a thread that it shares with others (see pool.ts). */
export function startPolicy(start: PolicyStart): PolicyClient {
  const place = takePlace();
  let closing: Promise<void> | undefined;

  function call<T>(what: PolicyCall): Promise<T> {
    return closing ? Promise.reject(new Error("the policy is closed")) : place.call(what);
  }
  // Who calls next is told where this fails.
  place.call({ method: "start", ...start }).catch(() => {});

  return {
    propose: (index, version, draw = 0) => call({ method: "propose", index, version, draw }),
    score: (version, decisions) => call({ method: "score", version, decisions }),
    learn: (batch) => call({ method: "learn", batch }),
    probabilities: (version) => call({ method: "probabilities", version }),
    state: (version) => call({ method: "state", version }),
    restore: (version, state) => call({ method: "restore", version, state }),
    forget: (belowVersion) => call({ method: "forget", belowVersion }),
    close() {
      closing ??= place.leave();
      return closing;
    },
  };
}
