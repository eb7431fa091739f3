// A policy in its thread: versions, errors and its end. What policies share is in pool.test.ts.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { type PolicyClient, startPolicy } from "@segnas/operator/policy/client.ts";
import { createPolicy, type Experience } from "@segnas/operator/policy/policy.ts";
import { type PpoSettings, resolvePolicy } from "@segnas/operator/policy/settings.ts";

const settings = resolvePolicy({ name: "ppo", epochs: 1 }) as PpoSettings;
const start = { settings, seed: 3 };

async function experiences(client: PolicyClient, version: number): Promise<Experience[]> {
  const indices = [10 * version, 10 * version + 1];
  return Promise.all(
    indices.map(async (index) => ({
      index,
      ...(await client.propose(index, version)),
      reward: (index % 7) / 7,
    })),
  );
}

test("the thread does what the policy does, and keeps versions until they are forgotten", async () => {
  const client = startPolicy(start);
  try {
    const policy = createPolicy(settings, 3);
    assert.deepEqual(await client.propose(0, 0), policy.propose(0));
    const batch = await experiences(client, 0);
    const [update, during] = await Promise.all([client.learn(batch), client.propose(5, 0)]);
    assert.deepEqual(during, policy.propose(5));
    assert.deepEqual(await client.probabilities(0), policy.probabilities());
    assert.deepEqual(update, policy.learn(batch));
    assert.deepEqual(await client.propose(6, 1), policy.propose(6));
    assert.deepEqual(await client.propose(6, 1, 2), policy.propose(6, 2));
    assert.equal(await client.score(1, batch[0]!.decisions), policy.score(batch[0]!.decisions));
    await assert.rejects(client.score(2, batch[0]!.decisions), /version 2 of the policy is not kept/);
    assert.ok(Buffer.from(await client.state(1)).equals(policy.state()), "the states differ");
    await assert.rejects(client.state(0), /the policy has the state of version 1 only, not of 0/);
    await assert.rejects(client.propose(6, 2), /version 2 of the policy is not kept; those that are: 0, 1/);
    await client.forget(5);
    await assert.rejects(client.propose(6, 0), /version 0 of the policy is not kept; those that are: 1/);
    assert.deepEqual(await client.propose(6, 1), policy.propose(6));
  } finally {
    await client.close();
  }
});

test("a thread goes on from a restored state", async () => {
  const [client, other] = [startPolicy(start), startPolicy(start)];
  try {
    await client.learn(await experiences(client, 0));
    await other.restore(1, await client.state(1));
    await assert.rejects(other.propose(0, 0), /not kept/);
    const batch = await experiences(client, 1);
    assert.deepEqual(await experiences(other, 1), batch);
    assert.deepEqual(await other.learn(batch), await client.learn(batch));
    assert.ok(Buffer.from(await other.state(2)).equals(await client.state(2)), "the states differ");
  } finally {
    await Promise.all([client.close(), other.close()]);
  }
});

test("what does not learn is of no more use", async () => {
  const client = startPolicy(start);
  try {
    await assert.rejects(client.learn([]), /an update needs at least one trial/);
    await assert.rejects(client.propose(0, 0), /the policy has failed to learn/);
  } finally {
    await client.close();
  }
});

test("a failed call changes nothing", async () => {
  const client = startPolicy(start);
  try {
    await assert.rejects(client.restore(4, new Uint8Array(8)), /the policy state is not one of ppo/);
    assert.deepEqual(await client.propose(0, 0), createPolicy(settings, 3).propose(0));
  } finally {
    await client.close();
  }
});

test("what cannot be started rejects its calls, and nobody else's", async () => {
  const [bad, good] = [startPolicy({ settings: { ...settings, ring: -1 }, seed: 3 }), startPolicy(start)];
  try {
    const waiting = [bad.propose(0, 0), bad.probabilities(0), bad.learn([])];
    await Promise.all(waiting.map((call) => assert.rejects(call, /^Error: Invalid array length$/)));
    assert.deepEqual(await good.propose(0, 0), createPolicy(settings, 3).propose(0));
  } finally {
    await Promise.all([bad.close(), good.close()]);
  }
});

test("closing rejects the calls that wait", async () => {
  const client = startPolicy(start);
  const waiting = assert.rejects(client.propose(0, 0), /the policy is closed/);
  await client.close();
  await waiting;
  await assert.rejects(client.state(0), /the policy is closed/);
});

test("an idle thread does not keep the process alive, a call does until it is answered", () => {
  const url = import.meta.resolve("@segnas/operator/policy/client.ts");
  const program = `
    import(${JSON.stringify(url)}).then(async ({ startPolicy }) => {
      const client = startPolicy(${JSON.stringify(start)});
      console.log((await client.propose(0, 0)).decisions.length);
    });`;
  const output = execFileSync(process.execPath, ["-e", program], { timeout: 30_000 });
  assert.equal(output.toString(), "44\n");
});
