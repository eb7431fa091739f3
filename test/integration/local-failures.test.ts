// The rows of the failure table that one machine can show beside those of local.test.ts and
// search-real-trainer.test.ts: whatever ends an attempt that no other row names, it is tried again, with its cause.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { keyOf } from "@segnas/operator/api/store.ts";
import { options } from "./local-fixtures.ts";
import { steeredSearch } from "./local-steered.ts";
import type { Misdeed } from "./pretend-trainer.ts";

const timeout = 60_000;
const one = { maxTrials: 1, parallelism: 1 };
type Steered = Awaited<ReturnType<typeof steeredSearch>>;

/** What became of the one trial's attempts, and of the trial. */
async function end(steered: Steered) {
  await steered.entered(1);
  const { attempts, result } = (await steered.trial(0)).status!;
  return { attempts: attempts!.map(({ cause, message }) => [cause, message]), outcome: result!.outcome };
}

const misdeeds: [string, Misdeed, string, RegExp][] = [
  ["a trainer that crashes", "segfault", "Error", /^exit code 139/],
  ["exit 0 without a result", "empty", "InvalidResult", /wrote no result/],
  ["a result that is too long", "long", "InvalidResult", /longer than 4096 bytes/],
];
for (const [what, misdeed, cause, message] of misdeeds)
  test(`${what} is tried again`, { timeout }, async (context) => {
    const steered = await steeredSearch(context, one, { misdeeds: { 0: [misdeed] } });
    steered.release(0);
    const { attempts, outcome } = await end(steered);
    assert.equal(outcome, "Succeeded");
    assert.equal(attempts.length, 2);
    assert.equal(attempts[0]![0], cause);
    assert.match(attempts[0]![1]!, message);
  });

test("a trainer that hangs is ended at its pod's deadline and tried again", { timeout }, async (context) => {
  const trialTemplate = { spec: { activeDeadlineSeconds: 1, containers: [{ name: "trainer" }] } };
  const steered = await steeredSearch(context, { ...one, trialTemplate });
  await steered.until(async () => ((await steered.trial(0))?.status?.attempts?.length ?? 0) > 1);
  steered.release(0);
  const { attempts, outcome } = await end(steered);
  assert.equal(outcome, "Succeeded");
  assert.deepEqual(attempts[0], ["DeadlineExceeded", "it took longer than 1 s"]);
});

for (const kind of ["Job", "Pod"] as const)
  test(`a ${kind} deleted by hand takes its process along, and the trial is tried again`, {
    timeout,
  }, async (context) => {
    const steered = await steeredSearch(context, one);
    await steered.training(0);
    const [victim] = await steered.store.list(kind, "default");
    await steered.store.delete(kind, keyOf(victim!), { uid: victim!.metadata.uid! });
    await steered.until(async () => (await steered.trial(0)).status?.attempts?.[1]?.startTime !== undefined);
    await steered.alive(1);
    assert.match(steered.log("quick-0-0"), /^stopped$/m);
    steered.release(0);
    const { attempts, outcome } = await end(steered);
    assert.equal(outcome, "Succeeded");
    assert.deepEqual(
      attempts.map(([cause]) => cause),
      ["Gone", undefined],
    );
  });

test("a trainer that cannot be started fails its trial with the reason", { timeout }, async (context) => {
  const command = ["/no/such/program"];
  const steered = await steeredSearch(context, { ...one, retries: 1 }, {}, { command });
  const { attempts, outcome } = await end(steered);
  assert.equal(outcome, "Failed");
  assert.equal(attempts.length, 2);
  for (const [cause, message] of attempts) {
    assert.equal(cause, "Error");
    assert.match(message!, /could not be started: spawn \/no\/such\/program ENOENT/);
  }
});

test("killed by the kernel for want of memory, it is tried again: that was the machine's", {
  timeout,
}, async (context) => {
  const group = memoryGroup(context, 300 * 2 ** 20);
  if (!group) return context.skip("no control group can be made here");
  const { trainer } = options("", one, { milliseconds: 0 });
  const script = `echo $$ > ${group}/cgroup.procs && exec "$@"`;
  const command = ["sh", "-c", script, "sh", ...trainer.command];
  const steered = await steeredSearch(context, one, { misdeeds: { 0: ["hog"] } }, { command });
  steered.release(0);
  const { attempts, outcome } = await end(steered);
  assert.equal(outcome, "Succeeded");
  assert.deepEqual(attempts[0], [
    "Error",
    "exit code 137: killed by SIGKILL: by somebody, or by the kernel as memory ran out",
  ]);
});

/** The folder of a control group whose processes together get so many bytes; undefined where there can be none. */
function memoryGroup(context: TestContext, bytes: number): string | undefined {
  const places = [
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
    ["/sys/fs/cgroup", "memory.max"],
  ] as const;
  for (const [root, limit] of places) {
    const group = `${root}/segnas-test-${process.pid}`;
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    context.after(() => rmdirSync(group));
    if (!existsSync(`${group}/${limit}`)) continue;
    writeFileSync(`${group}/${limit}`, String(bytes));
    return group;
  }
  return undefined;
}
