// A clock that was set back by an hour made a trial wait that hour for its next attempt, which was due in seconds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decideTrial } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";

test("an attempt that ended later than now is followed by the next at once", () => {
  const ended = new Date("2026-01-01T01:00:00Z");
  const attempt = { number: 0, job: "s-0-0", endTime: ended.toISOString(), cause: "Error", message: "x" };
  const decide = (now: Date) =>
    decideTrial({
      ...{ trial: makeTrial(0, { attempts: [attempt] }), search: makeSearch({ retries: 2 }), now },
      ...{ jobs: [], pods: [], events: [], siblings: [], retryDelay: () => 3000 },
    })[0]!.type;
  assert.equal(decide(new Date(ended.getTime() + 2999)), "Wait");
  assert.equal(decide(new Date(ended.getTime() + 3000)), "WriteStatus");
  assert.equal(decide(new Date(ended.getTime() - 3_600_000)), "WriteStatus");
});
