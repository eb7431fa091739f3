// A search on one machine that its deadline had ended told of trials that were running, and not of their time, for ever: it was
// let go of before what it had stopped was counted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { newFolder, options, removeFolder } from "../integration/local-fixtures.ts";

test("nothing runs any more once a deadline has passed, and its time is counted", async () => {
  const folder = newFolder();
  const spec = { maxTrials: 4, parallelism: 2, budget: { activeDeadlineSeconds: 2 } };
  const local = await openLocalSearch(options(folder, spec, { milliseconds: 60_000 }));
  try {
    const { status } = await local.run(new AbortController().signal);
    const { trials } = await local.view();
    const spent = trials
      .flatMap(({ status }) => status?.attempts ?? [])
      .map(({ startTime, endTime }) => {
        assert.ok(endTime);
        return startTime ? Date.parse(endTime) - Date.parse(startTime) : 0;
      });
    assert.equal(status?.trials?.running, 0);
    assert.equal(Number(status?.gpuSeconds), spent.reduce((sum, own) => sum + own, 0) / 1000);
    assert.ok(Number(status?.gpuSeconds) > 0);
  } finally {
    await local.close();
    removeFolder(folder);
  }
});
