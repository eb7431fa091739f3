// The hand-assembled matrix product against the plain one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newKernel, PANEL } from "@segnas/operator/policy/kernel.ts";
import { random } from "@segnas/searchspace/random.ts";

test("the product of every number of rows, alone and added, to the last bit", () => {
  const draw = random(1, "kernel");
  for (const [rows, columns, depth] of [
    [1, 8, 1],
    [2, 16, 3],
    [5, 8, 7],
    [6, 24, 2],
  ] as const) {
    const [a, b, c] = [0, rows * depth, rows * depth + depth * columns] as const;
    const { memory, multiply } = newKernel(8 * (c + rows * columns));
    for (let at = 0; at < c + rows * columns; at++) memory[at] = draw.normal();
    const start = memory.slice(c, c + rows * columns);
    const bAt = (k: number, column: number) =>
      memory[b + (Math.floor(column / PANEL) * depth + k) * PANEL + (column % PANEL)]!;
    const expected = (from: ArrayLike<number>) =>
      Array.from({ length: rows * columns }, (_, at) => {
        let sum = from[at]!;
        for (let k = 0; k < depth; k++) {
          sum += memory[a + Math.floor(at / columns) * depth + k]! * bAt(k, at % columns);
        }
        return sum;
      });
    const added = expected(start);
    multiply(8 * a, 8 * b, 8 * c, rows, columns, depth, 1);
    assert.deepEqual([...memory.slice(c, c + rows * columns)], added, `${rows} rows, added`);
    const alone = expected(new Float64Array(rows * columns));
    multiply(8 * a, 8 * b, 8 * c, rows, columns, depth, 0);
    assert.deepEqual([...memory.slice(c, c + rows * columns)], alone, `${rows} rows`);
  }
});
