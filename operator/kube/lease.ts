// Leader election by a Lease (coordination.k8s.io/v1), in the way of client-go's leaderelection: one of several
// operators works, the others wait. Times in the Lease are for people to read. Each candidate measures by its own
// monotonic clock: others how long the Lease has stayed as it is, the leader how long ago it asked for the last
// renewal that came about. The leader stops five seconds before another may take over.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ObjectMeta } from "../api/meta.ts";
import { type ApiClient, ApiError, type ApiRequest } from "./client.ts";

export interface LeaseOptions {
  client: ApiClient;
  namespace: string;
  name: string;
  /** Who this is, such as the pod's UID: a lease that is held under it already is taken at once. */
  identity: string;
  now: () => Date;
  /** From 0 to 1: so that those who wait do not ask all at the same time. */
  random: () => number;
  /** Told of each attempt that went wrong. The next one follows. */
  failed: (error: unknown) => void;
  /** Told who holds the lease, when that is first seen and when it changes; undefined is nobody. */
  observed?: (holder: string | undefined) => void;
  /** Milliseconds by a clock that only goes forward. */
  monotonic?: () => number;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Held by one at a time. */
export interface Leadership {
  /**
   * Aborts, with the reason as an Error, when this one leads no more as it could not renew the lease in time or
   * somebody else holds it: whoever works under it must stop at once. `release` does not abort it.
   */
  lost: AbortSignal;
  /** Whether it leads now, by the clock: a process that was stopped may be about to act before `lost` can abort. */
  holds(): boolean;
  /** Gives the lease back, once all work under it has ended, so that another need not wait for it to run out. */
  release(): Promise<void>;
}

interface Lease {
  apiVersion: "coordination.k8s.io/v1";
  kind: "Lease";
  metadata: ObjectMeta;
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** How long a lease that is not renewed keeps others from taking it. */
export const LEASE_MS = 15_000;
/** How long after its last renewal a leader goes on. */
export const RENEW_DEADLINE_MS = 10_000;
export const RETRY_MS = 2_000;
/** Short enough for more than one try before the deadline. */
export const REQUEST_TIMEOUT_MS = 3_000;

/**
 * Resolves when this one leads. Errors of the API server go to `failed` and are no end to trying.
 * @throws signal.reason once `signal` has aborted; the lease is not held then
 */
export async function acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<Leadership> {
  const { random, wait = defaultWait, monotonic = () => performance.now() } = options;
  const lease = leaseObject(options, monotonic);
  for (;;) {
    signal.throwIfAborted();
    let pause = RETRY_MS * (1 + random() / 2);
    const until = await lease.attempt("acquired", async () => {
      const found = await lease.read();
      const left = lease.heldByOther() ? lease.expiry() - monotonic() : 0;
      if (left <= 0) return await lease.write(found);
      pause = Math.min(pause, left);
      return undefined;
    });
    if (until !== undefined && until > monotonic()) {
      const leadership = lead(options, lease, until, { wait, monotonic });
      if (!signal.aborted) return leadership;
      await leadership.release();
    } else await wait(pause, signal);
  }
}

const defaultWait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal });

/** Renews the lease, which is held until then by `monotonic`, for as long as that goes well. */
function lead(
  { identity, namespace, name }: LeaseOptions,
  lease: LeaseObject,
  firstUntil: number,
  { wait, monotonic }: Required<Pick<LeaseOptions, "wait" | "monotonic">>,
): Leadership {
  const lost = new AbortController();
  /** It is lost or released. */
  const over = new AbortController();
  let until = firstUntil;

  function lose(why: string): void {
    if (over.signal.aborted) return;
    over.abort();
    lost.abort(new Error(`lease ${namespace}/${name}: ${why}`));
  }

  function holds(): boolean {
    if (monotonic() >= until) lose(`not renewed in ${RENEW_DEADLINE_MS / 1000} s`);
    return !over.signal.aborted;
  }

  const pause = (milliseconds: number): Promise<void> => wait(milliseconds, over.signal).catch(() => {});

  async function watch(): Promise<void> {
    while (holds()) await pause(until - monotonic());
  }

  async function renew(): Promise<void> {
    for (await pause(RETRY_MS); holds(); await pause(RETRY_MS)) {
      const renewed = await lease.attempt("renewed", async () => {
        const found = await lease.read();
        const holder = found?.spec.holderIdentity;
        if (found && holder !== identity) lose(`held by ${holder || "nobody"}`);
        return holds() ? await lease.write(found) : undefined;
      });
      until = renewed ?? until;
    }
  }

  void watch();
  const renewing = renew();
  return {
    lost: lost.signal,
    holds,
    async release() {
      if (!holds()) return;
      over.abort();
      await renewing;
      await lease.attempt("released", lease.release);
    },
  };
}

