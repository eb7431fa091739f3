// What a search that is opened again takes over from its manifest, and what it refuses.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { takeOver } from "@segnas/operator/local/takeover.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";
import { temporaryStore } from "./folder.ts";

async function reopen(context: TestContext, given: ArchitectureSearch): Promise<ArchitectureSearch> {
  const store = temporaryStore(context);
  await takeOver(store, makeSearch({ maxTrials: 5 }), "folder");
  return takeOver(store, given, "folder");
}

test("what may change is taken over as another generation", async (context) => {
  const search = await reopen(context, makeSearch({ maxTrials: 9, parallelism: 3, retries: 0 }));
  assert.deepEqual([search.spec.maxTrials, search.spec.parallelism, search.spec.retries], [9, 3, 0]);
  assert.equal(search.metadata.generation, 2);
});

test("the same manifest changes nothing", async (context) => {
  assert.equal((await reopen(context, makeSearch({ maxTrials: 5 }))).metadata.generation, 1);
});

const both = "and cannot change; give this search another name, or another folder with --state";
const refusals: [string, object, string][] = [
  ["another seed", { seed: 2 }, `spec.seed is 2, but 1 in the search that folder holds, ${both}`],
  [
    "a setting that was absent",
    { policy: { batchSize: 4 } },
    `spec.policy.batchSize is 4, but absent in the search that folder holds, ${both}`,
  ],
  [
    "a setting that is absent now",
    { training: {} },
    `spec.training.crop is absent, but {"height":32,"width":32} in the search that folder holds, ${both}`,
  ],
];
for (const [what, spec, message] of refusals) {
  test(`${what} is refused in one sentence`, async (context) => {
    await assert.rejects(reopen(context, makeSearch({ maxTrials: 5, ...spec })), {
      name: "UserError",
      message,
    });
  });
}

test("a folder holds one search", async (context) => {
  const other = makeSearch();
  other.metadata = { ...other.metadata, name: "t" };
  const message = "metadata.name: folder holds the search s; give t another folder with --state";
  await assert.rejects(reopen(context, other), { name: "UserError", message });
});

test("a search that a killed process left stands still since what was last done", async (context) => {
  const store = temporaryStore(context);
  const search = await takeOver(store, makeSearch(), "folder");
  const progressing = {
    type: "Progressing",
    status: "True",
    reason: "Searching",
    message: "",
    observedGeneration: 1,
    lastTransitionTime: "2026-01-03T00:00:00Z",
  } as const;
  await store.updateStatus<"ArchitectureSearch">({ ...search, status: { conditions: [progressing] } });
  const trial = await store.create<"CandidateTrial">(makeTrial(0));
  const attempts = [{ number: 0, job: "s-0-0", startTime: "2026-01-05T00:00:00Z" }];
  await store.updateStatus<"CandidateTrial">({ ...trial, status: { attempts } });
  const { status } = await takeOver(store, makeSearch(), "folder");
  const { status: holds, lastTransitionTime } = status!.conditions![0]!;
  assert.deepEqual([holds, lastTransitionTime], ["False", "2026-01-05T00:00:00Z"]);
});

test("a search whose configuration was refused is another generation once it runs again", async (context) => {
  const store = temporaryStore(context);
  const search = await takeOver(store, makeSearch(), "folder");
  const failed = {
    type: "Failed",
    status: "True",
    reason: "InvalidConfiguration",
    message: "",
    observedGeneration: 1,
    lastTransitionTime: "2026-01-03T00:00:00Z",
  } as const;
  await store.updateStatus<"ArchitectureSearch">({ ...search, status: { conditions: [failed] } });
  const { metadata, spec } = await takeOver(store, makeSearch(), "folder");
  assert.deepEqual([metadata.generation, spec.suspend], [2, true]);
});
