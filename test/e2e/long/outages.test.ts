// The API server is away for a minute, and then the node is. Whatever else the cluster of this machine does stands
// still as well.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { REPOSITORY, stop } from "../../cluster/machine.ts";
import { startApiServer } from "../../cluster/node.ts";
import { isAudited } from "../audit.ts";
import { output, saysOf } from "../cluster.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

const AWAY_MS = 60_000;

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
  await stop("apiserver");
  await wait(AWAY_MS);
  const start = performance.now();
  await startApiServer();
  await space.until("a trial more", async () => ((await space.get("s")).status?.entries ?? 0) > 4);
  context.diagnostic(`at work again after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const { status } = await space.condition("s", "Complete", 600);
  assert.equal(status?.trials?.succeeded, 16);
  assert.deepEqual(await space.findings("s"), []);
  // What ended meanwhile counts.
  for (const trial of await space.trials("s")) assert.equal(trial.status?.attempts?.length, 1);
});

test("a node that does not answer loses its trials, and nothing is charged", async (context) => {
  if (!isAudited()) return context.skip("the node is not on this machine");
  const space = await createSpace(context);
  await space.operator();
  const tolerations = [
    { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 },
  ];
  const pod = { tolerations };
  await space.apply(pretendSearch("s", { maxTrials: 1, retries: 0 }, { held: true }, { pod }));
  await space.training("s-0");
  const start = performance.now();
  const seconds = () => ((performance.now() - start) / 1000).toFixed(0);
  await stop("kubelet");
  // Whatever becomes of the test.
  const up = () => output(process.execPath, [`${REPOSITORY}/test/cluster/main.ts`, "up"]);
  context.after(up);
  const lost = await space.until(
    "the attempt to be lost",
    async () => {
      const [attempt] = (await space.trial("s-0"))?.status?.attempts ?? [];
      return attempt?.endTime !== undefined && attempt;
    },
    300,
  );
  context.diagnostic(`lost after ${seconds()} s: ${lost.message}`);
  assert.equal(lost.cause, "Lost");
  await space.until("the next attempt to wait for a node", async () => {
    const [says] = saysOf((await space.trial("s-0"))!);
    return says?.includes("Unschedulable") && says;
  });
  await up();
  await space.release("s-0");
  await space.condition("s", "Complete");
  const { attempts, result } = (await space.trial("s-0"))!.status!;
  assert.deepEqual(
    attempts?.map(({ cause }) => cause ?? "good"),
    ["Lost", "good"],
  );
  assert.equal(result?.outcome, "Succeeded");
  assert.deepEqual(await space.findings("s"), []);
});
