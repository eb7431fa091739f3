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
    { now, failed: (key, error) => void told.resolve(`${key}: ${(error as Error).message}`) },
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

test("failures in a row are counted, and tried again at the time that is said; a success forgets them", async () => {
  const counts: number[] = [];
  const done = Promise.withResolvers<void>();
  let runs = 0;
  const queue = createQueue(
    async () => {
      if (++runs === 3) queue.add("a");
      if (runs === 5) done.resolve();
      if (runs !== 3 && runs !== 5) throw new Error("broken");
      return undefined;
    },
    {
      now,
      failed: (_, __, failures) => {
        counts.push(failures);
        return new Date(Date.now() + 1);
      },
    },
  );
  queue.add("a");
  await done.promise;
  await queue.close();
  assert.deepEqual(counts, [1, 2, 1]);
});

test("no more keys are worked on at a time than there is room, and all come to their turn", async () => {
  let [busy, most] = [0, 0];
  const seen = new Set<string>();
  const all = Promise.withResolvers<void>();
  const depths: number[] = [];
  const queue = createQueue(
    async (key) => {
      most = Math.max(most, ++busy);
      await new Promise(setImmediate);
      busy--;
      if (seen.add(key).size === 7) all.resolve();
      return undefined;
    },
    {
      now,
      failed,
      concurrency: 2,
      observer: { added: () => {}, started: () => {}, ended: () => {}, depth: (keys) => depths.push(keys) },
    },
  );
  for (const key of "abcdefg") queue.add(key);
  await all.promise;
  await queue.close();
  assert.equal(most, 2);
  assert.equal(Math.max(...depths), 5);
});
