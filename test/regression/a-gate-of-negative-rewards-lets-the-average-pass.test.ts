// With rewards below 0, as another trainer may give them, m (1 - u) is above the running mean m: the gate stopped whatever
// was no better than the average.
import assert from "node:assert/strict";
import { test } from "node:test";
import { observeSlots, thresholdsOf } from "@segnas/operator/ledger/gate.ts";
import fc from "fast-check";

test("law: a threshold is no more than the mean, and no further below it than the tolerance allows", () => {
  const gate = { decay: 0.99, tolerance: 0.9, biasCorrection: true };
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.nat(5000), (mean, index) => {
      const slots = [1, 2].map((epoch) => ({ stage: 0, epoch, reward: mean, meanIoU: 0 }));
      const [threshold] = thresholdsOf(gate, observeSlots(gate, [], slots), 7, index);
      const slack = 1e-9 * Math.abs(mean) + Number.EPSILON;
      assert.ok(threshold!.threshold <= mean + slack);
      assert.ok(threshold!.threshold >= mean - 0.9 * Math.abs(mean) - slack);
    }),
  );
});
