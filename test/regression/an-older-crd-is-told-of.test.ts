// With the CustomResourceDefinitions of an earlier commit an operator wrote a search's status 126 times a second, 8,176
// times in a row: the API server dropped a field that it did not know, so the status was never what it should be.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { createStore } from "@segnas/operator/kube/store.ts";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makeTrial } from "../unit/controllers/objects.ts";

test("a status that the server keeps nothing of is an error that says why", async () => {
  const server = memoryStore();
  const made = await server.create<"CandidateTrial">(makeTrial(0));
  let dropped = "stage";
  const store = createStore({
    ...server,
    // As an API server does it: what is unknown goes first, and what is as it was keeps its version.
    async updateStatus(object) {
      const { status: sent } = object as unknown as { status: Record<string, unknown> };
      const { [dropped]: _, ...status } = sent;
      const before = (await server.get(object.kind, { namespace: "default", name: "s-0" })) as CandidateTrial;
      if (JSON.stringify(before.status ?? {}) === JSON.stringify(status)) return before as never;
      return server.updateStatus({ ...object, status } as never);
    },
  });
  const first = await store.updateStatus<"CandidateTrial">({ ...made, status: { stage: "0", entry: 1 } });
  assert.deepEqual(first.status, { entry: 1 });
  const again = () => store.updateStatus<"CandidateTrial">({ ...first, status: { stage: "0", entry: 1 } });
  await assert.rejects(again, /^UserError: s-0: the cluster's CustomResourceDefinitions do not know all/);
  // What was so already is no error.
  dropped = "";
  const same = await store.updateStatus<"CandidateTrial">({ ...first, status: { entry: 1 } });
  assert.equal(same.metadata.resourceVersion, first.metadata.resourceVersion);
});
