// A folder that goes again, for tests that write files.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** A new empty folder, removed after the test file's last test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "segnas-trainer-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
