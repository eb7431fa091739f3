// Ten kills; and a leader that dies, or sleeps and wakes, while another operator stands by.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { isAudited, requestsOf, writesOf } from "../audit.ts";
import { killsChangeNothing } from "../kills.ts";
import { leads, type OperatorProcess } from "../operator.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

/** design.md: "another replica takes over in 20 s". */
const TAKEOVER_SECONDS = 20;

test("ten kills at random moments change nothing", (context) => killsChangeNothing(context, 10, 40));

/** A search with a leader, and an operator that waits for its place. */
async function twoOperators(space: Space) {
  const leader = await space.operator();
  await space.until("one to lead", async () => leads(leader));
  const standby = await space.operator();
  await space.until("the other to wait", async () => standby.log.some((line) => line.includes("lease seen")));
  await space.apply(pretendSearch("s", { maxTrials: 40, parallelism: 3 }, { seconds: [1, 3] }));
  await space.training("s-3");
  return { leader, standby };
}

/** Seconds until it leads. */
async function takesOver(space: Space, standby: OperatorProcess): Promise<number> {
  const start = performance.now();
  await space.until("the other to lead", async () => leads(standby));
  return (performance.now() - start) / 1000;
}

async function comesToItsEnd(space: Space): Promise<void> {
  const { status } = await space.condition("s", "Complete", 600);
  assert.equal(status?.trials?.succeeded, 40);
  assert.deepEqual(await space.findings("s"), []);
}

test("a leader that is killed is replaced in time", async (context) => {
  const space = await createSpace(context);
  const { leader, standby } = await twoOperators(space);
  leader.kill("SIGKILL");
  const seconds = await takesOver(space, standby);
  context.diagnostic(`taken over after ${seconds.toFixed(1)} s`);
  assert.ok(seconds <= TAKEOVER_SECONDS, `${seconds} s`);
  await comesToItsEnd(space);
});

test("a leader that is ended gives its lease back", async (context) => {
  const space = await createSpace(context);
  const { leader, standby } = await twoOperators(space);
  const [seconds] = await Promise.all([takesOver(space, standby), leader.stop()]);
  context.diagnostic(`taken over after ${seconds.toFixed(1)} s`);
  assert.deepEqual(await leader.exited, { code: 0, signal: null });
  await comesToItsEnd(space);
});

test("a leader that sleeps and wakes writes nothing and ends", async (context) => {
  const space = await createSpace(context);
  const { leader, standby } = await twoOperators(space);
  leader.kill("SIGSTOP");
  const seconds = await takesOver(space, standby);
  context.diagnostic(`taken over after ${seconds.toFixed(1)} s`);
  assert.ok(seconds <= TAKEOVER_SECONDS, `${seconds} s`);
  const entries = (await space.get("s")).status?.entries ?? 0;
  await space.until(
    "entries of the new leader",
    async () => ((await space.get("s")).status?.entries ?? 0) > entries,
  );
  const woken = new Date().toISOString();
  leader.kill("SIGCONT");
  const { code } = await leader.exited;
  context.diagnostic(`ended with ${code}: ${leader.log.at(-1)}`);
  assert.equal(code, 1);
  await comesToItsEnd(space);
  if (!isAudited()) return;
  await wait(1000);
  const counts = await requestsOf(leader.credential, woken);
  context.diagnostic(`asked of the API server when woken: ${JSON.stringify(counts)}`);
  assert.equal(writesOf(counts), 0);
});
