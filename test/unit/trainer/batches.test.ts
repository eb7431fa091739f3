// Groups of a pass, and labels at the logits' size.
import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "@segnas/searchspace/random.ts";
import { shuffledGroups } from "@segnas/trainer/data/augment.ts";
import { nearestTarget } from "@segnas/trainer/data/target.ts";
import fc from "fast-check";

test("groups are whole, share nothing, and leave out less than one group", () => {
  fc.assert(
    fc.property(fc.nat(80), fc.integer({ min: 1, max: 12 }), fc.nat(), (count, size, seed) => {
      const groups = shuffledGroups(count, size, random(seed));
      for (const group of groups) assert.equal(group.length, size);
      const used = groups.flat();
      assert.equal(new Set(used).size, used.length);
      assert.ok(used.every((index) => index >= 0 && index < count));
      assert.ok(count - used.length < size);
      assert.deepEqual(shuffledGroups(count, size, random(seed)), groups);
    }),
  );
});

test("another stream gives another order, and what is left out changes", () => {
  const passes = Array.from({ length: 20 }, (_, epoch) => shuffledGroups(10, 3, random(1, epoch)).flat());
  assert.equal(new Set(passes.map(String)).size, 20);
  assert.equal(new Set(passes.flat()).size, 10);
});

const labels = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
  })
  .chain(({ batch, height, width }) =>
    fc.record({
      height: fc.constant(height),
      width: fc.constant(width),
      label: fc.uint8Array({ minLength: batch * height * width, maxLength: batch * height * width }),
    }),
  );
const side = fc.integer({ min: 1, max: 12 });

test("labels at another size are those at floor(i x from / to), image by image", () => {
  fc.assert(
    fc.property(labels, side, side, (target, height, width) => {
      const found = nearestTarget(target, height, width);
      const batch = target.label.length / (target.height * target.width);
      assert.deepEqual(
        [found.height, found.width, found.label.length],
        [height, width, batch * height * width],
      );
      for (let b = 0; b < batch; b++)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++) {
            const [sy, sx] = [
              Math.floor((y * target.height) / height),
              Math.floor((x * target.width) / width),
            ];
            const wanted = target.label[b * target.height * target.width + sy * target.width + sx];
            assert.equal(found.label[b * height * width + y * width + x], wanted);
          }
    }),
  );
});

test("labels of the wanted size stay as they are, and a whole multiple goes there and back", () => {
  fc.assert(
    fc.property(labels, fc.integer({ min: 1, max: 4 }), (target, times) => {
      assert.equal(nearestTarget(target, target.height, target.width), target);
      const larger = nearestTarget(target, target.height * times, target.width * times);
      assert.deepEqual({ ...nearestTarget(larger, target.height, target.width) }, { ...target });
    }),
  );
});
