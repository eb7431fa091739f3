// The stage gate: running means by slot, and the thresholds that follow from them.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  gateSettings,
  meanAt,
  observeSlots,
  thresholdsOf,
  toleranceAt,
} from "@segnas/operator/ledger/gate.ts";
import fc from "fast-check";

const corrected = { decay: 0.99, tolerance: 0.9, biasCorrection: true };
const published = { ...corrected, biasCorrection: false };
const slot = (stage: number, epoch: number, reward: number) => ({ stage, epoch, reward, meanIoU: 0 });
const close = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12);

test("the tolerance falls by .9, .8, .7 and .6 at trials 100, 200, 300 and 400, and then no more", () => {
  const falls = [0, 99, 100, 199, 200, 300, 400, 5000].map((index) => toleranceAt(corrected, index));
  const expected = [0.9, 0.9, 0.81, 0.81, 0.648, 0.4536, 0.27216, 0.27216];
  for (const [i, value] of falls.entries()) close(value, expected[i]!);
});

test("with the bias corrected the mean is that of the rewards from the first on; published it starts at .01", () => {
  const after = (gate: typeof corrected, rewards: number[]) => {
    const means = rewards.reduce<ReturnType<typeof observeSlots>>(
      (means, reward) => observeSlots(gate, means, [slot(0, 5, reward)]),
      [],
    );
    return meanAt(gate, means[0]!);
  };
  close(after(corrected, [0.4]), 0.4);
  close(after(corrected, [0.4, 0.2]), (0.99 * 0.4 + 0.2) / 1.99);
  close(after(published, [0.4]), 0.99 * 0.01 + 0.01 * 0.4);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (rewards) => {
      const mean = after(corrected, rewards);
      assert.ok(mean >= Math.min(...rewards) - 1e-9 && mean <= Math.max(...rewards) + 1e-9);
    }),
  );
});

test("a threshold for each slot but the furthest, between m (1 - tolerance) and m, the same for the same trial", () => {
  const means = observeSlots(corrected, [], [slot(1, 2, 0.6), slot(0, 5, 0.4), slot(1, 1, 0.5)]);
  for (let index = 0; index < 50; index++) {
    const thresholds = thresholdsOf(corrected, means, 7, index);
    assert.deepEqual(
      thresholds.map(({ stage, epoch }) => [stage, epoch]),
      [
        [0, 5],
        [1, 1],
      ],
    );
    for (const [i, { threshold }] of thresholds.entries()) {
      const mean = [0.4, 0.5][i]!;
      assert.ok(threshold > 0.1 * mean - 1e-12 && threshold <= mean + 1e-12);
    }
    assert.deepEqual(thresholdsOf(corrected, means, 7, index), thresholds);
  }
  const draws = new Set([0, 1, 2, 3].map((index) => thresholdsOf(corrected, means, 7, index)[0]!.threshold));
  assert.equal(draws.size, 4);
  assert.deepEqual(thresholdsOf(corrected, [], 7, 0), []);
});

test("spec.gate: None is no gate, reals are decimals", () => {
  const spec = { type: "RunningMean", decay: "0.99", tolerance: "0.9", biasCorrection: true } as const;
  assert.deepEqual(gateSettings(spec), corrected);
  assert.equal(gateSettings({ ...spec, type: "None" }), undefined);
});

test("no more thresholds than a trial's spec takes, however many slots there are", () => {
  const slots = Array.from({ length: 1200 }, (_, epoch) => slot(1, epoch + 1, 0.5));
  const thresholds = thresholdsOf(corrected, observeSlots(corrected, [], slots), 7, 0);
  assert.equal(thresholds.length, 1000);
  assert.deepEqual(thresholds.at(-1)!.epoch, 1000);
});
