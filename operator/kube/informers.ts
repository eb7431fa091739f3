// The store on an API server with its caches kept by watches, one a kind, of one namespace or of all.
import type { Kind, Objects, Store } from "../api/store.ts";
import { SEARCH_LABEL } from "../controllers/candidatetrial/job.ts";
import type { ApiClient } from "./client.ts";
import { type ReflectorTimings, startReflector } from "./reflector.ts";
import { collectionPath, createRemote, received } from "./remote.ts";
import { CACHED, type Cached, createStore, type StatusWritten } from "./store.ts";

export interface InformersOptions {
  client: ApiClient;
  /** All where left out. */
  namespace: string | undefined;
  statusWritten?: StatusWritten;
  /** Told of what went wrong with a watch, which heals by itself. */
  failed: (kind: Kind, error: unknown) => void;
  now: () => Date;
  random: () => number;
}

export interface ClusterStore extends Store {
  /** Resolves when each kind has been listed. Nothing is to be read before. */
  synced: Promise<unknown>;
  /** When the server was last heard of, by kind; undefined before the first time. */
  heard(): [kind: Kind, time: Date | undefined][];
  /** The kinds that have not been heard of for so many milliseconds, or never. */
  silent(milliseconds: number): Kind[];
  close(): Promise<void>;
}

/** Of everybody's objects only those that are ours. */
const QUERIES: Partial<Record<Cached, Record<string, string>>> = {
  Job: { labelSelector: SEARCH_LABEL },
  Pod: { labelSelector: SEARCH_LABEL },
  // Why a Job has no pod.
  Event: { fieldSelector: "reason=FailedCreate,regarding.kind=Job" },
};

/** The API server keeps no cache of events, and so sends no bookmarks: their watches are short, as their end tells. */
const TIMINGS: Partial<Record<Cached, Partial<ReflectorTimings>>> = { Event: { watchSeconds: 60 } };

export function openClusterStore(options: InformersOptions): ClusterStore {
  const { client, namespace, statusWritten, failed, now, random } = options;
  const store = createStore(createRemote(client), statusWritten);
  const reflectors = CACHED.map(<K extends Cached>(kind: K) => {
    const query = QUERIES[kind];
    const reflector = startReflector<Objects[K]>({
      client,
      path: collectionPath(kind, namespace),
      ...(query && { query }),
      timings: TIMINGS[kind] ?? {},
      listed: (objects, resourceVersion) =>
        store.listed(
          kind,
          objects.map((object) => received(kind, object)),
          resourceVersion,
        ),
      changed: (type, object) => store.changed(kind, { type, object: received(kind, object) }),
      failed: (error) => failed(kind, error),
      now,
      random,
    });
    return { kind, ...reflector };
  });
  return {
    ...store,
    synced: Promise.all(reflectors.map(({ synced }) => synced)),
    heard: () => reflectors.map(({ kind, heard }) => [kind, heard()]),
    silent: (milliseconds) =>
      reflectors
        .filter(({ heard }) => now().getTime() - (heard()?.getTime() ?? 0) > milliseconds)
        .map(({ kind }) => kind),
    async close() {
      await Promise.all(reflectors.map((reflector) => reflector.close()));
    },
  };
}
