// The trials of searches as last seen: listed once, then kept by what the store tells of them. They may lag behind
// the store, so every decision on them is written under a resourceVersion or checked against the store.
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import { idOf, isLater, type Key, keyOf, type Store } from "../api/store.ts";

export interface TrialCache {
  /** The trials of a search by their spec, as anybody may change labels. They are shared: not to be changed. */
  of(search: Key): Promise<CandidateTrial[]>;
  /** Takes over what a write or a read has answered, unless something newer is known. */
  see(trial: CandidateTrial): void;
  /** Reads one anew; undefined where it is gone. */
  refresh(trial: Key): Promise<CandidateTrial | undefined>;
  close(): void;
}

/** How many of those that are gone are remembered: an answer is on its way for seconds, in which fewer are deleted. */
export const GONE = 10_000;

interface Known {
  /** By name. */
  trials: Map<string, CandidateTrial>;
  loaded: Promise<void>;
}

export function cacheTrials(store: Store): TrialCache {
  /** By search: those that are there. */
  const searches = new Map<string, Known>();
  /** By UID, the first that went first. An answer may come after the news that its object is gone. */
  const gone = new Set<string>();
  const searchOf = (trial: CandidateTrial) =>
    idOf({ namespace: keyOf(trial).namespace, name: trial.spec.search });

  function put(trials: Known["trials"], trial: CandidateTrial): void {
    const before = trials.get(trial.metadata.name);
    if (gone.has(trial.metadata.uid!) || (before && !isLater(trial, before))) return;
    trials.set(trial.metadata.name, trial);
  }

  function see(trial: CandidateTrial): void {
    const known = searches.get(searchOf(trial));
    if (known) put(known.trials, trial);
  }

  function forget({ namespace, name }: Key, uid: string): void {
    gone.add(uid);
    if (gone.size > GONE) gone.delete(gone.values().next().value!);
    for (const [search, { trials }] of searches)
      if (search.startsWith(`${namespace}/`) && trials.get(name)?.metadata.uid === uid) trials.delete(name);
  }

  const watches = [
    store.watch("CandidateTrial", ({ type, object }) => {
      if (type === "DELETED") forget(keyOf(object), object.metadata.uid!);
      else see(object);
    }),
    // Another of its name lists its own anew.
    store.watch("ArchitectureSearch", ({ type, object }) => {
      if (type === "DELETED") searches.delete(idOf(keyOf(object)));
    }),
  ];

  function load(search: Key): Known {
    const id = idOf(search);
    const trials: Known["trials"] = new Map();
    const letGo = () => {
      if (searches.get(id) === known) searches.delete(id);
    };
    async function fill(): Promise<void> {
      // Of one that is gone nothing would ever let go.
      if (!(await store.get("ArchitectureSearch", search))) letGo();
      for (const trial of await store.list("CandidateTrial", search.namespace))
        if (trial.spec.search === search.name) put(trials, trial);
    }
    const known: Known = { trials, loaded: Promise.resolve() };
    searches.set(id, known);
    known.loaded = fill().catch((error) => {
      letGo();
      throw error;
    });
    return known;
  }

  return {
    see,
    close() {
      for (const unwatch of watches) unwatch();
    },
    async of(search) {
      const { trials, loaded } = searches.get(idOf(search)) ?? load(search);
      await loaded;
      return [...trials.values()];
    },
    async refresh(key) {
      const trial = await store.live.get("CandidateTrial", key);
      for (const { trials } of searches.values()) {
        const before = trials.get(key.name);
        if (
          before &&
          keyOf(before).namespace === key.namespace &&
          before.metadata.uid !== trial?.metadata.uid
        )
          forget(key, before.metadata.uid!);
      }
      if (trial) see(trial);
      return trial;
    },
  };
}
