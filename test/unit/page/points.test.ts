// How the keyboard goes through a chart's points.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nextPoint } from "@segnas/operator/web/page/client/points.ts";
import fc from "fast-check";

const KEYS = ["ArrowLeft", "ArrowRight", "Home", "End"];

test("every key leads to a point that there is, and there and back is the same one", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(1000), fc.constantFrom(...KEYS), (a, b, key) => {
      const [here, last] = [Math.min(a, b), Math.max(a, b)];
      const next = nextPoint(key, here, last)!;
      assert.ok(next >= 0 && next <= last);
      if (key === "ArrowLeft" && here > 0) assert.equal(nextPoint("ArrowRight", next, last), here);
      assert.equal(nextPoint("Home", here, last), 0);
      assert.equal(nextPoint("End", here, last), last);
    }),
  );
});

test("at first there is the latest point; other keys are none of ours", () => {
  assert.deepEqual(
    KEYS.map((key) => nextPoint(key, undefined, 9)),
    [9, 9, 0, 9],
  );
  for (const key of ["Tab", "a", "PageDown", "toString"]) assert.equal(nextPoint(key, 3, 9), undefined);
});
