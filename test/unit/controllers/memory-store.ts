// The store's rules in memory, for tests that need many of them. store.test.ts holds it to the same rules as the
// local store.
import {
  AlreadyExistsError,
  ConflictError,
  hasLabels,
  type Key,
  type Kind,
  type KubernetesObject,
  keyOf,
  NotFoundError,
  type Reader,
  type Store,
  type WatchEvent,
} from "@segnas/operator/api/store.ts";

type Listener = (event: WatchEvent<never>) => void;

export function memoryStore(now = () => new Date("2026-01-02T03:04:05Z")): Store {
  /** Each as JSON, by kind, namespace and name. */
  const objects = new Map<string, string>();
  const listeners: { kind: Kind; listener: Listener }[] = [];
  let versions = 0;
  let uids = 0;
  const id = (kind: Kind, { namespace, name }: Key) => `${kind}/${namespace}/${name}`;
  const parse = (text: string | undefined): KubernetesObject | undefined => text && JSON.parse(text);

  function save(type: "ADDED" | "MODIFIED", object: KubernetesObject): never {
    object.metadata.resourceVersion = String(++versions);
    const text = JSON.stringify(object);
    objects.set(id(object.kind, keyOf(object)), text);
    tell(type, object.kind, text);
    return JSON.parse(text) as never;
  }

  function tell(type: WatchEvent<Kind>["type"], kind: Kind, text: string): void {
    for (const { kind: wanted, listener } of [...listeners])
      if (wanted === kind) listener({ type, object: JSON.parse(text) } as WatchEvent<never>);
  }

  function current(object: KubernetesObject): KubernetesObject {
    const before = parse(objects.get(id(object.kind, keyOf(object))));
    const { uid, resourceVersion, name } = object.metadata;
    if (!before || (uid && uid !== before.metadata.uid)) throw new NotFoundError(`${name} is gone`);
    if (resourceVersion !== before.metadata.resourceVersion) throw new ConflictError(`${name} has changed`);
    return before;
  }

  const equal = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

  const reader: Reader = {
    async get(kind, key) {
      return parse(objects.get(id(kind, key))) as never;
    },
    async list(kind, namespace, labels = {}) {
      const start = namespace === undefined ? `${kind}/` : `${kind}/${namespace}/`;
      const texts = [...objects]
        .filter(([key]) => key.startsWith(start))
        .sort(([a], [b]) => (a < b ? -1 : 1));
      return texts.map(([, text]) => parse(text)!).filter((object) => hasLabels(object, labels)) as never;
    },
  };
  return {
    ...reader,
    live: reader,
    async create(object) {
      if (objects.has(id(object.kind, keyOf(object)))) throw new AlreadyExistsError(object.metadata.name);
      const { status: _, ...made } = object as KubernetesObject & { status?: unknown };
      const { namespace } = keyOf(object);
      const own = {
        namespace,
        uid: `uid-${++uids}`,
        generation: 1,
        creationTimestamp: now()
          .toISOString()
          .replace(/\.\d+Z$/, "Z"),
      };
      return save("ADDED", { ...made, metadata: { ...object.metadata, ...own } } as KubernetesObject);
    },
    async update(object) {
      const before = current(object);
      const { generation = 1, uid, creationTimestamp, namespace } = before.metadata;
      const same = equal(object.spec, before.spec);
      const kept = { uid, creationTimestamp, namespace, generation: same ? generation : generation + 1 };
      const after = {
        ...before,
        metadata: { ...object.metadata, ...kept },
        spec: object.spec,
      } as KubernetesObject;
      return equal(after, before) ? (before as never) : save("MODIFIED", after);
    },
    async updateStatus(object) {
      const before = current(object);
      const after = { ...before, status: (object as { status?: unknown }).status } as KubernetesObject;
      return equal(after, before) ? (before as never) : save("MODIFIED", after);
    },
    async delete(kind, key, { uid }) {
      const object = parse(objects.get(id(kind, key)));
      if (!object) return;
      if (object.metadata.uid !== uid) throw new ConflictError(`${key.name} is another by now`);
      const doomed = [object];
      for (const owner of doomed) {
        const all = [...objects.values()].map((text) => parse(text)!);
        doomed.push(
          ...all.filter(({ metadata }) =>
            metadata.ownerReferences?.some((reference) => reference.uid === owner.metadata.uid),
          ),
        );
      }
      for (const victim of doomed) {
        objects.delete(id(victim.kind, keyOf(victim)));
        tell("DELETED", victim.kind, JSON.stringify(victim));
      }
    },
    watch(kind, listener) {
      const entry = { kind, listener: listener as Listener };
      listeners.push(entry);
      return () => listeners.splice(listeners.indexOf(entry), 1);
    },
  };
}
