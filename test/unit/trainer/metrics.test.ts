// Metrics of confusion matrices made by hand, and laws of all of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { IGNORED } from "@segnas/trainer/data/sample.ts";
import { confusionMatrix, count, metricsOf, rewardOf } from "@segnas/trainer/training/metrics.ts";
import fc from "fast-check";

const of = (classes: number, truth: number[], prediction: number[]) => {
  const matrix = confusionMatrix(classes);
  count(matrix, truth, prediction);
  return metricsOf(matrix);
};
const close = (found: number, wanted: number) =>
  assert.ok(Math.abs(found - wanted) <= 1e-12, `${found}, wanted ${wanted}`);

test("a matrix counted by hand", () => {
  // truth 0: three hits, one taken for 1. truth 1: one hit, one taken for 0.
  const metrics = of(2, [0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0]);
  assert.deepEqual(metrics.iou, [3 / 5, 1 / 3]);
  close(metrics.meanIoU, (3 / 5 + 1 / 3) / 2);
  close(metrics.meanAccuracy, (3 / 4 + 1 / 2) / 2);
  close(metrics.frequencyWeightedIoU, (4 / 6) * (3 / 5) + (2 / 6) * (1 / 3));
});

test("images add up in one matrix", () => {
  const matrix = confusionMatrix(2);
  count(matrix, [0, 0, 1], [0, 1, 1]);
  count(matrix, [1, 0], [0, 0]);
  assert.deepEqual(metricsOf(matrix), of(2, [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]));
});

test("a class in neither truth nor prediction is left out", () => {
  const metrics = of(4, [0, 1, 1, 0], [0, 1, 0, 0]);
  assert.deepEqual(metrics.iou, [2 / 3, 1 / 2, null, null]);
  close(metrics.meanIoU, (2 / 3 + 1 / 2) / 2);
  close(metrics.meanAccuracy, (1 + 1 / 2) / 2);
});

test("a class predicted but absent from the truth counts 0 in mean IoU and is left out of mean accuracy", () => {
  const metrics = of(3, [0, 0, 1, 1], [0, 2, 1, 1]);
  assert.deepEqual(metrics.iou, [1 / 2, 1, 0]);
  close(metrics.meanIoU, 1.5 / 3);
  close(metrics.meanAccuracy, (1 / 2 + 1) / 2);
  close(metrics.frequencyWeightedIoU, 0.5 * 0.5 + 0.5);
});

test("where everything is ignored all is 0, the reward too", () => {
  const metrics = of(3, [IGNORED, IGNORED], [0, 2]);
  assert.deepEqual(metrics, {
    meanIoU: 0,
    meanAccuracy: 0,
    frequencyWeightedIoU: 0,
    iou: [null, null, null],
  });
  assert.equal(rewardOf(metrics, "GeometricMean"), 0);
});

test("the reward is the geometric mean of three, or mean IoU alone", () => {
  const metrics = { meanIoU: 0.2, meanAccuracy: 0.4, frequencyWeightedIoU: 0.8, iou: [] };
  close(rewardOf(metrics, "GeometricMean"), 0.4);
  assert.equal(rewardOf(metrics, "MeanIoU"), 0.2);
});

const pixels = fc.integer({ min: 2, max: 7 }).chain((classes) =>
  fc.record({
    classes: fc.constant(classes),
    pixels: fc.array(fc.tuple(fc.nat(classes - 1), fc.nat(classes - 1)), { minLength: 1, maxLength: 60 }),
    order: fc.shuffledSubarray(
      Array.from({ length: classes }, (_, c) => c),
      { minLength: classes },
    ),
  }),
);

test("renaming the classes permutes their IoU and changes no mean", () => {
  fc.assert(
    fc.property(pixels, ({ classes, pixels, order }) => {
      const [truth, prediction] = [pixels.map(([t]) => t), pixels.map(([, p]) => p)];
      const before = of(classes, truth, prediction);
      const after = of(
        classes,
        truth.map((t) => order[t]!),
        prediction.map((p) => order[p]!),
      );
      for (const [c, renamed] of order.entries()) assert.equal(after.iou[renamed], before.iou[c]);
      for (const key of ["meanIoU", "meanAccuracy", "frequencyWeightedIoU"] as const)
        close(after[key], before[key]);
    }),
  );
});

test("a perfect prediction gives 1, any other less, and all lie in 0 to 1", () => {
  fc.assert(
    fc.property(pixels, ({ classes, pixels }) => {
      const [truth, prediction] = [pixels.map(([t]) => t), pixels.map(([, p]) => p)];
      const perfect = of(classes, truth, truth);
      for (const key of ["meanIoU", "meanAccuracy", "frequencyWeightedIoU"] as const) {
        close(perfect[key], 1);
        const value = of(classes, truth, prediction)[key];
        assert.ok(value >= 0 && value <= 1 + 1e-12);
        if (truth.some((t, i) => t !== prediction[i])) assert.ok(value < 1, key);
      }
    }),
  );
});

test("ignored pixels count nowhere", () => {
  fc.assert(
    fc.property(pixels, fc.array(fc.nat(1), { maxLength: 10 }), ({ classes, pixels }, ignored) => {
      const [truth, prediction] = [pixels.map(([t]) => t), pixels.map(([, p]) => p)];
      const more = of(classes, [...truth, ...ignored.map(() => IGNORED)], [...prediction, ...ignored]);
      assert.deepEqual(more, of(classes, truth, prediction));
    }),
  );
});
