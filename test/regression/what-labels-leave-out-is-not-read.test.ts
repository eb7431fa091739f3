// Found by the benchmark of the main thread: after each snapshot the store in a folder was asked for those that are too old,
// and read and parsed every chunk of every snapshot, 19 MB, to leave them out by their labels: 90 ms in which nothing else ran.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SearchRecord } from "@segnas/operator/api/store.ts";
import { temporaryStore } from "../unit/local/folder.ts";

const LARGE = 100_000;

const record = (name: string, label: string, data: string): SearchRecord => ({
  apiVersion: "segnas.dev/v1alpha1",
  kind: "SearchRecord",
  metadata: { name, labels: { [label]: "s" } },
  spec: { search: "s", chunk: { entries: 1, number: 0, data } },
});

test("a list by labels parses no object that it leaves out", async (context) => {
  const store = temporaryStore(context);
  for (let i = 0; i < 5; i++)
    await store.create<"SearchRecord">(record(`chunk-${i}`, "segnas.dev/snapshot-chunk", "A".repeat(LARGE)));
  await store.create<"SearchRecord">(record("manifest", "segnas.dev/snapshot", ""));
  const { mock } = context.mock.method(JSON, "parse");
  const found = await store.list("SearchRecord", "default", { "segnas.dev/snapshot": "s" });
  assert.deepEqual(
    found.map(({ metadata }) => metadata.name),
    ["manifest"],
  );
  const parsed = mock.calls.reduce((sum, call) => sum + String(call.arguments[0]).length, 0);
  assert.ok(parsed < LARGE, `${parsed} characters parsed`);
});
