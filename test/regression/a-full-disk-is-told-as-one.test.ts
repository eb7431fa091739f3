// On a full disk a search ended with "Something went wrong inside segnas: cannot rollback - no transaction is active":
// SQLite rolls back itself then, and our own ROLLBACK hid what it had said.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStore } from "@segnas/operator/local/store.ts";
import { makeTrial } from "../unit/controllers/objects.ts";
import { temporaryFolder } from "../unit/local/folder.ts";

test("a write that has no room is told as the system tells it, and leaves a whole store", async (context) => {
  const folder = temporaryFolder(context);
  const { exec } = DatabaseSync.prototype;
  const limited = context.mock.method(DatabaseSync.prototype, "exec", function (this: DatabaseSync, sql) {
    exec.call(this, sql);
    if (sql.includes("CREATE TABLE")) exec.call(this, "PRAGMA max_page_count = 20");
  } satisfies typeof exec);
  const store = openStore(folder);
  limited.mock.restore();
  let made = 0;
  const fill = async () => {
    for (; ; made++) await store.create<"CandidateTrial">(makeTrial(made));
  };
  const full = { code: "ENOSPC", path: folder, message: `${folder}: no space is left there` };
  await assert.rejects(fill, full);
  await assert.rejects(fill, full);
  assert.ok(made > 0);
  assert.equal((await store.list("CandidateTrial")).length, made);
  store.close();
  const again = openStore(folder);
  await again.create<"CandidateTrial">(makeTrial(made));
  again.close();
});

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
/** A program that sees a file system of its own at DISK. */
const mounted = (size: string): [string, ...string[]] => [
  ...(["unshare", "--mount", "--map-root-user", "sh", "-c"] as const),
  `mount -t tmpfs -o size=${size} none "$DISK" && exec "$0" "$@"`,
];
const [program, ...args] = mounted("64k");
const { status } = spawnSync(program, [...args, "true"], { env: { ...process.env, DISK: "/mnt" } });
const skip = status !== 0 && "this machine lets nobody mount a file system";

for (const size of ["16k", "64k", "600k", "900k"])
  test(`a search on a disk of ${size} says so in one sentence`, { skip }, async (context) => {
    const folder = temporaryFolder(context);
    const disk = join(folder, "disk");
    mkdirSync(disk);
    const manifest = join(folder, "small.yaml");
    writeFileSync(
      manifest,
      `apiVersion: segnas.dev/v1alpha1
kind: ArchitectureSearch
metadata: {name: small}
spec: {maxTrials: 500, parallelism: 4, dataset: {format: Shapes}}
`,
    );
    const trainer = join(folder, "trainer.mjs");
    writeFileSync(
      trainer,
      `import { writeFileSync } from "node:fs";
if (process.argv.includes("--check")) process.exit();
writeFileSync(process.env.SEGNAS_RESULT, '{"outcome":"Succeeded","reward":0.5}');
console.log("x".repeat(20_000));
`,
    );
    const [program, ...args] = mounted(size);
    const search = [MAIN, "search", "-f", manifest, "--trainer", trainer, "--state", disk];
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) =>
      execFile(
        program,
        [...args, process.execPath, ...search],
        { env: { ...process.env, DISK: disk, SEGNAS_DEBUG: "" } },
        (error, _, stderr) => resolve({ code: error?.code, stderr }),
      ),
    );
    assert.match(stderr, /^\S+: no space is left there; free some and run the same command again\n$/);
    assert.ok(stderr.startsWith(disk));
    assert.equal(code, 74);
  });
