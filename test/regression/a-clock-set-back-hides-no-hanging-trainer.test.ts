// A clock that was set back by a year while a trainer hung kept it from being asked, and its silence from being counted,
// for that year.
import assert from "node:assert/strict";
import { test } from "node:test";
import { listener } from "@segnas/operator/controllers/candidatetrial/progress.ts";
import { makeJob, makePod, makeSearch, makeTrial } from "../unit/controllers/objects.ts";

test("what was heard later than now was heard now", async () => {
  let now = new Date("2026-01-01T00:00:00Z");
  const listen = listener(
    async () => ({ stage: 0 }),
    () => now,
  );
  const job = makeJob(makeSearch(), makeTrial(0));
  const pod = makePod(job, { phase: "Running" });
  const since = async () => (await listen(pod))!.since.toISOString();
  assert.equal(await since(), "2026-01-01T00:00:00.000Z");
  now = new Date("2025-01-01T00:00:00Z");
  assert.equal(await since(), "2025-01-01T00:00:00.000Z");
  now = new Date("2025-01-01T01:00:00Z");
  assert.equal(await since(), "2025-01-01T00:00:00.000Z");
});
