// The generator against Random123's known answers, and its streams.
import assert from "node:assert/strict";
import { test } from "node:test";
import { philox, random, type Words4 } from "@segnas/searchspace/random.ts";

const hex = (words: number[]) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

test("philox4x32-10 gives the known answers of Random123", () => {
  const ones: Words4 = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff];
  const pi: Words4 = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  assert.equal(hex(philox([0, 0, 0, 0], [0, 0])), "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  assert.equal(hex(philox(ones, [0xffffffff, 0xffffffff])), "408f276d 41c83b0e a20bc7c6 6d5451fd");
  assert.equal(hex(philox(pi, [0xa4093822, 0x299f31d0])), "d16cfe09 94fdcceb 5001e420 24126ea1");
});

test("a seed and a key pick the stream", () => {
  const start = (...[seed, ...key]: Parameters<typeof random>) => {
    const stream = random(seed, ...key);
    return [stream.uniform(), stream.uniform(), stream.uniform()];
  };
  assert.deepEqual(start(1, "trial", 2), start(1, "trial", 2));
  const others = [
    start(1, "trial", 2),
    start(2, "trial", 2),
    start(1, "trial", 3),
    start(1, "trial", "2"),
    start(1),
  ];
  assert.equal(new Set(others.flat()).size, 15);
});

test("uniform, integer and normal have the moments of their distributions", () => {
  const stream = random(7, "moments");
  const n = 20_000;
  const draw = (next: () => number) => Array.from({ length: n }, next);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const near = (actual: number, expected: number, tolerance: number) =>
    assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not near ${expected}`);

  const uniforms = draw(() => stream.uniform());
  assert.ok(uniforms.every((value) => value >= 0 && value < 1));
  near(mean(uniforms), 0.5, 0.01);
  near(mean(uniforms.map((value) => value ** 2)), 1 / 3, 0.01);

  const normals = draw(() => stream.normal());
  near(mean(normals), 0, 0.03);
  near(mean(normals.map((value) => value ** 2)), 1, 0.05);
  near(mean(normals.map((value) => value ** 4)), 3, 0.3);

  const counts = [0, 0, 0];
  for (const value of draw(() => stream.integer(3))) counts[value]!++;
  for (const count of counts) near(count / n, 1 / 3, 0.02);
});

test("shuffle keeps the items, leaves its argument alone and reaches every order", () => {
  const stream = random(7, "shuffle");
  const items = ["a", "b", "c"];
  const orders = new Set(Array.from({ length: 200 }, () => stream.shuffle(items).join("")));
  assert.deepEqual(items, ["a", "b", "c"]);
  assert.deepEqual([...orders].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
});
