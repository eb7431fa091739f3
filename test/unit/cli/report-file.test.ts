// A report on disk.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { writeReport } from "../../../cli/report-file.ts";

test("the folder is made, and a new report takes the old one's place, with nothing left beside it", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "segnas-report-"));
  context.after(() => rm(root, { recursive: true }));
  const folder = join(root, "state");
  const file = join(folder, "report.html");
  for (const page of ["a long first page", "a second"]) {
    await writeReport(file, page);
    assert.equal(await readFile(file, "utf8"), page);
  }
  assert.deepEqual(await readdir(folder), ["report.html"]);
});
