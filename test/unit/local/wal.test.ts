// A damaged write-ahead log is told from one that a kill tore: on logs that SQLite wrote.
import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { lostFrom } from "@segnas/operator/local/wal.ts";
import { temporaryFolder } from "./folder.ts";

const PAGE = 1024;
const FRAME = 24 + PAGE;
const placeOf = (frame: number): number => 32 + frame * FRAME;

/** A database with a log of its own, and ways to look at both. */
function open(context: TestContext) {
  const folder = temporaryFolder(context);
  const file = join(folder, "a.sqlite");
  const database = new DatabaseSync(file);
  context.after(() => database.close());
  database.exec(`
    PRAGMA page_size = ${PAGE}; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
    CREATE TABLE rows (body TEXT);
  `);
  let copies = 0;
  return {
    database,
    write: (bytes = 10) => database.exec(`INSERT INTO rows VALUES ('${"x".repeat(bytes)}')`),
    log: () => readFileSync(`${file}-wal`),
    /** How many rows SQLite finds with a log in the place of its own. */
    rowsWith(log: Buffer): number {
      const copy = join(folder, `copy-${copies++}`);
      cpSync(file, copy);
      writeFileSync(`${copy}-wal`, log);
      const other = new DatabaseSync(copy);
      try {
        return (other.prepare("SELECT count(*) AS rows FROM rows").get() as { rows: number }).rows;
      } catch {
        return 0; // the table itself was in the log
      } finally {
        other.close();
        rmSync(copy);
      }
    },
  };
}

function flipped(log: Buffer, at: number, bit = 4): Buffer {
  const copy = Buffer.from(log);
  copy[at]! ^= bit;
  return copy;
}

/** Two frames that make the table, five of rows. */
function sevenFrames(context: TestContext) {
  const made = open(context);
  for (let i = 0; i < 5; i++) made.write();
  const log = made.log();
  assert.equal(log.length, placeOf(7));
  return { ...made, log };
}

test("a whole log loses nothing, nor one that ends anywhere", (context) => {
  const { log } = sevenFrames(context);
  for (let length = 0; length <= log.length; length += 13)
    assert.equal(lostFrom(log.subarray(0, length)), undefined, `${length} bytes`);
});

test("a changed byte is told, with the frame that it is in, wherever SQLite drops another write for it", (context) => {
  const { log, rowsWith } = sevenFrames(context);
  assert.equal(rowsWith(log), 5);
  for (let at = 0; at < placeOf(6); at++) {
    const frame = at < 32 ? undefined : Math.floor((at - 32) / FRAME);
    const expected = frame === undefined ? 0 : placeOf(frame);
    assert.equal(lostFrom(flipped(log, at)), expected, `byte ${at}`);
  }
  for (const frame of [2, 4, 5]) {
    const damaged = flipped(log, placeOf(frame) + 500);
    assert.equal(rowsWith(damaged), frame - 2);
    // What it is cut to is what SQLite keeps.
    const cut = damaged.subarray(0, lostFrom(damaged));
    assert.deepEqual([rowsWith(cut), lostFrom(cut)], [frame - 2, undefined]);
  }
  assert.equal(rowsWith(flipped(log, 13)), 0);
});

test("a torn last write is none", (context) => {
  const { log } = sevenFrames(context);
  const torn = Buffer.concat([log.subarray(0, placeOf(6) + 24), Buffer.alloc(PAGE)]);
  assert.equal(lostFrom(torn), undefined);
  assert.equal(lostFrom(flipped(log, placeOf(6) + 500)), undefined);
});

test("what an earlier log or a transaction that was rolled back left behind is no loss", (context) => {
  const { database, write, log, rowsWith } = open(context);
  for (let i = 0; i < 20; i++) write();
  database.exec("PRAGMA wal_checkpoint(RESTART)");
  const before = log();
  for (let i = 0; i < 3; i++) write();
  assert.equal(log().length, before.length);
  assert.equal(lostFrom(log()), undefined);
  assert.equal(lostFrom(flipped(log(), placeOf(1) + 500)), placeOf(1));

  // Pages that the cache has no room for are in the log before the transaction ends.
  database.exec("PRAGMA cache_size = 5; BEGIN");
  for (let i = 0; i < 20; i++) write(5000);
  database.exec("ROLLBACK");
  assert.ok(log().length > before.length);
  assert.equal(lostFrom(log()), undefined);
  write();
  assert.equal(lostFrom(log()), undefined);
  assert.equal(rowsWith(log()), 24);
});
