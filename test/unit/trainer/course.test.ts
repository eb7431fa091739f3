// The course of the loss in few numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LossCourse } from "@segnas/trainer/training/course.ts";
import fc from "fast-check";

test("however many steps there are, the course is short, and each number the mean of as many steps", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { maxLength: 3000 }), (losses) => {
      const course = new LossCourse();
      for (const loss of losses) course.add(loss);
      const { means } = course;
      assert.ok(means.length < 120);
      // Of 1, 2, 4 ... steps each: the first power of two for which they fit.
      let span = 1;
      while (Math.floor(losses.length / span) >= 120) span *= 2;
      assert.equal(means.length, Math.floor(losses.length / span));
      for (const [i, mean] of means.entries()) {
        const part = losses.slice(i * span, (i + 1) * span);
        const exact = part.reduce((sum, loss) => sum + loss, 0) / span;
        assert.ok(Math.abs(mean - exact) <= 2e-4 * exact, `${mean} and ${exact}`);
      }
    }),
  );
});
