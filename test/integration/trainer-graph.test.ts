// Functions that TensorFlow runs as a graph: the same numbers as op by op, to the last bit, and nothing left behind.
import "./one-thread.ts";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PUBLISHED, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { Functions } from "@segnas/trainer/model/functions.ts";
import { Model } from "@segnas/trainer/model/model.ts";
import {
  initialArrays,
  SIDES,
  type Side,
  slotsOf,
  statisticsSlots,
} from "@segnas/trainer/model/parameters.ts";
import { GraphFunction } from "@segnas/trainer/tensorflow/graph.ts";
import {
  add,
  argmaxChannels,
  concat,
  multiply,
  scale,
  split,
  sumAll,
} from "@segnas/trainer/tensorflow/kernels.ts";
import {
  dispose,
  liveTensors,
  read,
  readInts,
  type Tensor,
  tensor,
} from "@segnas/trainer/tensorflow/runtime.ts";
import { targetTensors } from "@segnas/trainer/training/loss.ts";
import { Optimizer } from "@segnas/trainer/training/optimizer.ts";

const vector = (...values: number[]): Tensor => tensor(Float32Array.from(values), [values.length]);
const numbers = (tensor: Tensor): number[] => {
  const found = [...read(tensor)];
  dispose(tensor);
  return found;
};

describe("a graph function", () => {
  it("runs op by op the first time, and later as a graph, on what it is given then", () => {
    const live = liveTensors();
    let ran = 0;
    const weigh = new GraphFunction(({ x, y }: { x: Tensor; y: Tensor }) => {
      ran++;
      return { sum: add(scale(x, 3), y), all: sumAll(multiply(x, y)) };
    });
    for (const [a, b] of [
      [1, 2],
      [-3, 5],
      [0.25, 7],
    ] as const) {
      const inputs = { x: vector(a, a), y: vector(b, -b) };
      const { sum, all } = weigh.call(inputs);
      assert.deepEqual([numbers(sum), numbers(all)], [[3 * a + b, 3 * a - b], [0]]);
      dispose(inputs.x, inputs.y);
    }
    assert.equal(ran, 1);
    weigh.dispose();
    assert.equal(liveTensors(), live, "every tensor is freed");
  });

  it("has a graph for each form of what it is given: shapes, names, what is left out", () => {
    type Inputs = { parts: Map<number, Tensor>; factor?: Tensor };
    const join = new GraphFunction(({ parts, factor }: Inputs) => {
      const joined = concat([...parts.values()], 0);
      return { joined: factor ? multiply(joined, factor) : joined };
    });
    const factor = vector(2);
    for (let round = 1; round <= 3; round++) {
      const [a, b] = [vector(round), vector(7, round)];
      const forward = new Map([
        [0, a],
        [1, b],
      ]);
      const back = new Map([...forward].reverse());
      assert.deepEqual(numbers(join.call({ parts: forward }).joined), [round, 7, round]);
      assert.deepEqual(numbers(join.call({ parts: back }).joined), [7, round, round]);
      assert.deepEqual(numbers(join.call({ parts: back, factor }).joined), [14, 2 * round, 2 * round]);
      dispose(a, b);
    }
    join.dispose();
  });

  it("gives back what it is given, one tensor twice, and maps of the same form", () => {
    const same = new GraphFunction(({ x }: { x: Tensor }) => {
      const [first, second] = split(x, [1, 2], 0) as [Tensor, Tensor];
      return {
        parts: new Map([
          ["b", second],
          ["a", first],
        ]),
        again: second,
      };
    });
    const x = vector(1, 2, 3);
    for (let round = 0; round < 3; round++) {
      const { parts, again } = same.call({ x });
      assert.deepEqual([...parts.keys()], ["b", "a"]);
      assert.deepEqual(
        [[...read(parts.get("a")!)], [...read(parts.get("b")!)], [...read(again)]],
        [[1], [2, 3], [2, 3]],
      );
    }
    same.dispose();
  });

  it("takes whole numbers and gives them", () => {
    const best = new GraphFunction(({ x }: { x: Tensor }) => ({ places: argmaxChannels(x) }));
    for (const wanted of [0, 1, 2]) {
      const values = Float32Array.from({ length: 3 }, (_, i) => (i === wanted ? 1 : 0));
      assert.deepEqual([...readInts(best.call({ x: tensor(values, [1, 1, 1, 3]) }).places)], [wanted]);
    }
    best.dispose();
  });

  it("refuses tensors that it was not given, and reads nothing", () => {
    const live = liveTensors();
    const other = vector(1);
    const foreign = new GraphFunction(({ x }: { x: Tensor }) => ({ y: add(x, other) }));
    const reading = new GraphFunction(({ x }: { x: Tensor }) => ({ y: scale(x, read(x)[0]!) }));
    const x = vector(1);
    assert.throws(() => foreign.call({ x }), /a tensor that it was not given/);
    assert.throws(() => reading.call({ x }), /cannot be read/);
    assert.deepEqual(numbers(add(x, other)), [2], "what failed does not go on recording");
    dispose(x, other);
    assert.equal(liveTensors(), live, "every tensor is freed");
  });

  it("fails with TensorFlow's own words, and goes on", () => {
    const sum = new GraphFunction(({ x, y }: { x: Tensor; y: Tensor }) => ({ z: add(x, y) }));
    const [x, y, wrong] = [vector(1, 2), vector(3, 4), vector(1, 2, 3)];
    assert.throws(() => sum.call({ x, y: wrong }), /[Ii]ncompatible shapes/);
    for (let round = 0; round < 3; round++) assert.deepEqual(numbers(sum.call({ x, y }).z), [4, 6]);
    sum.dispose();
  });
});