type LeaseObject = ReturnType<typeof leaseObject>;

/** The Lease on the API server, and what was seen of it. */
function leaseObject(
  { client, namespace, name, identity, now, failed, observed = () => {} }: LeaseOptions,
  monotonic: () => number,
) {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const path = `${collection}/${name}`;
  let seen: { spec: Lease["spec"]; since: number } | undefined;

  const send = (request: ApiRequest): Promise<Lease> =>
    client.request<Lease>({ ...request, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });

  function see({ spec }: Pick<Lease, "spec">): void {
    if (isDeepStrictEqual(spec, seen?.spec)) return;
    const holder = spec.holderIdentity || undefined;
    if (!seen || holder !== (seen.spec.holderIdentity || undefined)) observed(holder);
    seen = { spec, since: monotonic() };
  }

  async function read(): Promise<Lease | undefined> {
    try {
      const lease = await send({ path });
      see(lease);
      return lease;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      see({ spec: {} });
      return undefined;
    }
  }

  /** Puts our name into the lease as it was found. Until when it is ours by that. */
  async function write(found: Lease | undefined): Promise<number> {
    const time = microTime(now());
    const before = found?.spec;
    const ours = before?.holderIdentity === identity;
    const transitions = before?.leaseTransitions ?? 0;
    const spec: Lease["spec"] = {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_MS / 1000,
      acquireTime: (ours && before.acquireTime) || time,
      renewTime: time,
      leaseTransitions: !found || ours ? transitions : transitions + 1,
    };
    const sent = monotonic();
    see(await (found ? put(found, spec) : create(spec)));
    return sent + RENEW_DEADLINE_MS;
  }

  const put = (found: Lease, spec: Lease["spec"]): Promise<Lease> =>
    send({ method: "PUT", path, body: { ...found, spec } });

  const create = (spec: Lease["spec"]): Promise<Lease> =>
    send({
      method: "POST",
      path: collection,
      body: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace, name }, spec },
    });

  return {
    read,
    write,
    heldByOther: (): boolean => ![undefined, "", identity].includes(seen?.spec.holderIdentity),
    /** When it runs out unless it changes. */
    expiry: (): number => (seen ? seen.since + (seen.spec.leaseDurationSeconds ?? 0) * 1000 : 0),

    async release(): Promise<void> {
      const found = await read();
      if (found?.spec.holderIdentity !== identity) return;
      const { holderIdentity: _, ...spec } = found.spec;
      see(await put(found, { ...spec, leaseDurationSeconds: 1, renewTime: microTime(now()) }));
    },

    /** What the action gives; undefined where it goes wrong, which is told unless somebody was only faster. */
    async attempt<T>(participle: string, action: () => Promise<T>): Promise<T | undefined> {
      try {
        return await action();
      } catch (cause) {
        if (cause instanceof ApiError && cause.status === 409) return undefined;
        const message = `lease ${namespace}/${name} could not be ${participle}: ${(cause as Error).message}`;
        failed(new Error(message, { cause }));
        return undefined;
      }
    },
  };
}

const microTime = (time: Date): string => time.toISOString().replace("Z", "000Z");
