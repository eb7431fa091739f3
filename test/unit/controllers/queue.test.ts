// The work queue of the controllers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConflictError } from "@segnas/operator/api/store.ts";
import { createQueue } from "@segnas/operator/controllers/queue.ts";

const now = () => new Date();
const failed = (_: string, error: unknown) => assert.fail(String(error));

test("a key is worked on once for additions in a row, never twice at a time, and again for one meanwhile", async () => {
  const first = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  let [runs, busy] = [0, 0];
  const queue = createQueue(
    async () => {
      assert.equal(++busy, 1);
      if (++runs === 1) {
        queue.add("a");
        queue.add("a");
        await first.promise;
      } else done.resolve();
      busy--;
      return undefined;
    },
    { now, failed },
  );
  for (let i = 0; i < 3; i++) queue.add("a");
  setImmediate(first.resolve);
  await done.promise;
  await queue.close();
  assert.equal(runs, 2);
});

test("a conflict is worked on again, another error is told", async () => {
  const told = Promise.withResolvers<string>();
  let runs = 0;
  const queue = createQueue(
    async () => {
      throw ++runs < 3 ? new ConflictError("changed") : new Error("broken");
    },
    { now, failed: (key, error) => told.resolve(`${key}: ${(error as Error).message}`) },
  );
  queue.add("a");
  assert.equal(await told.promise, "a: broken");
  assert.equal(runs, 3);
  await queue.close();
});

test("work that asks for a later time is done again then; a closed queue takes none", async () => {
  const again = Promise.withResolvers<void>();
  let runs = 0;
  const queue = createQueue(
    async () => {
      if (++runs === 2) again.resolve();
      return runs === 1 ? new Date(Date.now() + 5) : undefined;
    },
    { now, failed },
  );
  queue.add("a");
  await again.promise;
  await queue.close();
  queue.add("a");
  assert.equal(runs, 2);
});
