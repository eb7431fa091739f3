// A search from YAML to Complete: what its ledger, its weights and its samples say agrees, and it asks little of the
// API server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isAudited, requestsOf, writesOf } from "../audit.ts";
import { createSpace, pretendSearch } from "../space.ts";

/** design.md: "at most 12 API writes a trial". */
const MOST_WRITES = 12;
/** What a search takes whatever its length: its first and last words, its ledger's beginning, the policy's updates. */
const OWN_WRITES = 20;

test("a search runs from YAML to Complete", async (context) => {
  const space = await createSpace(context);
  await space.operator();
  const maxTrials = 12;
  const start = performance.now();
  await space.apply(pretendSearch("first", { maxTrials }));
  const { status } = await space.condition("first", "Complete");
  const seconds = (performance.now() - start) / 1000;
  assert.equal(status?.entries, maxTrials);
  assert.equal(status?.trials?.succeeded, maxTrials);
  assert.equal(status?.policyUpdates, 2);
  assert.deepEqual(await space.findings("first"), []);
  // Their results are in the ledger: nothing of them stays but the trials.
  await space.until("the Jobs to go", async () => (await space.list("Job")).length === 0);
  await space.until("the pods to go", async () => (await space.list("Pod")).length === 0);
  assert.equal((await space.trials("first")).length, maxTrials);
  context.diagnostic(`${maxTrials} trials in ${seconds.toFixed(1)} s`);

  if (!isAudited()) return context.diagnostic("requests are not counted: the audit log is not here");
  const counts = await requestsOf(`system:serviceaccount:${space.namespace}:segnas`);
  const writes = writesOf(counts);
  context.diagnostic(`${(writes / maxTrials).toFixed(1)} writes a trial: ${JSON.stringify(counts)}`);
  assert.ok(writes <= MOST_WRITES * maxTrials + OWN_WRITES, `${writes} writes, ${maxTrials} trials`);
});
