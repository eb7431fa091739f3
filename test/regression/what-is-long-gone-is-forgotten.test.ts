// Read in the code: the operator remembered the UID of every trial that had ever been deleted, as an answer about one might
// still come. A long-lived operator with a history limit deletes every trial.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { keyOf } from "@segnas/operator/api/store.ts";
import { cacheTrials, GONE } from "@segnas/operator/controllers/trials.ts";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";

test("a late answer about a trial that has gone counts for nothing, and only the last that went are remembered", async () => {
  const store = memoryStore();
  const trials = cacheTrials(store);
  const search = { namespace: "default", name: "s" };
  await store.create<"ArchitectureSearch">(makeSearch());
  const names = async () => (await trials.of(search)).map(({ metadata }) => metadata.name);
  async function comeAndGo(index: number): Promise<CandidateTrial> {
    const trial = await store.create<"CandidateTrial">(makeTrial(index));
    await store.delete("CandidateTrial", keyOf(trial), { uid: trial.metadata.uid! });
    return trial;
  }
  assert.deepEqual(await names(), []);
  const first = await comeAndGo(0);
  trials.see(first);
  assert.deepEqual(await names(), []);
  for (let index = 1; index <= GONE; index++) await comeAndGo(index);
  const last = await comeAndGo(GONE + 1);
  trials.see(last);
  trials.see(first);
  assert.deepEqual(await names(), ["s-0"]);
});