describe("a training step as a graph", () => {
  const size = { height: 65, width: 49 };
  const rates = { learningRate: 0.01, weightDecay: 1e-4, gradientClip: 3, polyakDecay: 0.9 };
  for (const [name, genotype] of Object.entries(PUBLISHED))
    it(`${name}: its loss and all that is learned are those of the same ops one by one, to the last bit`, () => {
      const settings = { classes: 4, aggregateChannels: 16, separableRepeats: 1 };
      const network = expand(parseArchitecture(genotype), settings, size);
      const slots = SIDES.flatMap((side) => slotsOf(network, side));
      const arrays = initialArrays(slots, random(1));
      const model = Model.from(network, arrays, 1e-5);
      const source = random(1, "image");
      const pixels = Float32Array.from({ length: 2 * size.height * size.width * 3 }, () => source.normal());
      const { height, width } = network.values[network.logits]!;
      const label = Uint8Array.from({ length: 2 * height * width }, (_, i) => (i % 5 === 4 ? 255 : i % 4));
      const statistics = SIDES.flatMap((side) => statisticsSlots(network, side));
      const given = (side: Side) => {
        const optimizer = new Optimizer(model.vector(side), rates);
        return { moments: optimizer.moments, rates: tensor(optimizer.rates, [optimizer.rates.length]) };
      };
      const inputs = {
        start: new Map([[0, tensor(pixels, [2, size.height, size.width, 3])]]),
        target: targetTensors({ label, height, width }),
        parameters: { encoder: model.vector("encoder"), decoder: model.vector("decoder") },
        optimizers: { encoder: given("encoder"), decoder: given("decoder") },
        statistics: new Map(statistics.map(({ name, shape }) => [name, tensor(arrays.get(name)!, shape)])),
      };
      const step = new Functions(model.layouts, 1e-5).step(network);
      const bits = () => {
        const { loss, learned, statistics } = step.call(inputs);
        const sides = SIDES.flatMap((side) => Object.values(learned[side]!));
        return [loss, ...sides, ...statistics.values()].map((tensor) =>
          Buffer.from(read(tensor).slice().buffer),
        );
      };
      const [oneByOne, first, second] = [bits(), bits(), bits()];
      assert.equal(oneByOne.length, 1 + 2 * 4 + statistics.length);
      for (const graph of [first, second])
        for (const [i, wanted] of oneByOne.entries()) assert.ok(graph[i]!.equals(wanted), `output ${i}`);
    });
});
