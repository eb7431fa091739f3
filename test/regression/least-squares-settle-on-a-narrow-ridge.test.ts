// Three equations for five unknowns, found by the law of test/unit/cli/latency.test.ts: the descent goes along a ridge
// so narrow that after 100,000 sweeps, where it was given up, x[0] was 9.26 in place of 9.5.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nonNegativeLeastSquares } from "@segnas/cli/nnls.ts";

test("least squares settle on a narrow ridge", () => {
  const rows = [
    [-3, 0, 0, 1, 4],
    [1, 0, 0, -3, 7],
    [-4, 0, 0, 6, -9],
  ];
  const x = nonNegativeLeastSquares(rows, [0, 0, 1]);
  for (const [i, value] of [9.5, 0, 0, 12.5, 4].entries())
    assert.ok(Math.abs(x[i]! - value) < 1e-4, `x[${i}] = ${x[i]}`);
});
