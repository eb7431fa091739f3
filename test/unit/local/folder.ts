// A store in a folder that goes away with the test.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openStore } from "@segnas/operator/local/store.ts";

export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "segnas-test-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** UIDs are uid-1, uid-2 ... */
export function temporaryStore(context: TestContext) {
  let uids = 0;
  const now = () => new Date("2026-01-02T03:04:05.678Z");
  const store = openStore(temporaryFolder(context), { now, newUid: () => `uid-${++uids}` });
  context.after(() => store.close());
  return store;
}
