// Candidates for a lease in a world of its own: a clock that is moved on by hand, an API server that keeps Leases,
// and a network and processes that can be made as slow and as lossy as wanted.
import assert from "node:assert/strict";
import { type ApiClient, ApiError, type ApiRequest } from "@segnas/operator/kube/client.ts";
import { acquireLease, type Leadership, REQUEST_TIMEOUT_MS } from "@segnas/operator/kube/lease.ts";

export interface StoredLease {
  metadata: { name: string; namespace: string; resourceVersion: string; labels?: Record<string, string> };
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** What becomes of a request: milliseconds until it is carried out, and until its answer is there; undefined is never. */
export interface Passage {
  there: number | undefined;
  back: number | undefined;
}

export interface Process {
  identity: string;
  alive: boolean;
  /** Nothing happens in it before. */
  stoppedUntil: number;
  leadership: Leadership | undefined;
  stop: AbortController;
  failures: string[];
  holders: (string | undefined)[];
}

/** @param epoch what the clocks on the wall say at the beginning, in milliseconds */
export function createWorld({
  passage,
  random = () => 0.5,
  epoch = 0,
}: {
  passage: (request: ApiRequest, process: Process) => Passage;
  random?: () => number;
  epoch?: number;
}) {
  let time = 0;
  let order = 0;
  let version = 0;
  const agenda: { at: number; order: number; run: () => void }[] = [];
  const server: { lease: StoredLease | undefined } = { lease: undefined };

  function at(when: number, run: () => void): void {
    agenda.push({ at: when, order: order++, run });
  }

  /** At that time in the process, or once it goes on, or never where it has died. */
  function inProcess(process: Process, when: number, run: () => void): void {
    at(when, () => {
      if (!process.alive) return;
      if (time < process.stoppedUntil) inProcess(process, process.stoppedUntil, run);
      else run();
    });
  }

  function serve({ method = "GET", body }: ApiRequest): StoredLease {
    const wanted = structuredClone(body) as StoredLease | undefined;
    if (method === "POST") {
      if (server.lease) throw new ApiError(409, "AlreadyExists", "it is there");
    } else {
      if (!server.lease) throw new ApiError(404, "NotFound", "not found");
      if (method === "GET") return structuredClone(server.lease);
      if (wanted!.metadata.resourceVersion !== server.lease.metadata.resourceVersion)
        throw new ApiError(409, "Conflict", "it has changed");
    }
    server.lease = {
      ...wanted!,
      metadata: { ...wanted!.metadata, resourceVersion: String(++version) },
    };
    return structuredClone(server.lease);
  }

  const clientOf = (process: Process): ApiClient => ({
    namespace: "ns",
    request: <T>(request: ApiRequest): Promise<T> =>
      new Promise((resolve, reject) => {
        const { there, back } = passage(request, process);
        const timeout = time + REQUEST_TIMEOUT_MS;
        inProcess(process, timeout, () => reject(new Error("no answer")));
        if (there === undefined) return;
        at(time + there, () => {
          let answer: () => void;
          try {
            const lease = serve(request);
            answer = () => resolve(lease as T);
          } catch (error) {
            answer = () => reject(error);
          }
          if (back !== undefined) inProcess(process, time + back, answer);
        });
      }),
    text: () => assert.fail(),
    lines: () => assert.fail(),
  });

  const wait = (process: Process, milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      inProcess(process, time + milliseconds, resolve);
    });

  return {
    server,
    time: () => time,
    inProcess,

    /** A process that asks for the lease. `leads` is called when it has it. */
    start(identity: string, leads: (process: Process) => void = () => {}): Process {
      const process: Process = {
        identity,
        alive: true,
        stoppedUntil: 0,
        leadership: undefined,
        stop: new AbortController(),
        failures: [],
        holders: [],
      };
      const options = {
        client: clientOf(process),
        namespace: "ns",
        name: "operator",
        identity,
        now: () => new Date(epoch + time),
        random,
        failed: (error: unknown) => process.failures.push((error as Error).message),
        observed: (holder: string | undefined) => process.holders.push(holder),
        monotonic: () => time,
        wait: (milliseconds: number, signal: AbortSignal) => wait(process, milliseconds, signal),
      };
      acquireLease(options, process.stop.signal).then(
        (leadership) => {
          process.leadership = leadership;
          leads(process);
        },
        (error) => assert.equal(error, process.stop.signal.reason),
      );
      return process;
    },

    /** Lets everything happen until then. `each` is called after all that happens at one time. */
    async run(until: number, each: () => void = () => {}): Promise<void> {
      for (;;) {
        // Promises first.
        await new Promise(setImmediate);
        agenda.sort((a, b) => a.at - b.at || a.order - b.order);
        const next = agenda[0];
        if (next?.at === time) agenda.shift()!.run();
        else {
          each();
          if (!next || next.at > until) break;
          time = next.at;
        }
      }
      time = until;
    },
  };
}

/** Whether a process would work now, were it to look at nothing but `lost`. */
export const works = ({ leadership }: Process): boolean => leadership?.lost.aborted === false;
