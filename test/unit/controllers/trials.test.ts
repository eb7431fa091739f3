// The trials of searches as they are kept in memory: as long as their search is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Key, type Kind, keyOf, type Store } from "@segnas/operator/api/store.ts";
import { cacheTrials } from "@segnas/operator/controllers/trials.ts";
import { memoryStore } from "./memory-store.ts";
import { makeSearch, makeTrial } from "./objects.ts";

const KEY: Key = { namespace: "default", name: "s" };

/** A store that counts how often trials are listed, which each list that is kept saves. */
function countLists(between = async () => {}) {
  const store = memoryStore();
  let lists = 0;
  const list = async (kind: Kind, ...rest: never[]) => {
    if (kind === "CandidateTrial") lists++;
    await between();
    return (store.list as (kind: Kind, ...rest: never[]) => Promise<never>)(kind, ...rest);
  };
  return { store: { ...store, list } as Store, lists: () => lists };
}

async function remove(store: Store, kind: "ArchitectureSearch" | "CandidateTrial", key: Key) {
  const { metadata } = (await store.get(kind, key))!;
  await store.delete(kind, key, { uid: metadata.uid! });
}

test("a search's trials are listed once, and what is kept of it goes with it", async () => {
  const { store, lists } = countLists();
  const trials = cacheTrials(store);
  const names = async () => (await trials.of(KEY)).map(({ metadata }) => metadata.name);
  await store.create<"ArchitectureSearch">(makeSearch());
  await store.create<"CandidateTrial">(makeTrial(0));
  assert.deepEqual(await names(), ["s-0"]);
  const second = await store.create<"CandidateTrial">(makeTrial(1));
  assert.deepEqual(await names(), ["s-0", "s-1"]);
  assert.equal(lists(), 1);

  await remove(store, "ArchitectureSearch", KEY);
  for (const name of ["s-0", "s-1"]) await remove(store, "CandidateTrial", { ...KEY, name });
  trials.see(second);
  // Nothing would ever let go of what is kept for a search that is gone.
  assert.deepEqual(await names(), []);
  assert.deepEqual(await names(), []);
  assert.equal(lists(), 3);

  await store.create<"ArchitectureSearch">(makeSearch());
  const { metadata } = await store.create<"CandidateTrial">(makeTrial(0));
  assert.deepEqual(await trials.of(KEY), [await store.get("CandidateTrial", keyOf(makeTrial(0)))]);
  assert.notEqual(metadata.uid, second.metadata.uid);
  await names();
  assert.equal(lists(), 4);
});

test("news of an earlier search of its name takes nothing from a list that is being read", async () => {
  let another = async () => {};
  const { store, lists } = countLists(() => another());
  const trials = cacheTrials(store);
  await store.create<"ArchitectureSearch">(makeSearch());
  await store.create<"CandidateTrial">(makeTrial(0));
  another = async () => {
    another = async () => {};
    await remove(store, "ArchitectureSearch", KEY);
    await store.create<"ArchitectureSearch">(makeSearch());
  };
  assert.equal((await trials.of(KEY)).length, 1);
  await store.create<"CandidateTrial">(makeTrial(1));
  assert.equal((await trials.of(KEY)).length, 2);
  assert.equal(lists(), 2);
});

test("a list that fails is tried again", async () => {
  let fails = true;
  const { store } = countLists(async () => {
    if (fails) throw new Error("away");
  });
  const trials = cacheTrials(store);
  await store.create<"ArchitectureSearch">(makeSearch());
  await store.create<"CandidateTrial">(makeTrial(0));
  await assert.rejects(trials.of(KEY), /away/);
  fails = false;
  assert.equal((await trials.of(KEY)).length, 1);
});
