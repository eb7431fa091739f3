// Golden random9 disagreed by .1 while twenty others agreed to 1e-13: its collected nodes are 4x6, 8x12, 16x24 ...,
// and each was resized straight to the tallest. They join one at a time, so the first is resized twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { expand } from "@segnas/searchspace/network.ts";

const RANDOM9 = [
  [
    [0, 2, 0],
    [5, 5, 1],
    [0, 4, 1],
  ],
  [
    [1, 1, 0, 3, 0],
    [1, 1, 0, 1, 1],
    [1, 1, 1, 0, 1],
    [1, 0, 2, 3, 0],
    [1, 5, 1, 3, 0],
    [0, 2, 2, 1, 0],
    [0, 2, 1, 3, 0],
  ],
];

test("a small collected node is resized at each join with a taller one", () => {
  const settings = { classes: 11, aggregateChannels: 48, separableRepeats: 1 };
  const network = expand(parseArchitecture(RANDOM9), settings, { height: 64, width: 96 });
  assert.deepEqual(network.collected, [3, 4, 6, 7, 8]);
  const sizes = [];
  let value = network.nodes[3]!;
  for (const layer of network.layers) {
    if (layer.kind !== "Resize" || layer.part !== "PreClassifier" || layer.inputs[0] !== value) continue;
    value = layer.output;
    sizes.push([network.values[value]!.height, network.values[value]!.width]);
  }
  assert.deepEqual(sizes, [
    [8, 12],
    [16, 24],
  ]);
});
