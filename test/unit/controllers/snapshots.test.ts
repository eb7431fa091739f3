// When snapshots are written while a search learns: often enough whatever its lag, and never in the way of its ledger.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@segnas/operator/api/store.ts";
import { enter, openKnowledge } from "@segnas/operator/controllers/architecturesearch/knowledge.ts";
import { listManifests } from "@segnas/operator/ledger/snapshots.ts";
import { createLogger } from "winston";
import { succeeded } from "../ledger/entries.ts";
import { memoryStore } from "./memory-store.ts";
import { makeSearch } from "./objects.ts";
import { pretendPolicy } from "./pretend-policy.ts";

const logger = createLogger({ silent: true });
const EVERY = 10;

// Found by reading: with a lag of one more than a multiple of the distance, each snapshot took the place of the one before
// in the very entry in which that was due.
for (const policyLag of [1, 8, 10, 11, 12, 15, 21, 40])
  test(`a start never learns much more than the lag again: policyLag ${policyLag}`, async () => {
    const worst = await mostLearned({ policyLag, rewardOrder: "Index" });
    // One at a time waits until it is due, so they lie no closer than the lag.
    const apart = EVERY * Math.ceil(Math.max(policyLag, EVERY) / EVERY);
    assert.ok(worst <= policyLag + apart + EVERY, `${worst} entries`);
  });

// A lag that means nothing there kept a search from ever writing a snapshot.
test("as rewards come there is a snapshot every so many entries, whatever policyLag says", async () => {
  assert.equal(await mostLearned({ policyLag: 10_000, rewardOrder: "Completion" }), EVERY - 1);
});

/** How many entries a start would have to learn again, at most, in a search of 130. */
async function mostLearned(spec: object): Promise<number> {
  const store = memoryStore();
  const fields = { ...spec, maxTrials: 500, parallelism: 1, policy: { batchSize: 2 } };
  const search = await store.create<"ArchitectureSearch">(makeSearch(fields));
  const dependencies = { store, logger, startPolicy: pretendPolicy, holder: "one", snapshotEvery: EVERY };
  const knowledge = await openKnowledge(dependencies, search, false);
  let worst = 0;
  for (let number = 0; number < 130; number++) {
    knowledge.made = number + 1;
    await enter(knowledge, store, search, succeeded(number));
    const [newest] = await listManifests(store, search);
    worst = Math.max(worst, number + 1 - (newest?.spec.snapshot?.entries ?? 0));
  }
  assert.ok((await listManifests(store, search)).length > 0);
  return worst;
}

test("a snapshot that cannot be written stops nothing", async () => {
  const server = memoryStore();
  const store: Store = {
    ...server,
    async create(object) {
      if (object.kind === "SearchRecord" && !object.metadata.name.includes("ledger"))
        throw new Error("exceeded quota");
      return server.create(object);
    },
  };
  const spec = { policyLag: 2, policy: { batchSize: 2 } };
  const search = await store.create<"ArchitectureSearch">(makeSearch(spec));
  const dependencies = { store, logger, startPolicy: pretendPolicy, holder: "one", snapshotEvery: EVERY };
  const knowledge = await openKnowledge(dependencies, search, false);
  for (let number = 0; number < 30; number++) await enter(knowledge, store, search, succeeded(number));
  assert.equal(knowledge.state.entries, 30);
  assert.equal((await listManifests(store, search)).length, 0);
});
