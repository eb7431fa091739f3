// The caches of a cluster's store: whatever order answers and news come in, they never go back in time and come to
// what is there; and who listens hears of exactly what changed.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConflictError,
  isLater,
  type Job,
  keyOf,
  type Pod,
  type WatchEvent,
} from "@segnas/operator/api/store.ts";
import { createCache } from "@segnas/operator/kube/cache.ts";
import { createStore, type Remote } from "@segnas/operator/kube/store.ts";
import fc from "fast-check";

const pod = (name: string, uid: string, resourceVersion: number, labels = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "n", uid, resourceVersion: String(resourceVersion), labels },
  spec: { containers: [] },
});

/** What happened in a cluster, in its order: each change makes an object, another version of it, or deletes it. */
function history(changes: number[]): WatchEvent<"Pod">[] {
  const there = new Map<string, Pod>();
  return changes.map((change, version): WatchEvent<"Pod"> => {
    const name = `p${change % 3}`;
    const before = there.get(name);
    // From 8 on, so that versions of one and of two digits meet.
    const object = pod(name, before?.metadata.uid ?? `uid-${version}`, version + 8);
    if (before && change >= 6) {
      there.delete(name);
      return { type: "DELETED", object };
    }
    there.set(name, object);
    return { type: before ? "MODIFIED" : "ADDED", object };
  });
}

/** What is there after so many changes. */
function stateAfter(events: WatchEvent<"Pod">[], count: number): Map<string, Pod> {
  const there = new Map<string, Pod>();
  for (const { type, object } of events.slice(0, count)) {
    if (type === "DELETED") there.delete(object.metadata.name);
    else there.set(object.metadata.name, object);
  }
  return there;
}

test("a cache comes to what is there, never goes back, and tells all that it changes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(8), { maxLength: 30 }),
      fc.array(fc.tuple(fc.constantFrom("event", "answer", "list"), fc.nat(40)), { maxLength: 60 }),
      (changes, steps) => {
        const events = history(changes);
        const cache = createCache<"Pod">();
        const heard = new Map<string, Pod>();
        const newest = new Map<string, Pod>();
        const hear = (news: WatchEvent<"Pod">[]): void => {
          for (const { type, object } of news) {
            const { name, uid } = object.metadata;
            if (type === "DELETED") {
              assert.ok(heard.delete(name));
              continue;
            }
            assert.equal(heard.has(name), type === "MODIFIED");
            heard.set(name, object);
            const before = newest.get(uid!);
            assert.ok(!before || isLater(object, before));
            newest.set(uid!, object);
          }
        };
        const apply = ({ type, object }: WatchEvent<"Pod">): void =>
          hear(type === "DELETED" ? cache.lose(keyOf(object), object.metadata.uid!) : cache.see(object));
        const list = (count: number): void =>
          hear(cache.replace([...stateAfter(events, count).values()], String(count + 7)));
        let seen = 0;
        for (const [step, n] of steps) {
          if (step === "event" && seen < events.length) apply(events[seen++]!);
          // The answer to a read or a write of our own, which may come before the news of it, or long after.
          const known = events[n % Math.max(1, events.length)];
          if (step === "answer" && known && known.type !== "DELETED") hear(cache.see(known.object));
          if (step === "list") {
            seen = Math.max(seen, n % (events.length + 1));
            list(seen);
          }
          assert.deepEqual(
            new Map(cache.list("n", {}).map((object) => [object.metadata.name, object])),
            heard,
          );
        }
        for (const event of events.slice(seen)) apply(event);
        const there = stateAfter(events, events.length);
        // An answer may have shown what had come and gone before it could be heard of: the next list shows that.
        for (const object of cache.list("n", {}))
          if (!there.has(object.metadata.name))
            assert.ok(
              !events
                .slice(seen)
                .some(
                  (event) => event.type === "DELETED" && event.object.metadata.uid === object.metadata.uid,
                ),
            );
        list(events.length);
        assert.deepEqual(heard, there);
      },
    ),
    { numRuns: 500 },
  );
});

