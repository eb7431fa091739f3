// Operators that are killed at random moments, one after the other, and what the search comes to.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createSpace, pretendSearch, type Space, timeless } from "./space.ts";

async function endState(space: Space) {
  const { status } = await space.condition("same", "Complete", 600);
  assert.deepEqual(await space.findings("same"), []);
  const { trials, best, top, paretoFront, entries, policyUpdates } = status!;
  return {
    entries: timeless(await space.entries("same")),
    status: { trials, best, top, paretoFront, entries, policyUpdates },
  };
}

/** A search whose operator is killed so often comes to the same end as an undisturbed one. */
export async function killsChangeNothing(
  context: TestContext,
  kills: number,
  maxTrials: number,
): Promise<void> {
  const [undisturbed, killed] = [await createSpace(context), await createSpace(context)];
  const search = pretendSearch(
    "same",
    { maxTrials, retries: 1 },
    { seconds: [0, 2], misdeeds: { 3: [65, 65], 6: ["nan", "nan"] } },
  );
  await undisturbed.operator();
  await undisturbed.apply(search);
  // The container of one pod is started again and again; the last time another pod takes over.
  const pod = randomUUID();
  await killed.apply(search);
  for (let kill = 0; kill < kills; kill++) {
    const operator = await killed.operator(pod);
    const start = performance.now();
    const entries = async () => (await killed.get("same")).status?.entries ?? 0;
    // Every third while it starts, the others all along the search.
    const due = kill % 3 === 0 ? 0 : Math.floor((kill * maxTrials) / (kills + 1));
    await killed.until(`${due} entries`, async () => (await entries()) >= due);
    await wait(3000 * Math.random());
    const reached = await entries();
    operator.kill("SIGKILL");
    const { signal } = await operator.exited;
    assert.equal(signal, "SIGKILL", operator.log.join("\n"));
    const seconds = (performance.now() - start) / 1000;
    context.diagnostic(`killed after ${seconds.toFixed(1)} s, at ${reached} entries`);
  }
  await killed.operator();
  const [expected, actual] = await Promise.all([endState(undisturbed), endState(killed)]);
  assert.deepEqual(actual, expected);
  assert.equal(actual.status.entries, maxTrials);
}
