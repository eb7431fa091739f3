// The API server is away for a minute, while whatever else the cluster of this machine does stands still as well; and
// a node falls silent, which is one that only the test has.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { gpuSeconds } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { stop } from "../../cluster/machine.ts";
import { startApiServer } from "../../cluster/node.ts";
import { isAudited } from "../audit.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";
import { standInNode } from "../stand-in-node.ts";

const AWAY_MS = 60_000;
/** How long a pod may be past its own grace. */
const LOST_MS = 60_000;

/** An operator that is started again whenever it ends, as a kubelet does. */
async function keptOperator(context: TestContext, space: Space): Promise<void> {
  const identity = randomUUID();
  let over = false;
  context.after(() => {
    over = true;
  });
  async function again(): Promise<void> {
    const operator = await space.operator(identity).catch(() => undefined);
    const end = await operator?.exited;
    if (end && !over) context.diagnostic(`the operator ended with ${end.code}: ${operator!.log.at(-1)}`);
    await wait(1000);
    if (!over) void again();
  }
  void again();
}

test("the API server is away for a minute", async (context) => {
  if (!isAudited()) return context.skip("the API server is not on this machine");
  const space = await createSpace(context);
  await keptOperator(context, space);
  await space.apply(pretendSearch("s", { maxTrials: 16, retries: 0 }, { seconds: [3, 8] }));
  await space.training("s-2");
  const entries = async () => (await space.get("s")).status?.entries ?? 0;
  const before = await entries();
  await stop("apiserver");
  await wait(AWAY_MS);
  await startApiServer();
  const start = performance.now();
  // Kubernetes' own controllers take a minute more.
  await space.until("what ended meanwhile to be entered", async () => (await entries()) > before);
  context.diagnostic(`at work again after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const { status } = await space.condition("s", "Complete", 600);
  assert.equal(status?.trials?.succeeded, 16);
  assert.deepEqual(await space.findings("s"), []);
  // What ended meanwhile counts.
  for (const trial of await space.trials("s")) assert.equal(trial.status?.attempts?.length, 1);
});

test("a node that does not answer loses its trial, which goes on elsewhere, and nothing is charged", async (context) => {
  const space = await createSpace(context);
  const node = await standInNode(context, space);
  await space.operator();
  const template = { pod: node.preferred };
  await space.apply(pretendSearch("s", { maxTrials: 1, retries: 0 }, { held: true }, template));
  await space.training("s-0");
  const [pod] = await node.pods();
  assert.ok(pod, "its pod is on another node");
  const start = performance.now();
  node.fallSilent();
  const lost = await space.until(
    "the attempt to be lost",
    async () => {
      const [attempt] = (await space.trial("s-0"))?.status?.attempts ?? [];
      return attempt?.endTime !== undefined && attempt;
    },
    300,
  );
  context.diagnostic(`lost after ${((performance.now() - start) / 1000).toFixed(0)} s: ${lost.message}`);
  assert.equal(lost.cause, "Lost");
  const [, due] = /^its pod was to be gone by (\S+), but node (\S+) does not answer$/.exec(lost.message!)!;
  assert.ok(Date.now() >= Date.parse(due!) + LOST_MS);
  await space.until("the next attempt to train elsewhere", async () => {
    const next = await space.podOf("s-0");
    return next && next.spec.nodeName !== node.name;
  });
  // What the lost one says at last does not count.
  const message = JSON.stringify({ outcome: "Succeeded", reward: 1, metrics: {}, slots: [] });
  await node.say(pod, "Succeeded", { terminated: { exitCode: 0, message } });
  await space.release("s-0");
  await space.condition("s", "Complete");
  const { attempts, result } = (await space.trial("s-0"))!.status!;
  assert.deepEqual(
    attempts?.map(({ cause }) => cause ?? "good"),
    ["Lost", "good"],
  );
  assert.equal(result?.outcome, "Succeeded");
  assert.notEqual(result.reward, "1");
  assert.equal(Number(result.gpuSeconds), gpuSeconds(attempts!.slice(1)));
  assert.deepEqual(await space.findings("s"), []);
});
