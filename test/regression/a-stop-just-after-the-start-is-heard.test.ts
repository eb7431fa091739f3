// Ctrl-C in the moment in which a search began to run was not heard, and it ran to its end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { newFolder, options, removeFolder } from "../integration/local-fixtures.ts";

test("a search that is stopped before it has quite begun stands still", async () => {
  const folder = newFolder();
  const local = await openLocalSearch(options(folder, { maxTrials: 4 }, { milliseconds: 50 }));
  try {
    const stop = new AbortController();
    const running = local.run(stop.signal);
    stop.abort();
    const { status } = await running;
    const told = status?.conditions?.filter(({ status }) => status === "True").map(({ type }) => type);
    assert.deepEqual(told, ["Suspended"]);
    assert.equal(status?.trials?.settled, 0);
  } finally {
    await local.close();
    removeFolder(folder);
  }
});
