// Laws of every expanded network, whatever the architecture, settings and size.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { countActivationBytes, layerParameters } from "@segnas/searchspace/count.ts";
import { expand, type Layer, type Network, type ValueShape } from "@segnas/searchspace/network.ts";
import fc from "fast-check";
import { architectures, settings, sizes } from "./spaces.ts";

/** What a layer must make of its inputs, stated apart from the code that expands. */
function checkShape(layer: Layer, inputs: ValueShape[], output: ValueShape): void {
  const [first, second] = inputs as [ValueShape, ValueShape];
  const strided = (size: number, kernel: number, stride: number, dilation: number) =>
    Math.floor((size + 2 * dilation * (kernel >> 1) - dilation * (kernel - 1) - 1) / stride) + 1;
  switch (layer.kind) {
    case "Conv2D":
      assert.equal(output.height, strided(first.height, layer.kernel, layer.stride, layer.dilation));
      assert.equal(output.width, strided(first.width, layer.kernel, layer.stride, layer.dilation));
      if (layer.depthwise) assert.equal(output.channels, first.channels);
      break;
    case "MaxPool3x3":
      assert.deepEqual(output, {
        channels: first.channels,
        height: strided(first.height, 3, layer.stride, 1),
        width: strided(first.width, 3, layer.stride, 1),
      });
      break;
    case "BatchNorm":
    case "Relu":
    case "Relu6":
      assert.deepEqual(output, first);
      break;
    case "Add":
    case "WeightedSum":
      assert.deepEqual(first, second);
      assert.deepEqual(output, first);
      break;
    case "Concat": {
      const channels = inputs.reduce((sum, shape) => sum + shape.channels, 0);
      for (const { height, width } of inputs) assert.deepEqual({ channels, height, width }, output);
      break;
    }
    case "GlobalAveragePool":
      assert.deepEqual(output, { channels: first.channels, height: 1, width: 1 });
      break;
    case "Broadcast":
      assert.deepEqual([first.height, first.width, first.channels], [1, 1, output.channels]);
      break;
    case "Resize":
      assert.equal(output.channels, first.channels);
      assert.ok(first.height !== output.height || first.width !== output.width, "resized to its own size");
      break;
    case "RepeatChannels":
      assert.deepEqual(output, { ...first, channels: first.channels * layer.times });
      break;
  }
}

function parametersByName(network: Network): [string, number][] {
  return network.layers
    .map((layer): [string, number] => [layer.name, layerParameters(network, layer)])
    .filter(([, parameters]) => parameters > 0);
}

test("every value is made once before its use, with the shape that its layer gives", () => {
  fc.assert(
    fc.property(architectures, settings, sizes, (architecture, chosen, size) => {
      const network = expand(architecture, chosen, size);
      const made = new Set([0]);
      for (const layer of network.layers) {
        for (const value of layer.inputs)
          assert.ok(made.has(value), `${layer.name} uses ${value} before it is made`);
        assert.ok(!made.has(layer.output), `${layer.name} makes ${layer.output} again`);
        made.add(layer.output);
        checkShape(
          layer,
          layer.inputs.map((value) => network.values[value]!),
          network.values[layer.output]!,
        );
      }
      assert.equal(made.size, network.values.length);
      assert.equal(new Set(network.layers.map(({ name }) => name)).size, network.layers.length);
      assert.equal(network.values[network.logits]!.channels, chosen.classes);
      for (const { channels, height, width } of network.values) {
        assert.ok([channels, height, width].every((extent) => Number.isInteger(extent) && extent >= 1));
      }
    }),
  );
});

test("the parameters and their names do not depend on the size of the image", () => {
  fc.assert(
    fc.property(architectures, settings, sizes, sizes, (architecture, chosen, one, other) => {
      const [a, b] = [expand(architecture, chosen, one), expand(architecture, chosen, other)];
      assert.deepEqual(parametersByName(a), parametersByName(b));
    }),
  );
});

test("inference never holds more than training keeps, and both grow with the batch", () => {
  fc.assert(
    fc.property(architectures, settings, sizes, (architecture, chosen, size) => {
      const network = expand(architecture, chosen, size);
      const one = countActivationBytes(network, 1);
      assert.ok(one.inference < one.training);
      const three = { training: 3 * one.training, inference: 3 * one.inference };
      assert.deepEqual(countActivationBytes(network, 3), three);
    }),
  );
});

test("activation bytes of a small chain, counted by hand", () => {
  const chain: Network = {
    ...expand(
      parseArchitecture("arch0"),
      { classes: 2, aggregateChannels: 1, separableRepeats: 1 },
      { height: 1, width: 1 },
    ),
    values: [4, 10, 2, 2].map((channels) => ({ channels, height: 1, width: 1 })),
    layers: [
      { name: "a", part: "Encoder", inputs: [0], output: 1, kind: "Relu" },
      { name: "b", part: "Encoder", inputs: [1], output: 2, kind: "Relu" },
      { name: "c", part: "Encoder", inputs: [2, 2], output: 3, kind: "Add" },
    ],
  };
  assert.deepEqual(countActivationBytes(chain, 1), { training: 18 * 4, inference: 14 * 4 });
});
