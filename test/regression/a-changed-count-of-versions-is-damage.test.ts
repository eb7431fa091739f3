// The store's count of versions had no check: set back by a changed byte it gave old versions to what was written next, which
// nobody took for news. The search hung, and `segnas verify` had found nothing. A changed letter in the text of an index made
// it end with an error of SQLite's in place of a finding.
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { openStore, STORE_FILE } from "@segnas/operator/local/store.ts";
import { verifyFolder } from "@segnas/operator/local/verify.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";
import { temporaryFolder } from "../unit/local/folder.ts";

async function folderWith(context: TestContext, sql: string): Promise<string> {
  const folder = temporaryFolder(context);
  const store = openStore(folder);
  await store.create<"ArchitectureSearch">(makeSearch());
  await store.create<"CandidateTrial">(makeTrial(0));
  store.close();
  const database = new DatabaseSync(join(folder, STORE_FILE));
  database.enableDefensive(false);
  database.exec(sql);
  database.close();
  return folder;
}

const changes: [what: string, sql: string, finding: string][] = [
  ["a count of versions that is behind", "UPDATE version SET last = 1", "counts its versions wrong"],
  ["one that is far ahead", "UPDATE version SET last = 1 << 60", "counts its versions wrong"],
  [
    "an index of something else",
    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '$.', '%.') WHERE name = 'labelled'",
    "labelled is not made as this version of segnas makes it",
  ],
];
for (const [what, sql, finding] of changes)
  test(`${what} is a finding, and nothing is written there`, async (context) => {
    const folder = await folderWith(context, sql);
    const { findings } = await verifyFolder(folder);
    assert.deepEqual(findings, [`${STORE_FILE}: ${finding}`]);
    assert.throws(() => openStore(folder), { name: "UserError", message: new RegExp(finding) });
  });

test("a folder as it was written opens", async (context) => {
  const folder = await folderWith(context, "SELECT 1");
  openStore(folder).close();
});
