// Whatever dies, and whoever wakes up late: the same search. test/long/model.test.ts has the same with more runs,
// new ones each time, and with the policies that are really used; here they are the same in every run.
import { test } from "node:test";
import { assertUndisturbed } from "./model-law.ts";
import { pretendPolicy } from "./pretend-policy.ts";

for (const rewardOrder of ["Index", "Completion"] as const)
  test(`${rewardOrder}: any interleaving, with crashes and lost answers, comes to what an undisturbed run does`, () =>
    assertUndisturbed({
      rewardOrder,
      startPolicy: pretendPolicy,
      runs: 40,
      maxTrials: 14,
      replay: { seed: 1 },
    }));

test("the same where it begins with another search's ledger", () =>
  assertUndisturbed({
    rewardOrder: "Index",
    startPolicy: pretendPolicy,
    runs: 20,
    maxTrials: 10,
    sourced: 11,
    replay: { seed: 1 },
  }));
