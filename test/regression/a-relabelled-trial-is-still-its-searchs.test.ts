// A person took the label segnas.dev/search from a trial: the search never heard of it again, wrote its status from an
// old version for ever, and did not end. A trial's spec says whose it is, and cannot be changed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheTrials } from "@segnas/operator/controllers/trials.ts";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";

test("a trial without its label is seen, before and after the first look", async () => {
  const store = memoryStore();
  const trials = cacheTrials(store);
  const search = { namespace: "default", name: "s" };
  await store.create<"ArchitectureSearch">(makeSearch());
  for (const index of [0, 1]) await store.create<"CandidateTrial">(makeTrial(index));
  const relabel = async (name: string, labels: Record<string, string>) => {
    const trial = (await store.get("CandidateTrial", { namespace: "default", name }))!;
    return store.update<"CandidateTrial">({ ...trial, metadata: { ...trial.metadata, labels } });
  };
  await relabel("s-0", {});
  assert.equal((await trials.of(search)).length, 2);
  const changed = await relabel("s-1", { "segnas.dev/search": "another" });
  const versions = (await trials.of(search)).map(({ metadata }) => metadata.resourceVersion);
  assert.ok(versions.includes(changed.metadata.resourceVersion));
  assert.deepEqual(await trials.of({ namespace: "default", name: "another" }), []);
});
