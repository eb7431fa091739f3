// Class frequencies and the weights that balance them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { countLabels, medianFrequencyWeights, noFrequencies } from "@segnas/trainer/data/frequencies.ts";
import fc from "fast-check";

function weightsOf(classes: number, images: number[][]): number[] {
  const frequencies = noFrequencies(classes);
  for (const label of images) countLabels(frequencies, Uint8Array.from(label));
  return medianFrequencyWeights(frequencies);
}

test("median frequency balancing, worked out by hand", () => {
  // Frequencies: class 0: 5 of 8 pixels; 1: 2 of 8; 2: 1 of 4 (it is in the second image only). Median 1/4.
  const images = [
    [0, 0, 0, 1, 255],
    [0, 0, 1, 2, 255, 255],
  ];
  assert.deepEqual(weightsOf(3, images), [(1 / 4) * (8 / 5), 1, 1]);
  // A class that never occurs weighs 1 and counts nowhere. Of two frequencies, 3/4 and 1/4, the median is 1/2.
  assert.deepEqual(weightsOf(4, [[0, 0, 0, 3]]), [2 / 3, 1, 1, 2]);
});

test("classes that occur equally often weigh 1; void alone changes nothing", () => {
  assert.deepEqual(
    weightsOf(3, [
      [0, 1, 2],
      [2, 1, 0, 255],
    ]),
    [1, 1, 1],
  );
  assert.deepEqual(weightsOf(2, [[255, 255]]), [1, 1]);
  assert.deepEqual(weightsOf(2, []), [1, 1]);
});

test("the order of images does not matter, the rarer class weighs more, and weights are above 0", () => {
  const image = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(255)), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(image, { minLength: 1 }), (images) => {
      const weights = weightsOf(5, images);
      assert.deepEqual(weightsOf(5, images.toReversed()), weights);
      assert.ok(weights.every((weight) => weight > 0 && Number.isFinite(weight)));
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (rare, more) => {
      const [a, b] = weightsOf(2, [[...new Array(rare).fill(0), ...new Array(rare + more).fill(1)]]);
      assert.ok(a! > b!);
    }),
  );
});