test("a server that was restored from a backup is believed", () => {
  const cache = createCache<"Pod">();
  cache.replace([pod("a", "u1", 50), pod("b", "u2", 60)], "70");
  cache.lose({ namespace: "n", name: "b" }, "u2");
  const events = cache.replace([pod("a", "u1", 20), pod("b", "u2", 30)], "40");
  assert.deepEqual(
    events.map(({ type, object }) => `${type} ${object.metadata.name} ${object.metadata.resourceVersion}`),
    ["DELETED a 50", "ADDED a 20", "ADDED b 30"],
  );
});

test("objects are found by namespace and labels, in the order of names", () => {
  const cache = createCache<"Pod">();
  for (const [name, trial] of [
    ["c", "t1"],
    ["a", "t1"],
    ["b", "t2"],
  ] as const)
    cache.see(pod(name, `uid-${name}`, 1, { trial }));
  cache.see({
    ...pod("d", "uid-d", 1, { trial: "t1" }),
    metadata: { ...pod("d", "uid-d", 1).metadata, namespace: "m" },
  });
  const names = (...[namespace, labels]: Parameters<typeof cache.list>) =>
    cache.list(namespace, labels).map(({ metadata }) => metadata.name);
  assert.deepEqual(names("n", {}), ["a", "b", "c"]);
  assert.deepEqual(names(undefined, {}), ["a", "b", "c", "d"]);
  assert.deepEqual(names("n", { trial: "t1" }), ["a", "c"]);
  assert.deepEqual(names("n", { trial: "t1", other: "x" }), []);
});

/** A remote of which a test says what it needs. */
const remote = (calls: Partial<Remote>): Remote => {
  const none = () => Promise.reject(new Error("not expected"));
  return { get: none, list: none, create: none, update: none, updateStatus: none, delete: none, ...calls };
};
const KEY = { namespace: "n", name: "p" };

test("what was written is read back, and the news of it is none", async () => {
  const written = pod("p", "u", 5);
  const store = createStore(
    remote({ create: async () => written as never, updateStatus: async () => pod("p", "u", 7) as never }),
  );
  const events: string[] = [];
  store.watch("Pod", ({ type, object }) => events.push(`${type} ${object.metadata.resourceVersion}`));
  assert.deepEqual(await store.create<"Pod">(written), written);
  store.changed("Pod", { type: "ADDED", object: written });
  await store.updateStatus<"Pod">(written);
  store.changed("Pod", { type: "MODIFIED", object: pod("p", "u", 6) });
  assert.equal((await store.get("Pod", KEY))?.metadata.resourceVersion, "7");
  await new Promise(setImmediate);
  assert.deepEqual(events, ["ADDED 5", "MODIFIED 7"]);
});

test("after a conflict the store knows how it stands, so that who decides again decides on that", async () => {
  const store = createStore(
    remote({
      update: () => Promise.reject(new ConflictError("changed")),
      get: async () => pod("p", "u", 9) as never,
    }),
  );
  store.listed("Pod", [pod("p", "u", 8)], "8");
  await assert.rejects(store.update<"Pod">(pod("p", "u", 8)), ConflictError);
  assert.equal((await store.get("Pod", KEY))?.metadata.resourceVersion, "9");
});

test("a deleted object is gone at once, unless finalizers hold it; a late answer does not bring it back", async () => {
  const held = {
    ...pod("p", "u", 9),
    metadata: { ...pod("p", "u", 9).metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
  };
  const answers = [held, undefined];
  const store = createStore(
    remote({
      delete: async () => answers.shift() as never,
      updateStatus: async () => pod("p", "u", 10) as never,
    }),
  );
  store.listed("Pod", [pod("p", "u", 8)], "8");
  await store.delete("Pod", KEY, { uid: "u" });
  assert.ok((await store.get("Pod", KEY))?.metadata.deletionTimestamp);
  await store.delete("Pod", KEY, { uid: "u" });
  assert.equal(await store.get("Pod", KEY), undefined);
  await store.updateStatus<"Pod">(pod("p", "u", 8));
  assert.equal(await store.get("Pod", KEY), undefined);
});

test("a live read that finds nothing tells the cache that the object is gone", async () => {
  const store = createStore(remote({ get: async () => undefined }));
  store.listed("Job", [{ ...pod("p", "u", 8), kind: "Job" } as unknown as Job], "8");
  assert.equal(await store.live.get("Job", KEY), undefined);
  assert.equal(await store.get("Job", KEY), undefined);
});
