// Files that are there whole or not at all.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeWhole } from "@segnas/trainer/whole-file.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "segnas-whole-"));
});
after(() => rm(folder, { recursive: true }));

test("a new file takes the old one's place, with nothing left beside it", async () => {
  const file = join(folder, "report.html");
  for (const page of ["a long first page", "a second"]) {
    await writeWhole(file, page);
    assert.equal(await readFile(file, "utf8"), page);
  }
  assert.deepEqual(await readdir(folder), ["report.html"]);
});

test("where the file cannot be put in place, nothing is left of it", async () => {
  const inner = join(folder, "inner");
  await mkdir(join(inner, "taken", "full"), { recursive: true });
  await assert.rejects(writeWhole(join(inner, "taken"), "a page"), { code: "EISDIR" });
  assert.deepEqual(await readdir(inner), ["taken"]);
});
