// Fitting a latency table: non-negative least squares by its own conditions, and tables found again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawArchitectures, fitTable, heldOut, type Timing } from "@segnas/cli/latency.ts";
import { nonNegativeLeastSquares } from "@segnas/cli/nnls.ts";
import { quantile } from "@segnas/cli/statistics.ts";
import { sampleUniform } from "@segnas/searchspace/decisions.ts";
import { LAYER_KINDS, type LatencyTable, predictLatency } from "@segnas/searchspace/latency.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import fc from "fast-check";

test("least squares: no slope where x is above 0, and none downhill where it is 0", () => {
  const number = fc.integer({ min: -9, max: 9 });
  const problem = fc
    .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 6 }))
    .chain(([n, m]) =>
      fc.tuple(
        fc.array(fc.array(number, { minLength: m, maxLength: m }), { minLength: n, maxLength: n }),
        fc.array(number, { minLength: n, maxLength: n }),
      ),
    );
  fc.assert(
    fc.property(problem, ([rows, targets]) => {
      const x = nonNegativeLeastSquares(rows, targets);
      const residuals = rows.map((row, r) => row.reduce((sum, a, i) => sum + a * x[i]!, -targets[r]!));
      for (const [i, value] of x.entries()) {
        const slope = rows.reduce((sum, row, r) => sum + row[i]! * residuals[r]!, 0);
        assert.ok(value >= 0);
        if (value > 0) assert.ok(Math.abs(slope) < 1e-4, `x[${i}] = ${value}, slope ${slope}`);
        else assert.ok(slope > -1e-4, `x[${i}] = 0, slope ${slope}`);
      }
    }),
  );
});

test("least squares: columns that depend on each other, columns of zeros, and nothing to fit", () => {
  const [a, b, c] = nonNegativeLeastSquares(
    [
      [1, 2, 0],
      [2, 4, 0],
    ],
    [3, 6],
  );
  assert.ok(Math.abs(a! + 2 * b! - 3) < 1e-9);
  assert.equal(c, 0);
  assert.deepEqual(nonNegativeLeastSquares([], []), []);
});

/** Networks timed, so to say, by a table. */
function timingsBy(table: LatencyTable, count: number): Timing[] {
  const draw = random(1, "latency");
  const settings = { classes: 19, aggregateChannels: 64, separableRepeats: 2 };
  return Array.from({ length: count }, (_, group) => {
    const architecture = sampleUniform(draw);
    return [1, 2].map((scale) => {
      const network = expand(architecture, settings, { height: 180 * scale, width: 240 * scale });
      return { group, network, milliseconds: predictLatency(table, network) };
    });
  }).flat();
}

const truth: LatencyTable = {
  device: "a table",
  rows: LAYER_KINDS.map((layer, k) => ({
    layer,
    perLayer: `${0.05 + 0.01 * k}`,
    perGigaMac: layer === "Conv2D" ? "20" : "0",
    perMegaElement: `${0.5 + 0.1 * k}`,
  })),
};

test("a machine that is a table is predicted well, held out or not", () => {
  const timings = timingsBy(truth, 40);
  const fitted = fitTable("a machine", timings);
  assert.equal(fitted.device, "a machine");
  assert.deepEqual(
    fitted.rows.map(({ layer }) => layer),
    LAYER_KINDS,
  );
  for (const { network, milliseconds } of timings)
    assert.ok(Math.abs(predictLatency(fitted, network) / milliseconds - 1) < 0.01);
  const check = heldOut(timings, ({ network }) => network.values[0]!.height === 360);
  assert.equal(check.networks, 40);
  assert.ok(check.medianError < 0.01, `${check.medianError}`);
  assert.ok(check.ninetiethError < 0.03, `${check.ninetiethError}`);
  assert.ok(check.rankCorrelation > 0.99, `${check.rankCorrelation}`);
});

test("timings that have nothing to do with the networks are not predicted, and the check says so", () => {
  const draw = random(2, "noise");
  const noise = timingsBy(truth, 40).map((timing) => ({ ...timing, milliseconds: 1 + 99 * draw.uniform() }));
  const check = heldOut(noise, () => true);
  assert.ok(check.medianError > 0.2, `${check.medianError}`);
  assert.ok(Math.abs(check.rankCorrelation) < 0.4, `${check.rankCorrelation}`);
});

const SETTINGS = { classes: 19, aggregateChannels: 64, separableRepeats: 2 };

test("as many architectures are drawn as asked for, and those that bring the other kinds of layer", () => {
  const size = { height: 360, width: 480 };
  for (let seed = 0; seed < 20; seed++)
    for (const samples of [1, 5]) {
      const drawn = drawArchitectures(random(seed, "measure"), samples, SETTINGS, size);
      assert.ok(drawn.length >= samples && drawn.length < samples + LAYER_KINDS.length);
      const kinds = drawn.flatMap((it) => expand(it, SETTINGS, size).layers.map(({ kind }) => kind));
      assert.equal(new Set(kinds).size, LAYER_KINDS.length);
    }
});

test("where a size has no layer of some kind, the drawing ends, and the table has no row for it", () => {
  for (const pixels of [1, 4]) {
    const size = { height: pixels, width: pixels };
    const drawn = drawArchitectures(random(1, "measure"), 5, SETTINGS, size);
    assert.ok(drawn.length < 5 + LAYER_KINDS.length);
    const timings = drawn.map((architecture, group) => {
      const network = expand(architecture, SETTINGS, size);
      return { group, network, milliseconds: predictLatency(truth, network) };
    });
    assert.deepEqual(
      fitTable("small", timings).rows.map(({ layer }) => layer),
      LAYER_KINDS.filter((kind) => kind !== "Resize"),
    );
    // A fold may lack a kind that the rest has.
    assert.equal(heldOut(timings, () => true).networks, timings.length);
  }
});

test("quantiles lie between their neighbours", () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([1, 2], 0.5), 1.5);
  assert.equal(quantile([7], 0.9), 7);
});
