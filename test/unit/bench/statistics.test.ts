import assert from "node:assert/strict";
import { test } from "node:test";
import { deviation, pearson, spearman } from "@segnas/cli/statistics.ts";
import { random } from "@segnas/searchspace/random.ts";
import fc from "fast-check";
import { interval, kendall } from "../../bench/results/statistics.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

test("Kendall's tau counts pairs in order and out of order", () => {
  near(kendall([1, 2, 3, 4], [1, 2, 3, 4]), 1);
  near(kendall([1, 2, 3, 4], [4, 3, 2, 1]), -1);
  // Five pairs in order, one out of it.
  near(kendall([1, 2, 3, 4], [2, 1, 3, 4]), 4 / 6);
  // Four pairs in order, two out of it, three ties in the one list, one in the other: of fifteen pairs.
  near(kendall([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]), -0.4714045207910317);
  assert.ok(Number.isNaN(kendall([1, 1], [1, 2])));
});

test("Spearman's correlation is Pearson's of ranks, ties sharing theirs", () => {
  near(spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]), 0.8207826816681233);
  // Without ties 1 - 6 x (squared differences of ranks) / (n (n^2 - 1)): IQ and hours of television, a textbook's.
  near(
    spearman([106, 100, 86, 101, 99, 103, 97, 113, 112, 110], [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]),
    1 - (6 * 194) / (10 * 99),
  );
  assert.ok(Number.isNaN(spearman([1, 1], [1, 2])));
});

test("a sample's deviation and Pearson's correlation", () => {
  near(deviation([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
  near(pearson([1, 2, 3], [2, 4, 6]), 1);
  near(pearson([1, 2, 3], [1, 3, 2]), 0.5);
});

/** Two lists of the same length, with ties, neither all one value. */
const lists = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), { minLength: 2 })
  .map((pairs) => [pairs.map(([x]) => x), pairs.map(([, y]) => y)] as const)
  .filter((both) => both.every((list) => new Set(list).size > 1));

for (const [name, measure] of Object.entries({ kendall, spearman })) {
  test(`${name}: symmetric, of order alone, within -1 and 1, and turned round by turning one list round`, () => {
    fc.assert(
      fc.property(lists, ([a, b]) => {
        const value = measure(a, b);
        assert.ok(value <= 1 + 1e-9 && value >= -1 - 1e-9);
        near(measure(b, a), value);
        near(measure(a.map(Math.exp), b), value);
        near(
          measure(
            a.map((x) => -x),
            b,
          ),
          -value,
        );
        near(measure(a, a), 1);
      }),
    );
  });
}

test("a bootstrap's interval: the same each time, around the measure, narrower with more items", () => {
  const pairs = (count: number) => {
    const draw = random(1, "pairs", count);
    const a = Array.from({ length: count }, () => draw.normal());
    return [a, a.map((value) => value + draw.normal())] as const;
  };
  const width = (count: number) => {
    const [a, b] = pairs(count);
    const [low, high] = interval(kendall, a, b, random(1, "bootstrap"));
    assert.deepEqual([low, high], interval(kendall, a, b, random(1, "bootstrap")));
    const value = kendall(a, b);
    assert.ok(low < value && value < high, `${low} ${value} ${high}`);
    return high - low;
  };
  assert.ok(width(60) < width(15));
  // Items in one order stay in it, however they are drawn.
  assert.deepEqual(interval(spearman, [1, 2, 3, 4], [1, 2, 3, 4], random(1)).map(Math.round), [1, 1]);
});
