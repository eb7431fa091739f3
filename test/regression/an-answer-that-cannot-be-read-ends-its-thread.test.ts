// Read in the code: where a message of a policy's thread cannot be read, for want of memory, Node tells of it apart from the
// messages. Nobody listened: the call waited for ever, and with it every search whose policy is in that thread.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import { resolvePolicy } from "@segnas/operator/policy/settings.ts";

test("an answer that cannot be read rejects its call and every later one, and the thread ends", async () => {
  const threads: Worker[] = [];
  process.on("worker", (worker) => threads.push(worker));
  const policy = startPolicy({ settings: resolvePolicy({ name: "random" }), seed: 1 });
  try {
    await policy.propose(0, 0);
    const ended = new Promise((resolve) => threads[0]!.once("exit", resolve));
    const waiting = policy.propose(1, 0);
    threads[0]!.emit("messageerror", new Error("no memory"));
    await assert.rejects(waiting, /the policy's thread cannot be understood: no memory/);
    await assert.rejects(policy.propose(2, 0), /no memory/);
    await ended;
  } finally {
    await policy.close();
  }
});
