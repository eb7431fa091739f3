// The store on an API server: what controllers look at all the time is read from caches that watches keep, and
// everything else, and every write, goes to the server.
import { setImmediate } from "node:timers";
import { isDeepStrictEqual } from "node:util";
import { SearchReason, StalledError } from "../api/conditions.ts";
import {
  ConflictError,
  type Kind,
  keyOf,
  NotFoundError,
  type Objects,
  type Reader,
  type Store,
  type WatchEvent,
} from "../api/store.ts";
import { type Cache, createCache } from "./cache.ts";

/** The API itself. */
export type Remote = Omit<Store, "live" | "watch">;

export const CACHED = ["ArchitectureSearch", "CandidateTrial", "Job", "Pod", "Event"] as const;
export type Cached = (typeof CACHED)[number];

/** What watches tell. */
export interface Feed {
  listed<K extends Cached>(kind: K, objects: Objects[K][], resourceVersion: string): void;
  changed<K extends Cached>(kind: K, event: WatchEvent<K>): void;
}

/** Called after a status was written: the object as it was known before, and as it is now. */
export type StatusWritten = (before: Objects[Kind], after: Objects[Kind]) => void;

export function createStore(remote: Remote, statusWritten: StatusWritten = () => {}): Store & Feed {
  const caches = new Map<Kind, Cache<never>>(CACHED.map((kind) => [kind, createCache()]));
  const listeners = new Map<Kind, Set<(event: WatchEvent<never>) => void>>();
  const cacheOf = <K extends Kind>(kind: K) => caches.get(kind) as Cache<K> | undefined;

  function tell<K extends Kind>(kind: K, events: WatchEvent<K>[] = []): void {
    for (const event of events)
      for (const listener of listeners.get(kind) ?? []) {
        // After the caller has its answer.
        setImmediate(() => {
          if (listeners.get(kind)?.has(listener)) listener(event as WatchEvent<never>);
        });
      }
  }

  const see = <K extends Kind>(kind: K, object: Objects[K]): void => tell(kind, cacheOf(kind)?.see(object));

  const live: Reader = {
    async get(kind, key) {
      const object = await remote.get(kind, key);
      if (object) see(kind, object);
      else {
        const known = cacheOf(kind)?.get(key);
        if (known) tell(kind, cacheOf(kind)!.lose(key, known.metadata.uid!));
      }
      return object;
    },
    async list(kind, namespace, labels) {
      const objects = await remote.list(kind, namespace, labels);
      for (const object of objects) see(kind, object);
      return objects;
    },
  };

  /** Writes. A conflict, or that the object is gone, shows that the cache is behind: it learns how it stands. */
  async function write<K extends Kind>(
    object: Objects[K],
    operation: "update" | "updateStatus",
  ): Promise<Objects[K]> {
    const kind = object.kind as K;
    const before = cacheOf(kind)?.get(keyOf(object));
    try {
      const after = await remote[operation]<K>(object);
      see(kind, after);
      if (operation === "updateStatus") checkKept(object, after);
      if (before && operation === "updateStatus") statusWritten(before, after);
      return after;
    } catch (error) {
      if (before && (error instanceof ConflictError || error instanceof NotFoundError))
        await live.get(kind, keyOf(object));
      throw error;
    }
  }

  return {
    live,
    async get(kind, key) {
      const cache = cacheOf(kind);
      return cache ? cache.get(key) : remote.get(kind, key);
    },
    async list(kind, namespace, labels = {}) {
      const cache = cacheOf(kind);
      return cache ? cache.list(namespace, labels) : remote.list(kind, namespace, labels);
    },
    async create(object) {
      const created = await remote.create(object);
      see(created.kind, created);
      return created;
    },
    update: (object) => write(object, "update"),
    updateStatus: (object) => write(object, "updateStatus"),
    async delete(kind, key, precondition) {
      const left = await remote.delete(kind, key, precondition);
      // Finalizers may hold it for a while.
      if (left) see(kind, left);
      else tell(kind, cacheOf(kind)?.lose(key, precondition.uid));
      return left;
    },
    watch(kind, listener) {
      const set = listeners.get(kind) ?? new Set();
      listeners.set(kind, set.add(listener as never));
      return () => set.delete(listener as never);
    },
    listed: (kind, objects, resourceVersion) => tell(kind, cacheOf(kind)!.replace(objects, resourceVersion)),
    changed(kind, { type, object }) {
      const cache = cacheOf(kind)!;
      tell(kind, type === "DELETED" ? cache.lose(keyOf(object), object.metadata.uid!) : cache.see(object));
    },
  };
}

/**
 * A server whose CustomResourceDefinition is older than the operator drops what it does not know of, and then nothing
 * has changed: to write it again and again would be for ever.
 * @throws StalledError where a status was written in vain
 */
function checkKept(written: Objects[Kind], after: Objects[Kind]): void {
  if (after.metadata.resourceVersion !== written.metadata.resourceVersion) return;
  const status = (object: Objects[Kind]): object =>
    JSON.parse(JSON.stringify(("status" in object && object.status) || {}));
  if (isDeepStrictEqual(status(written), status(after))) return;
  throw new StalledError(
    SearchReason.OutdatedDefinitions,
    `${after.metadata.name}: the cluster's CustomResourceDefinitions do not know all that this operator writes into status: upgrade them (helm upgrade, or kubectl apply --server-side -f crds/)`,
  );
}
