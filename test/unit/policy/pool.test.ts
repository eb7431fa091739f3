// The threads that policies share: who gets which, who goes first, and what becomes of the others when one ends.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type PolicyClient, startPolicy } from "@segnas/operator/policy/client.ts";
import { createPolicy, type Experience, type Policy } from "@segnas/operator/policy/policy.ts";
import type { PolicyCall, PolicyReply } from "@segnas/operator/policy/pool.ts";
import { type PolicySettings, resolvePolicy } from "@segnas/operator/policy/settings.ts";
import fc from "fast-check";

const settings = resolvePolicy({ name: "pathConsistency", epochs: 1 });

/** The threads that there are; a new one is told of a little later. */
const threads: Worker[] = [];
process.on("worker", (worker) => {
  threads.push(worker);
  worker.once("exit", () => threads.splice(threads.indexOf(worker), 1));
});

const start = (seed: number, of: PolicySettings = settings) => startPolicy({ settings: of, seed });
const closeAll = (clients: PolicyClient[]) => Promise.all(clients.map((client) => client.close()));

/** Two trials, such as any policy takes. */
function batchOf(policy: Policy, first: number): Experience[] {
  return [first, first + 1].map((index) => ({ index, ...policy.propose(index), reward: (index % 7) / 7 }));
}

test("many policies share two threads, which end with their last policy", async () => {
  const clients = Array.from({ length: 12 }, (_, seed) => start(seed));
  await turn();
  assert.equal(threads.length, 2);
  await Promise.all(
    clients.map(async (client, seed) =>
      assert.deepEqual(await client.propose(0, 0), createPolicy(settings, seed).propose(0)),
    ),
  );
  // Every second one is in the same thread.
  await closeAll(clients.filter((_, place) => place % 2 === 0));
  assert.equal(threads.length, 1);
  const another = start(1);
  await turn();
  assert.equal(threads.length, 2);
  await closeAll([...clients, another]);
  assert.equal(threads.length, 0);
});

test("policies of all kinds learn side by side as each would alone", async () => {
  const kinds = (["pathConsistency", "evolution", "random", "reinforce"] as const).map((name) =>
    resolvePolicy({ name, batchSize: 2 }),
  );
  // Threads that stay from one run to the next.
  const stays = [start(0), start(0)];
  const step = fc.tuple(fc.nat({ max: 3 }), fc.constantFrom("propose", "learn", "forget"));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const alone = Array.from({ length: 4 }, (_, seed) => {
        const of = kinds[seed % kinds.length]!;
        return { client: start(seed, of), policy: createPolicy(of, seed), version: 0 };
      });
      try {
        // Nobody waits for an answer before the next call.
        const answers = steps.map(async ([which, method], index) => {
          const one = alone[which]!;
          const { client, policy } = one;
          if (method === "forget") return client.forget(one.version);
          if (method === "learn") {
            const batch = batchOf(policy, index);
            const expected = policy.learn(batch);
            one.version++;
            return assert.deepEqual(await client.learn(batch), expected);
          }
          const expected = policy.propose(index);
          assert.deepEqual(await client.propose(index, one.version), expected);
        });
        await Promise.all(answers);
        for (const { client, policy, version } of alone)
          assert.ok(Buffer.from(await client.state(version)).equals(policy.state()), "the states differ");
      } finally {
        await closeAll(alone.map(({ client }) => client));
      }
    }),
    { numRuns: 10 },
  );
  await closeAll(stays);
});

test("others' proposals go before what waits to learn; the calls of one policy keep their order", async () => {
  const clients = Array.from({ length: 4 }, (_, seed) => start(seed));
  const [learner, , other] = clients as [PolicyClient, PolicyClient, PolicyClient];
  try {
    const batch = batchOf(createPolicy(settings, 0), 0);
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    await Promise.all([
      learner.learn(batch).then(note("learn 1")),
      learner.learn(batch).then(note("learn 2")),
      learner.propose(0, 2).then(note("own proposal")),
      other.learn(batch).then(note("another learns")),
      other.propose(0, 1).then(note("another's proposal")),
    ]);
    assert.deepEqual(order, ["learn 1", "learn 2", "own proposal", "another learns", "another's proposal"]);
    order.length = 0;
    await Promise.all([
      learner.learn(batch).then(note("learn 3")),
      learner.learn(batch).then(note("learn 4")),
      other.propose(1, 1).then(note("another's proposal")),
    ]);
    assert.deepEqual(order, ["learn 3", "another's proposal", "learn 4"]);
  } finally {
    await closeAll(clients);
  }
});

