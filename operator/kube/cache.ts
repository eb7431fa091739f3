// Objects of one kind as last seen: by lists and watches, and by the answers to our own reads and writes, whichever
// is newest. So what was written here is never read back as it was before.
import {
  hasLabels,
  idOf,
  isLater,
  isLaterVersion,
  type Key,
  type Kind,
  type KubernetesObject,
  keyOf,
  type Objects,
  type WatchEvent,
} from "../api/store.ts";

export interface Cache<K extends Kind> {
  get(key: Key): Objects[K] | undefined;
  /** As Reader.list. */
  list(namespace: string | undefined, labels: Record<string, string>): Objects[K][];
  /** Takes an object as it was read or written, unless something newer is known of it. Returns what that changed. */
  see(object: Objects[K]): WatchEvent<K>[];
  /** Takes it that the object of this UID is gone. */
  lose(key: Key, uid: string): WatchEvent<K>[];
  /** Takes all that there was at a version: what is not among it is gone, unless it was made after that. */
  replace(objects: Objects[K][], resourceVersion: string): WatchEvent<K>[];
}

/** UIDs that are remembered as gone, for answers that come after the news that their object is. */
const GONE = 10_000;

export function createCache<K extends Kind>(): Cache<K> {
  const objects = new Map<string, Objects[K]>();
  const gone = new Set<string>();
  let lastList = "";
  function see(object: Objects[K]): WatchEvent<K>[] {
    const { uid } = object.metadata;
    if (gone.has(uid!)) return [];
    const key = idOf(keyOf(object));
    const before = objects.get(key);
    if (before && !isLater(object, before)) return [];
    objects.set(key, object);
    if (!before) return [{ type: "ADDED", object }];
    if (before.metadata.uid === uid) return [{ type: "MODIFIED", object }];
    // One of the same name was deleted and made anew in between.
    remember(before.metadata.uid!);
    return [
      { type: "DELETED", object: before },
      { type: "ADDED", object },
    ];
  }

  function remember(uid: string): void {
    gone.add(uid);
    if (gone.size > GONE) gone.delete(gone.values().next().value!);
  }

  function lose(key: Key, uid: string): WatchEvent<K>[] {
    remember(uid);
    const object = objects.get(idOf(key));
    if (object?.metadata.uid !== uid) return [];
    objects.delete(idOf(key));
    return [{ type: "DELETED", object: object! }];
  }

  return {
    get: (key) => objects.get(idOf(key)),
    list(namespace, labels) {
      const found = [...objects.values()].filter(
        (object: KubernetesObject) =>
          (namespace === undefined || object.metadata.namespace === namespace) && hasLabels(object, labels),
      );
      return found.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    },
    see,
    lose,
    replace(listed, resourceVersion) {
      const there = new Set(listed.map(({ metadata }) => metadata.uid));
      // A server that was restored from a backup has gone back in time: what it says now is so.
      const restored = isLaterVersion(lastList, resourceVersion);
      lastList = resourceVersion;
      const missing = [...objects.values()].filter(
        ({ metadata }) =>
          restored ||
          (!there.has(metadata.uid) && !isLaterVersion(metadata.resourceVersion, resourceVersion)),
      );
      const events = missing.flatMap((object) => lose(keyOf(object), object.metadata.uid!));
      if (restored) gone.clear();
      return [...events, ...listed.flatMap(see)];
    },
  };
}
