// Latency from a table: the laws of a sum over layers, and what is said of a table that does not fit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { countMacs } from "@segnas/searchspace/count.ts";
import { LAYER_KINDS, type LatencyTable, predictLatency } from "@segnas/searchspace/latency.ts";
import { expand, type Network } from "@segnas/searchspace/network.ts";
import fc from "fast-check";
import { architectures, settings, sizes } from "./spaces.ts";

const networks = fc.tuple(architectures, settings, sizes).map((parts) => expand(...parts));
const real = fc.double({ min: 0, max: 100, noNaN: true }).map(String);
const row = fc.record({ perLayer: real, perGigaMac: real, perMegaElement: real });
const tables = fc
  .tuple(...LAYER_KINDS.map(() => row))
  .map((rows): LatencyTable => ({ rows: rows.map((it, k) => ({ layer: LAYER_KINDS[k]!, ...it })) }));
const near = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * (1 + Math.abs(a) + Math.abs(b));

/** A table with the same row for all kinds. */
const uniform = (perLayer: string, perGigaMac: string, perMegaElement: string): LatencyTable => ({
  rows: LAYER_KINDS.map((layer) => ({ layer, perLayer, perGigaMac, perMegaElement })),
});
const arch0 = expand(
  parseArchitecture("arch0"),
  { classes: 19, aggregateChannels: 64, separableRepeats: 2 },
  { height: 360, width: 480 },
);

test("each coefficient counts what it says", () => {
  const elements = arch0.layers.reduce((sum, layer) => {
    const { channels, height, width } = arch0.values[layer.output]!;
    return sum + channels * height * width;
  }, 0);
  assert.equal(predictLatency(uniform("0", "0", "0"), arch0), 0);
  assert.equal(predictLatency(uniform("1", "0", "0"), arch0), arch0.layers.length);
  assert.ok(near(predictLatency(uniform("0", "1", "0"), arch0), countMacs(arch0).total / 1e9));
  assert.ok(near(predictLatency(uniform("0", "0", "5e-1"), arch0), elements / 2e6));
});

test("it is the sum over the layers, however they are parted", () => {
  fc.assert(
    fc.property(networks, tables, fc.nat(), (network, table, cut) => {
      const at = cut % network.layers.length;
      const part = (layers: Network["layers"]) => predictLatency(table, { ...network, layers });
      return near(
        predictLatency(table, network),
        part(network.layers.slice(0, at)) + part(network.layers.slice(at)),
      );
    }),
    { numRuns: 30 },
  );
});

test("a larger image or a dearer row never makes it shorter", () => {
  fc.assert(
    fc.property(
      ...[architectures, settings, sizes, sizes, tables, fc.nat(LAYER_KINDS.length - 1)],
      (architecture, setting, size, more, table, k) => {
        const larger = { height: size.height + more.height, width: size.width + more.width };
        const network = expand(architecture, setting, size);
        const dearer = {
          rows: table.rows.map((it, i) => (i === k ? { ...it, perLayer: `${Number(it.perLayer) + 1}` } : it)),
        };
        const least = predictLatency(table, network) * (1 - 1e-9);
        // Equal sizes need no Resize: a larger image may have a layer more, hardly ever one less.
        const enlarged = expand(architecture, setting, larger);
        assert.ok(predictLatency(dearer, network) >= least);
        if (enlarged.layers.length >= network.layers.length)
          assert.ok(predictLatency(table, enlarged) >= least);
      },
    ),
    { numRuns: 30 },
  );
});

const rows = uniform("1", "1", "1").rows;
const changed = (change: object) => ({ rows: rows.map((it, r) => (r === 2 ? { ...it, ...change } : it)) });
const mistakes: [what: string, table: LatencyTable, sentence: RegExp][] = [
  [
    "an unknown kind",
    changed({ layer: "Conv3D" }),
    /^table\.rows\[2\]\.layer: "Conv3D" is not known, write one of Conv2D, /,
  ],
  [
    "a kind that is missing",
    { rows: rows.filter(({ layer }) => layer !== "Resize") },
    /^table\.rows: there is none for the layer Resize, which the network has; write /,
  ],
  [
    "a negative coefficient",
    changed({ perGigaMac: "-1" }),
    /^table\.rows\[2\]\.perGigaMac: "-1" is not allowed, write a number of at least 0$/,
  ],
  ["no number", changed({ perLayer: "fast" }), /^table\.rows\[2\]\.perLayer: "fast" is not allowed/],
];
for (const [what, table, message] of mistakes)
  test(`a table with ${what} is refused in a sentence`, () => {
    assert.throws(() => predictLatency(table, arch0), { name: "UserError", message });
  });