test("a thread that runs out of memory rejects the calls of its own policies only", () => {
  const url = import.meta.resolve("@segnas/operator/policy/client.ts");
  const of = resolvePolicy({ name: "evolution" });
  const program = `
    import(${JSON.stringify(url)}).then(async ({ startPolicy }) => {
      const policies = [0, 1, 2].map((seed) => startPolicy({ settings: ${JSON.stringify(of)}, seed }));
      const [greedy, other, neighbour] = policies;
      const trial = { index: 0, ...(await greedy.propose(0, 0)), reward: 1 };
      const waiting = [
        // The thread makes a copy of each, 400 MB together.
        greedy.learn(new Array(1_000_000).fill(trial)),
        greedy.propose(1, 1),
        neighbour.propose(1, 0),
        other.propose(1, 0),
      ];
      const ends = await Promise.allSettled(waiting);
      console.log(JSON.stringify(ends.map(({ reason, value }) => reason?.message ?? value.decisions.length)));
    });`;
  const args = ["--max-old-space-size=64", "-e", program];
  const ends = JSON.parse(execFileSync(process.execPath, args, { timeout: 60_000 }).toString());
  assert.equal(ends[3], 44);
  for (const reason of ends.slice(0, 3)) assert.match(reason, /^the policy's thread failed: .*out of memory/);
});

test("the end of a thread rejects its policies' later calls; a new policy gets a new thread", async () => {
  const [one, other, neighbour] = [start(0), start(1), start(2)];
  try {
    await Promise.all([one.propose(0, 0), other.propose(0, 0), neighbour.propose(0, 0)]);
    await threads[0]!.terminate();
    for (const ended of [one, neighbour])
      await assert.rejects(ended.propose(1, 0), /the policy's thread ended with code 1/);
    assert.deepEqual(await other.propose(0, 0), createPolicy(settings, 1).propose(0));
    const again = start(0);
    await closeAll([one, neighbour]);
    assert.deepEqual(await again.propose(0, 0), createPolicy(settings, 0).propose(0));
    await again.close();
  } finally {
    await closeAll([one, other, neighbour]);
  }
});

test("closing one policy leaves the calls of others alone", async () => {
  const clients = Array.from({ length: 4 }, (_, seed) => start(seed));
  const [one, , other] = clients as [PolicyClient, PolicyClient, PolicyClient];
  const batch = batchOf(createPolicy(settings, 0), 0);
  const rejected = [one.learn(batch), one.propose(0, 1)].map((call) =>
    assert.rejects(call, /the policy is closed/),
  );
  const learned = other.learn(batch);
  await one.close();
  await Promise.all(rejected);
  assert.deepEqual(await learned, createPolicy(settings, 2).learn(batch));
  await closeAll(clients);
  await assert.rejects(one.state(0), /the policy is closed/);
});

test("a thread keeps nothing of a policy that was closed", async () => {
  const worker = new Worker(new URL(import.meta.resolve("@segnas/operator/policy/worker.ts")));
  async function ask(policy: number, call: PolicyCall): Promise<PolicyReply> {
    worker.postMessage({ policy, call });
    const [reply] = await once(worker, "message");
    return reply;
  }
  try {
    for (const seed of [0, 1]) await ask(seed, { method: "start", settings, seed });
    assert.ok("result" in (await ask(0, { method: "probabilities", version: 0 })));
    await ask(0, { method: "close" });
    assert.ok("error" in (await ask(0, { method: "probabilities", version: 0 })));
    assert.ok("result" in (await ask(1, { method: "probabilities", version: 0 })));
  } finally {
    await worker.terminate();
  }
});
