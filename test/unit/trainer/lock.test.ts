// A lock in a shared folder: one holds it, its heart beats, and a silent holder's is taken by one of those who wait.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Lock } from "@segnas/trainer/training/lock.ts";
import { testFolder } from "./folder.ts";

const folder = testFolder();
let count = 0;
const newPath = () => join(folder, `lock-${count++}`);
/** Asks all, once each, at the same time. */
const ask = (locks: Lock[]) => Promise.all(locks.map((lock) => lock.acquire()));
const holders = (answers: boolean[]) => answers.filter(Boolean).length;

test("one holds it; the next may when it is released; nothing stays", async () => {
  const path = newPath();
  const [first, second] = [new Lock(path), new Lock(path)];
  assert.equal(await first.acquire(), true);
  assert.equal(await second.acquire(), false);
  await first.release();
  assert.equal(existsSync(path), false);
  assert.equal(await second.acquire(), true);
  await first.release();
  assert.equal(await first.acquire(), false, "a release of what is another's changes nothing");
  await second.release();
  assert.equal(existsSync(path), false);
});

test("of many who ask at the same time one gets it", async () => {
  const path = newPath();
  const locks = Array.from({ length: 20 }, () => new Lock(path));
  const answers = await ask(locks);
  assert.equal(holders(answers), 1);
  await Promise.all(locks.map((lock) => lock.release()));
});

test("it beats while its holder's thread is blocked, so nobody takes it", async () => {
  const path = newPath();
  const clock = { ms: 0 };
  const [holder, waiter] = [new Lock(path), new Lock(path, () => clock.ms)];
  assert.equal(await holder.acquire(), true);
  // The thread that beats has begun.
  const first = readFileSync(path, "utf8");
  while (readFileSync(path, "utf8") === first) await setTimeout(20);
  for (let i = 0; i < 3; i++) {
    assert.equal(await waiter.acquire(), false);
    const seen = readFileSync(path, "utf8");
    // Blocked, as by a long step of training, until another beat is there.
    while (readFileSync(path, "utf8") === seen);
    clock.ms += 1e6;
  }
  assert.equal(await waiter.acquire(), false, "long silences by its clock, but a beat between any two looks");
  await holder.release();
});

test("a dead holder's lock is taken after ten seconds of silence by one's own clock, by one of many", async () => {
  const path = newPath();
  writeFileSync(path, "a dead one 17");
  const clock = { ms: 5e6 };
  const locks = Array.from({ length: 20 }, () => new Lock(path, () => clock.ms));
  assert.equal(holders(await ask(locks)), 0);
  clock.ms += 9_900;
  assert.equal(holders(await ask(locks)), 0);
  clock.ms += 200;
  let held = 0;
  for (let i = 0; i < 5; i++) held += holders(await ask(locks));
  assert.equal(held, 1);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(`${path.split("/").at(-1)}.`)),
    [],
    "nothing else is left",
  );
  await Promise.all(locks.map((lock) => lock.release()));
  assert.equal(existsSync(path), false);
});

test("one that died while it took over holds nobody up for good", async () => {
  const path = newPath();
  writeFileSync(path, "a dead one 17");
  writeFileSync(`${path}.dead`, "");
  const clock = { ms: 0 };
  const lock = new Lock(path, () => clock.ms);
  const answers: boolean[] = [];
  for (; clock.ms <= 30_000; clock.ms += 10_000) answers.push(await lock.acquire());
  answers.push(await lock.acquire());
  assert.deepEqual(answers, [false, false, false, false, true]);
  await lock.release();
});

test("another's beat begins the wait anew", async () => {
  const path = newPath();
  const clock = { ms: 0 };
  const lock = new Lock(path, () => clock.ms);
  for (let beat = 0; beat < 4; beat++) {
    writeFileSync(path, `a living one ${beat}`);
    assert.equal(await lock.acquire(), false);
    clock.ms += 9_000;
    assert.equal(await lock.acquire(), false);
  }
  clock.ms += 1_000;
  assert.equal(await lock.acquire(), true);
  await lock.release();
});

test("a folder that is not there is an error, not a wait", async () => {
  await assert.rejects(new Lock(join(folder, "none", "lock")).acquire(), { code: "ENOENT" });
});
