// A trainer that wrote its reward in quotes had each of its architectures fail for a loss that is not finite: the policy
// learned the failure reward. A slot's reward that was no number counted as 0 in the gate's mean.
import assert from "node:assert/strict";
import { test } from "node:test";
import { attemptOutcome } from "@segnas/operator/controllers/candidatetrial/outcome.ts";
import { makeJob, makePod, makeSearch, makeTrial } from "../unit/controllers/objects.ts";

const job = makeJob(makeSearch(), makeTrial(0));

function outcomeOf(fields: string) {
  const message = `{"outcome": "Succeeded", ${fields}}`;
  const terminated = { exitCode: 0, reason: "Completed", message };
  const status = { phase: "Succeeded", containerStatuses: [{ name: "trainer", state: { terminated } }] };
  return attemptOutcome(job, makePod(job, status as never))!;
}

for (const [fields, what] of [
  ['"reward": "0.41"', 'reward must be a number, not "0.41"'],
  ['"reward": ""', 'reward must be a number, not ""'],
  ['"reward": {}', "reward must be a number, not {}"],
  [
    '"reward": 0.4, "slots": [{"stage": 0, "epoch": 1, "reward": "0.3"}]',
    'slots[0].reward must be a number, not "0.3"',
  ],
  ['"reward": 0.4, "slots": [{"stage": 0, "epoch": 1}]', "slots[0].reward must be a number, not nothing"],
] as const)
  test(`a result with ${fields} is tried again`, () => {
    assert.deepEqual(outcomeOf(fields), {
      ...{ kind: "Infrastructure", cause: "InvalidResult" },
      message: `exit code 0, but in the result ${what}`,
    });
  });

for (const reward of ["null", '"NaN"', '"-nan(ind)"', '"-Infinity"', '"nan"', "1e999"])
  test(`a reward of ${reward} is the architecture's`, () => {
    assert.partialDeepStrictEqual(outcomeOf(`"reward": ${reward}`), {
      ...{ kind: "Failed", cause: "NonFiniteLoss" },
    });
  });

test("what was not finite on the way is no slot, and what a trainer measures besides does no harm", () => {
  const slots = '[{"stage": 0, "epoch": 1, "reward": null}, {"stage": 0, "epoch": 2, "reward": 0.2}]';
  const outcome = outcomeOf(
    `"reward": 0.4, "metrics": {"perClass": [1], "meanIoU": "n/a"}, "slots": ${slots}`,
  );
  assert.partialDeepStrictEqual(outcome, {
    ...{ kind: "Succeeded", reward: 0.4 },
    slots: [{ stage: 0, epoch: 2, reward: 0.2, meanIoU: 0 }],
  });
});
