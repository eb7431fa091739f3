// `--state`: a search on this machine, read beside the process that runs it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStore } from "../../../operator/local/store.ts";
import { makeSearch } from "../controllers/objects.ts";

const MAIN = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "segnas-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const segnas = (...args: string[]) =>
  spawnSync(process.execPath, [MAIN, ...args, "--state", folder], { encoding: "utf8", cwd: folder });

function status(...args: string[]) {
  const child = segnas("status", ...args);
  assert.equal(child.stderr, "");
  return child.stdout;
}

test("a search is shown while a process works on it, and stopped when none does", async () => {
  const store = openStore(folder);
  const made = await store.create<"ArchitectureSearch">(makeSearch());
  const time = "2026-03-01T01:00:00Z";
  const progressing = {
    type: "Progressing",
    status: "True" as const,
    reason: "Searching",
    message: "0 of 20",
  };
  const conditions = [{ ...progressing, lastTransitionTime: time }];
  await store.updateStatus<"ArchitectureSearch">({ ...made, status: { conditions, observedGeneration: 1 } });
  assert.match(status(), /^s in .*: Searching\n/);
  assert.equal(JSON.parse(status("s", "-o", "json")).state, "Searching");
  store.close();
  assert.match(status("s"), /^s in .*: Stopped\n {2}no process runs it/);
  // It was only looked at: it can be run.
  openStore(folder).close();
});

test("a report goes into a folder that is made for it; where it cannot be written, nothing is left beside it", () => {
  const made = segnas("report", "-o", "reports/trials.csv");
  assert.equal(made.status, 0, made.stderr);
  assert.match(readFileSync(join(folder, "reports", "trials.csv"), "utf8"), /^index,trial,/);
  mkdirSync(join(folder, "reports", "x.csv"));
  const { status, stderr } = segnas("report", "-o", "reports/x.csv");
  assert.deepEqual([status, stderr], [64, "--output reports/x.csv: cannot be written (EISDIR)\n"]);
  assert.deepEqual(readdirSync(join(folder, "reports")).sort(), ["trials.csv", "x.csv"]);
});
