// What there is of a cluster on this machine: its logs, and whose it is.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { linesOf, nodeOfMachine } from "../../cluster/machine.ts";
import { temporaryFolder } from "../local/folder.ts";

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

test("a log that was moved aside is read before what came after it", async (context) => {
  const log = join(temporaryFolder(context), "audit.log");
  writeFileSync(log.replace(".log", "-2026-11-30T10-00-00.000.log"), "c\n");
  writeFileSync(log.replace(".log", "-2026-11-30T09-59-59.999.log"), "a\nb\n");
  writeFileSync(log.replace("audit", "apiserver"), "another\n");
  writeFileSync(log, "d\n");
  assert.deepEqual(await all(linesOf(log)), ["a", "b", "c", "d"]);
});

test("nothing is read twice or missed where a log is moved aside while it is read", async (context) => {
  const log = join(temporaryFolder(context), "audit.log");
  writeFileSync(log.replace(".log", "-2026-11-30T10-00-00.000.log"), "a\n");
  writeFileSync(log, "b\n");
  const lines = linesOf(log);
  assert.equal((await lines.next()).value, "a");
  renameSync(log, log.replace(".log", "-2026-11-30T11-00-00.000.log"));
  appendFileSync(log, "c\n");
  assert.deepEqual(await all(lines), ["b"]);
});

test("a machine's node is found by whoever asks while it runs, and no longer", (context) => {
  const folder = temporaryFolder(context);
  const [claim, home] = [join(folder, "claim"), join(folder, "home")];
  assert.equal(nodeOfMachine(claim), undefined);
  writeFileSync(claim, home);
  assert.equal(nodeOfMachine(claim), undefined);
  // This process stands for its etcd.
  const started = readFileSync("/proc/self/stat", "utf8").split(" ")[21];
  const etcd = join(home, "run", "pid", "etcd");
  mkdirSync(join(home, "run", "pid"), { recursive: true });
  writeFileSync(etcd, `${process.pid} ${started}`);
  assert.equal(nodeOfMachine(claim), home);
  // Another process has its number by now.
  writeFileSync(etcd, `${process.pid} ${Number(started) - 1}`);
  assert.equal(nodeOfMachine(claim), undefined);
});
