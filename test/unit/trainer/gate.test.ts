// The stage gate: what a trial is told of it, and the comparison.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UserError } from "@segnas/searchspace/errors.ts";
import { parseTrial } from "@segnas/trainer/training/configuration.ts";
import { parseGate, passes } from "@segnas/trainer/training/gate.ts";

const written = [
  { stage: 0, epoch: 5, threshold: "0.25" },
  { stage: 1, epoch: 2, threshold: "-1" },
];

test("thresholds are decimal strings, below 0 too; a trial without the field has none", () => {
  const trial = { name: "t-0", seed: 1, architecture: "arch0", dataset: { format: "Shapes" } };
  const gateOf = (value: object) => parseTrial(JSON.stringify({ ...trial, ...value })).gate;
  assert.deepEqual(gateOf({}), []);
  assert.deepEqual(gateOf({ gate: written }), [
    { stage: 0, epoch: 5, threshold: 0.25 },
    { stage: 1, epoch: 2, threshold: -1 },
  ]);
});

test("a trial goes on with more than the threshold of that very place, or where there is none", () => {
  const gate = parseGate(written);
  const at = (stage: 0 | 1, epoch: number, reward: number) => passes(gate, { stage, epoch, reward });
  assert.deepEqual([at(0, 5, 0.2500001), at(0, 5, 0.25), at(0, 5, 0.2499999)], [true, false, false]);
  assert.equal(at(1, 2, 0), true);
  assert.deepEqual([at(0, 2, 0), at(1, 5, 0), at(1, 1, 0)], [true, true, true]);
});

describe("a wrong gate is refused with the path", () => {
  const item = written[0]!;
  const wrong: [what: string, value: unknown, sentence: string][] = [
    ["no list", item, "gate: {"],
    ["an item that is no object", ["0.25"], 'gate[0]: "0.25" is not an object'],
    ["no threshold", [{ stage: 0, epoch: 5 }], "gate[0].threshold: is missing"],
    ["an unknown field", [item, { ...item, slot: 1 }], 'gate[1]: unknown field "slot"'],
    ["a third stage", [{ ...item, stage: 2 }], "gate[0].stage: 2 is not allowed, write 0 or 1"],
    ["epoch 0", [{ ...item, epoch: 0 }], "gate[0].epoch: 0 is not allowed"],
    ["a number", [{ ...item, threshold: 0.25 }], "gate[0].threshold: 0.25 is not allowed, write a decimal"],
    ["an empty text", [{ ...item, threshold: " " }], 'gate[0].threshold: " " is not allowed'],
    ["an endless threshold", [{ ...item, threshold: "1e999" }], 'gate[0].threshold: "1e999" is not'],
    ["two of one place", [...written, item], "gate[2]: is a second threshold for the same stage and epoch"],
  ];
  for (const [what, value, sentence] of wrong)
    test(what, () => {
      assert.throws(
        () => parseGate(value),
        (error) => {
          assert.ok(error instanceof UserError, `${error}`);
          assert.ok(error.message.startsWith(sentence), error.message);
          return true;
        },
      );
    });
});
