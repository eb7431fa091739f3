// The model of test/unit/controllers with more runs, and with the policies that are really used.
import { test } from "node:test";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import { assertUndisturbed } from "../unit/controllers/model-law.ts";
import { pretendPolicy } from "../unit/controllers/pretend-policy.ts";

for (const rewardOrder of ["Index", "Completion"] as const)
  test(`${rewardOrder}: a thousand interleavings`, () =>
    assertUndisturbed({
      rewardOrder,
      startPolicy: pretendPolicy,
      runs: Number(process.env.RUNS ?? 1000),
      maxTrials: 14,
    }));

test("three hundred interleavings where it begins with another search's ledger", () =>
  assertUndisturbed({
    rewardOrder: "Index",
    startPolicy: pretendPolicy,
    runs: Number(process.env.RUNS ?? 300),
    maxTrials: 10,
    sourced: 11,
  }));

for (const policy of [
  { name: "ppo", epochs: 1 },
  { name: "priorityQueue", epochs: 1 },
  { name: "evolution" },
])
  test(`${policy.name}: some interleavings with the real policy`, () =>
    assertUndisturbed({ rewardOrder: "Index", startPolicy, runs: 5, maxTrials: 9, policy }));
