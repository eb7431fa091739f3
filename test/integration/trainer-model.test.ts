// The optimiser against plain JavaScript, and what a training step may and may not change.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { shapesSplit } from "@segnas/trainer/data/shapes.ts";
import { cut, stretches } from "@segnas/trainer/data/tiles.ts";
import { Model } from "@segnas/trainer/model/model.ts";
import { type Arrays, initialArrays, SIDES, slotsOf } from "@segnas/trainer/model/parameters.ts";
import { joinVector, views } from "@segnas/trainer/model/vectors.ts";
import { dispose, liveTensors, read, type Tensor, tensor, tidy } from "@segnas/trainer/tensorflow/runtime.ts";
import { Artifacts } from "@segnas/trainer/training/artifacts.ts";
import { learn, Optimizer } from "@segnas/trainer/training/optimizer.ts";
import { Session } from "@segnas/trainer/training/session.ts";
import { averagedModel, type Batch } from "@segnas/trainer/training/stages.ts";
import { predict, validate } from "@segnas/trainer/training/validate.ts";

const EPSILON = 1e-3;
const size = { height: 48, width: 40 };
const settings = { classes: 4, aggregateChannels: 8, separableRepeats: 1 };
const architecture = parseArchitecture("arch0");
const network = expand(architecture, settings, size);
const slots = SIDES.flatMap((side) => slotsOf(network, side));
const scaling = { mean: 127.5, deviation: 127.5 };
const [node0, node1] = network.nodes as [number, number];

const newModel = () => Model.from(network, initialArrays(slots, random(2, "model")), EPSILON);
const rate = { learningRate: 0.01, weightDecay: 1e-4, gradientClip: 3, polyakDecay: 0.9 };
const optimizersOf = (model: Model, change: object = {}) => ({
  encoder: new Optimizer(model.vector("encoder"), { ...rate, ...change }),
  decoder: new Optimizer(model.vector("decoder"), { ...rate, ...change }),
});

function imageOf(seed: number, batch = 2): Tensor {
  const source = random(seed, "image");
  const values = Float32Array.from({ length: batch * size.height * size.width * 3 }, () => source.normal());
  return tensor(values, [batch, size.height, size.width, 3]);
}
const target = (batch = 2) => {
  const { height, width } = network.values[network.logits]!;
  const label = Uint8Array.from({ length: batch * height * width }, (_, i) => (i % 5 === 4 ? 255 : i % 4));
  return { label, height, width };
};

/** The logits of one image. */
function logitsOf(model: Model, image: Tensor): Float32Array {
  const [logits] = model.evaluate(network, new Map([[0, image]]), [network.logits]);
  const numbers = read(logits!);
  dispose(logits!);
  return numbers;
}

/** A model that has what evaluations keep, so that tensors can be counted. */
function evaluatedModel(): Model {
  const [model, image] = [newModel(), imageOf(1)];
  logitsOf(model, image);
  dispose(image);
  return model;
}

/** Bit-equal, NaN included. */
function same(found: Arrays, wanted: Arrays, names: (name: string) => boolean = () => true): void {
  const differing = [...wanted]
    .filter(([name]) => names(name))
    .filter(([name, values]) => !Buffer.from(values.buffer).equals(Buffer.from(found.get(name)!.buffer)))
    .map(([name]) => name);
  assert.deepEqual(differing, []);
}
const changed = (found: Arrays, before: Arrays): string[] =>
  [...before]
    .filter(([name, values]) => values.some((v, i) => v !== found.get(name)![i]))
    .map(([name]) => name);
const ofEncoder = (name: string) => name.startsWith("encoder.");

/** One step of an optimiser's; frees the old parameters. */
function stepped(optimizer: Optimizer, parameters: Tensor, gradient: Tensor): Tensor {
  const [next, first, second, average] = tidy((): Tensor[] => {
    const { moments, rates } = optimizer;
    const learned = learn({ parameters, ...moments }, gradient, tensor(rates, [rates.length]));
    return [learned.parameters, learned.first, learned.second, learned.average];
  });
  dispose(parameters);
  optimizer.advance({ first: first!, second: second!, average: average! });
  return next!;
}

describe("the optimiser", () => {
  /** Parameters after so many steps on fixed gradients; `again` goes on from an optimiser's state half way. */
  function after(steps: number, settings: ConstructorParameters<typeof Optimizer>[1], again = false) {
    const source = random(3, "schedule");
    const numbers = () =>
      tensor(
        Float32Array.from({ length: 6 }, () => source.normal()),
        [6],
      );
    let parameters = numbers();
    let optimizer = new Optimizer(parameters, settings);
    for (let step = 0; step < steps; step++) {
      const gradient = numbers();
      parameters = stepped(optimizer, parameters, gradient);
      dispose(gradient);
      if (!again || step !== Math.floor(steps / 2)) continue;
      const state = optimizer.state();
      optimizer.dispose();
      optimizer = new Optimizer(parameters, settings, state);
    }
    const found = [...read(parameters), ...optimizer.state().average];
    optimizer.dispose();
    dispose(parameters);
    return found;
  }

  it("multiplies its learning rate by the factor at each step, counted from 0", () => {
    const asked: number[] = [];
    const factorAt = (step: number) => {
      asked.push(step);
      return 0.5;
    };
    assert.deepEqual(after(5, { ...rate, learningRate: 0.02, factorAt }), after(5, rate));
    assert.deepEqual(asked, [0, 1, 2, 3, 4]);
    assert.notDeepEqual(after(5, { ...rate, factorAt: (step) => 1 / (1 + step) }), after(5, rate));
  });

  it("goes on from its state as if it had never been gone, its schedule too", () => {
    const live = liveTensors();
    const settings = { ...rate, factorAt: (step: number) => 1 / (1 + step) };
    assert.deepEqual(after(7, settings, true), after(7, settings));
    assert.equal(liveTensors(), live);
  });

  /** Clip by norm, L2, Adam, and a Polyak average, number by number. */
  function reference(start: number[], gradients: number[][], s: typeof rate) {
    let parameters = [...start];
    let average = [...start];
    const m = start.map(() => 0);
    const v = start.map(() => 0);
    for (const [t, gradient] of gradients.entries()) {
      const norm = Math.hypot(...gradient);
      const shrink = norm > s.gradientClip ? s.gradientClip / norm : 1;
      parameters = parameters.map((p, i) => {
        const g = shrink * gradient[i]! + s.weightDecay * p;
        m[i] = 0.9 * m[i]! + 0.1 * g;
        v[i] = 0.999 * v[i]! + 0.001 * g * g;
        const [first, second] = [m[i]! / (1 - 0.9 ** (t + 1)), v[i]! / (1 - 0.999 ** (t + 1))];
        return p - (s.learningRate * first) / (Math.sqrt(second) + 1e-8);
      });
      average = average.map((a, i) => s.polyakDecay * a + (1 - s.polyakDecay) * parameters[i]!);
    }
    return { parameters, average };
  }

  for (const [what, change, strength] of [
    ["below the clip", {}, 0.1],
    ["above the clip", {}, 100],
    ["with strong weight decay", { weightDecay: 0.5 }, 1],
    ["without weight decay", { weightDecay: 0 }, 1],
    ["with a slow average", { polyakDecay: 0.99 }, 1],
  ] as const)
    it(`${what}: ten steps as in plain JavaScript`, () => {
      const chosen = { ...rate, ...change };
      const source = random(1, "optimiser", what);
      const start = Array.from({ length: 7 }, () => source.normal());
      const gradients = Array.from({ length: 10 }, () => start.map(() => strength * source.normal()));
      const before = liveTensors();
      let parameters = tensor(Float32Array.from(start), [7]);
      const optimizer = new Optimizer(parameters, chosen);
      for (const gradient of gradients) {
        const given = tensor(Float32Array.from(gradient), [7]);
        parameters = stepped(optimizer, parameters, given);
        dispose(given);
      }
      const wanted = reference(start, gradients, chosen);
      for (let i = 0; i < 7; i++) {
        const [p, a] = [read(parameters)[i]!, read(optimizer.average)[i]!];
        assert.ok(
          Math.abs(p - wanted.parameters[i]!) <= 2e-5,
          `parameter ${i}: ${p}, ${wanted.parameters[i]}`,
        );
        assert.ok(Math.abs(a - wanted.average[i]!) <= 2e-5, `average ${i}: ${a}, ${wanted.average[i]}`);
      }
      optimizer.dispose();
      dispose(parameters);
      assert.equal(liveTensors(), before, "every tensor is freed");
    });
});

describe("vectors", () => {
  it("cut into arrays and joined again they are the same; what is missing is zero", () => {
    const model = newModel();
    const layout = model.layouts.decoder;
    const cut = views(layout, model.vector("decoder"));
    const joined = joinVector(layout, cut);
    assert.deepEqual(read(joined), read(model.vector("decoder")));
    const [first] = layout.slots;
    const partial = joinVector(layout, new Map([...cut].filter(([name]) => name !== first!.name)));
    assert.deepEqual(
      read(partial),
      read(joined).map((value, i) => (i < layout.sizes[0]! ? 0 : value)),
    );
    dispose(...cut.values(), joined, partial);
    model.dispose();
  });
});

describe("a model", () => {
  it("holds the arrays it was given, and a copy of its own", () => {
    const before = liveTensors();
    const arrays = initialArrays(slots, random(2, "model"));
    const model = Model.from(network, arrays, EPSILON);
    same(model.arrays(), arrays);
    const copy = model.copy();
    const image = imageOf(1);
    const optimizers = optimizersOf(model);
    model.step(network, new Map([[0, image]]), target(), optimizers);
    assert.ok(changed(model.arrays(), arrays).length > 0);
    same(copy.arrays(), arrays);
    optimizers.encoder.dispose();
    optimizers.decoder.dispose();
    dispose(image);
    model.dispose();
    copy.dispose();
    assert.equal(liveTensors(), before, "every tensor is freed");
  });

  it("learns: ten steps lower the loss of one batch", () => {
    const model = newModel();
    const optimizers = optimizersOf(model);
    const image = imageOf(1);
    const step = () => model.step(network, new Map([[0, image]]), target(), optimizers);
    const first = step();
    for (let i = 0; i < 9; i++) step();
    assert.ok(step() < first);
  });

  it("every parameter that can matter moves in a step", () => {
    const model = newModel();
    const before = model.arrays();
    const image = imageOf(1);
    model.step(network, new Map([[0, image]]), target(), optimizersOf(model));
    const moved = new Set(changed(model.arrays(), before));
    assert.deepEqual(
      [...before.keys()].filter((name) => !moved.has(name)),
      [],
    );
  });

  it("a step from the encoder's nodes leaves the encoder bit-equal, statistics included", () => {
    const model = newModel();
    const before = model.arrays();
    const image = imageOf(1);
    const nodes = newModel().evaluate(network, new Map([[0, image]]), [node0, node1]);
    const start = new Map([
      [node0, nodes[0]!],
      [node1, nodes[1]!],
    ]);
    const live = liveTensors();
    const decoder = new Optimizer(model.vector("decoder"), rate);
    for (let i = 0; i < 3; i++) model.step(network, start, target(), { decoder });
    decoder.dispose();
    assert.equal(liveTensors(), live, "every tensor is freed");
    same(model.arrays(), before, ofEncoder);
    const moved = new Set(changed(model.arrays(), before));
    assert.deepEqual(
      [...before.keys()].filter((name) => !ofEncoder(name) && !moved.has(name)),
      [],
    );
  });

  it("a step from the image with the decoder's optimiser alone keeps the encoder's parameters", () => {
    const model = newModel();
    const before = model.arrays();
    const image = imageOf(1);
    model.step(network, new Map([[0, image]]), target(), {
      decoder: new Optimizer(model.vector("decoder"), rate),
    });
    same(model.arrays(), before, (name) => ofEncoder(name) && !/\.(mean|variance)$/.test(name));
  });

  for (const value of [Number.NaN, Infinity])
    it(`a step whose loss is not finite (a pixel of ${value}) changes nothing and leaks nothing`, () => {
      const model = newModel();
      const optimizers = optimizersOf(model);
      const good = imageOf(1);
      model.step(network, new Map([[0, good]]), target(), optimizers);
      const before = model.arrays();
      const averages = [read(optimizers.encoder.average), read(optimizers.decoder.average)];
      const values = read(good).slice();
      values[100] = value;
      const bad = tensor(values, good.shape);
      const live = liveTensors();
      const loss = model.step(network, new Map([[0, bad]]), target(), optimizers);
      assert.ok(!Number.isFinite(loss), `loss ${loss}`);
      assert.equal(liveTensors(), live);
      same(model.arrays(), before);
      assert.deepEqual([read(optimizers.encoder.average), read(optimizers.decoder.average)], averages);
      assert.ok(model.isFinite());
    });

  it("knows where a parameter is not finite", () => {
    for (const side of SIDES)
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        const model = newModel();
        const vector = read(model.vector(side)).slice();
        vector[vector.length - 1] = value;
        const broken = model.copy({ [side]: tensor(vector, [vector.length]) });
        assert.ok(model.isFinite());
        assert.ok(!broken.isFinite(), `${side}: ${value}`);
      }
  });

  it("a batch without a known pixel has loss 0", () => {
    const model = newModel();
    const none = { ...target(), label: new Uint8Array(target().label.length).fill(255) };
    const image = imageOf(1);
    assert.equal(model.step(network, new Map([[0, image]]), none, optimizersOf(model)), 0);
    assert.ok(model.isFinite());
  });

  it("evaluation changes nothing, repeats to the bit, and frees all but what was asked for", () => {
    const model = evaluatedModel();
    const before = model.arrays();
    const image = imageOf(1);
    const live = liveTensors();
    const run = () => model.evaluate(network, new Map([[0, image]]), [network.logits, node0]);
    const [logits, first] = run();
    const again = run();
    assert.equal(liveTensors(), live + 4);
    assert.deepEqual(first!.shape, [2, 12, 10, 24]);
    assert.deepEqual(read(again[0]!), read(logits!));
    same(model.arrays(), before);
  });

  it("evaluation with BN folded into convolutions is what it is layer by layer", () => {
    const model = newModel();
    const [image, other] = [imageOf(1), imageOf(2)];
    // Statistics that matter.
    model.observe(network, new Map([[0, other]]), 0.5);
    const folded = logitsOf(model, image);
    // Where every value is asked for, nothing can be folded.
    const all = network.layers.map((layer) => layer.output);
    const values = model.evaluate(network, new Map([[0, image]]), all);
    const plain = read(values.at(-1)!);
    const largest = plain.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [i, value] of plain.entries()) assert.ok(Math.abs(folded[i]! - value) <= 1e-4 * largest);
    dispose(image, other, ...values);
    model.dispose();
  });

  it("is evaluated with what a step, new statistics and a vector put in place have made of it", () => {
    const model = evaluatedModel();
    const image = imageOf(1);
    const start = new Map([[0, image]]);
    const twice = tensor(
      read(model.vector("encoder")).map((value) => 2 * value),
      model.vector("encoder").shape,
    );
    let before = logitsOf(model, image);
    for (const change of [
      () => void model.step(network, start, target(), optimizersOf(model)),
      () => model.observe(network, start, 0.5),
      () => model.assign("encoder", twice),
    ]) {
      change();
      const fresh = Model.from(network, model.arrays(), EPSILON);
      const found = logitsOf(model, image);
      assert.deepEqual(found, logitsOf(fresh, image));
      assert.notDeepEqual(found, before);
      fresh.dispose();
      before = found;
    }
    dispose(image, twice);
    model.dispose();
  });

  it("evaluation from the nodes gives the logits that evaluation from the image gives", () => {
    const model = newModel();
    const image = imageOf(1);
    const [logits, ...nodes] = model.evaluate(network, new Map([[0, image]]), [network.logits, node0, node1]);
    const start = new Map([
      [node0, nodes[0]!],
      [node1, nodes[1]!],
    ]);
    const [found] = model.evaluate(network, start, [network.logits]);
    assert.deepEqual(read(found!), read(logits!));
  });

  it("60 steps and evaluations hold no more tensors and no more memory than the first", () => {
    const model = newModel();
    const optimizers = optimizersOf(model);
    const image = imageOf(1, 4);
    const step = () => {
      model.step(network, new Map([[0, image]]), target(4), optimizers);
      dispose(...model.evaluate(network, new Map([[0, image]]), [network.logits]));
    };
    for (let i = 0; i < 15; i++) step();
    const [live, resident] = [liveTensors(), process.memoryUsage.rss()];
    for (let i = 0; i < 60; i++) step();
    assert.equal(liveTensors(), live);
    // One leaked activation of the stem alone would be 60 x 245 KB; all of a step's are far more.
    const grown = (process.memoryUsage.rss() - resident) / 2 ** 20;
    assert.ok(grown < 40, `resident memory grew by ${grown.toFixed(1)} MiB`);
  });
});

describe("the averaged copy", () => {
  const session = () => new Session("t", undefined);
  const count = 5;
  /** Batches of distinct images, each pass in the same order; counts what is drawn and freed. */
  function batchesOf(images: Tensor[]) {
    const seen = { drawn: 0, freed: 0 };
    async function* batches(_: unknown, limit = Infinity): AsyncGenerator<Batch> {
      for (const image of images.slice(0, limit)) {
        seen.drawn++;
        yield { start: new Map([[0, image]]), target: target(), size: 2, free: () => void seen.freed++ };
      }
    }
    return { batches, seen };
  }
  const trained = () => {
    const model = newModel();
    const optimizers = optimizersOf(model);
    const image = imageOf(7);
    for (let i = 0; i < 4; i++) model.step(network, new Map([[0, image]]), target(), optimizers);
    return { model, optimizers };
  };

  it("has the average's parameters, and statistics that are the plain mean over the batches", async () => {
    const { model, optimizers } = trained();
    const images = Array.from({ length: count }, (_, i) => imageOf(i));
    const { batches, seen } = batchesOf(images);
    const before = model.arrays();
    const found = await averagedModel(model, network, optimizers, batches, count, 1, session());
    assert.deepEqual(seen, { drawn: count, freed: count });
    same(model.arrays(), before);
    for (const side of SIDES) assert.deepEqual(read(found.vector(side)), read(optimizers[side].average));

    const single = images.map((image) => {
      const copy = found.copy();
      copy.observe(network, new Map([[0, image]]), 1);
      return copy.arrays();
    });
    for (const [name, values] of found.arrays()) {
      if (!/\.(mean|variance)$/.test(name)) continue;
      for (const [i, value] of values.entries()) {
        const wanted = single.reduce((sum, arrays) => sum + arrays.get(name)![i]!, 0) / count;
        assert.ok(Math.abs(value - wanted) <= 1e-4 * Math.max(1, Math.abs(wanted)), `${name}[${i}]`);
      }
    }
  });

  it("with 0 batches it keeps the raw statistics", async () => {
    const { model, optimizers } = trained();
    const { batches, seen } = batchesOf([imageOf(1)]);
    const found = await averagedModel(model, network, optimizers, batches, 0, 1, session());
    assert.equal(seen.drawn, 0);
    same(found.arrays(), model.arrays(), (name) => /\.(mean|variance)$/.test(name));
  });

  it("where the pass is shorter than the limit it goes round again", async () => {
    const { model, optimizers } = trained();
    const { batches, seen } = batchesOf([imageOf(1), imageOf(2)]);
    await averagedModel(model, network, optimizers, batches, 5, 1, session());
    assert.deepEqual(seen, { drawn: 5, freed: 5 });
  });

  it("without the encoder's optimiser the encoder stays the model's", async () => {
    const { model, optimizers } = trained();
    const { batches } = batchesOf([]);
    const decoder = { decoder: optimizers.decoder };
    const found = await averagedModel(model, network, decoder, batches, 0, 1, session());
    assert.deepEqual(read(found.vector("encoder")), read(model.vector("encoder")));
  });
});

it("a vector put in place of the parameters is what is evaluated, and is a copy", () => {
  const [model, other] = [newModel(), evaluatedModel()];
  const live = liveTensors();
  const doubled = tensor(
    read(model.vector("decoder")).map((value) => 2 * value),
    model.vector("decoder").shape,
  );
  other.assign("decoder", doubled);
  const arrays = model.arrays();
  const wanted = new Map(
    [...arrays].map(([name, values]) => {
      const learned = !ofEncoder(name) && !/\.(mean|variance)$/.test(name);
      return [name, learned ? values.map((value) => 2 * value) : values];
    }),
  );
  same(other.arrays(), wanted);
  dispose(doubled);
  same(other.arrays(), wanted);
  const image = imageOf(5);
  const fresh = Model.from(network, wanted, EPSILON);
  assert.deepEqual(logitsOf(other, image), logitsOf(fresh, image));
  fresh.dispose();
  dispose(image);
  assert.equal(liveTensors(), live);
});

describe("validation", () => {
  const encoder = { ...scaling, epsilon: EPSILON, arrays: new Map(), source: "" };
  const split = shapesSplit(
    { seed: 1, classes: 4, height: 40, width: 56 },
    [0, 1, 2].map((index) => ({ name: `s${index}`, index })),
  );
  const networkFor = (of: typeof size) => expand(architecture, settings, of);

  it("predicts each pixel's class, whole image by whole image, and leaks nothing", async () => {
    const model = evaluatedModel();
    const live = liveTensors();
    const sample = await split.read(0);
    const prediction = predict(model, networkFor, sample, encoder);
    assert.equal(prediction.length, 40 * 56);
    assert.ok(prediction.every((value) => value < 4));
    const session = new Session("t", undefined);
    const judge = (crop?: typeof size) => {
      const validation = { split, classes: 4, encoder, crop };
      return validate(model, networkFor, validation, new Artifacts(undefined, []), session);
    };
    const metrics = await judge();
    assert.equal(session.progress.meanIoU, metrics.meanIoU);
    assert.deepEqual([session.progress.stage, session.progress.step], ["Validation", 3]);
    // Larger than the image: the rest is void, and counts nowhere.
    assert.ok(Number.isFinite((await judge({ height: 64, width: 64 })).meanIoU));
    assert.ok(Number.isFinite((await judge({ height: 33, width: 47 })).meanIoU));
    assert.equal(liveTensors(), live);
  });

  it("in one tile as large as the image, or larger, is what it is without", async () => {
    const model = newModel();
    const sample = await split.read(0);
    const whole = predict(model, networkFor, sample, encoder);
    for (const tile of [sample, { height: 40, width: 300 }])
      assert.deepEqual(predict(model, networkFor, sample, encoder, tile), whole);
  });

  it("in tiles each is an image of its own, and leaks nothing", async () => {
    const model = evaluatedModel();
    const sample = await split.read(0);
    const live = liveTensors();
    const sizes: string[] = [];
    const told = (of: typeof size) => {
      sizes.push(`${of.height}x${of.width}`);
      return networkFor(of);
    };
    // 40 x 56 in two rows of 32 (from 0 and 8) and two columns of 33 (from 0 and 23).
    const tiled = predict(model, told, sample, encoder, { height: 32, width: 33 });
    assert.deepEqual(sizes, new Array(4).fill("32x33"));
    assert.equal(liveTensors(), live);
    const part = cut(sample, stretches(40, 32)[1]!, stretches(56, 33)[1]!);
    const corner = predict(model, networkFor, part, encoder);
    // From the middle of the overlaps on, row 20 and column 28, the last tile counts.
    for (let y = 20; y < 40; y++)
      for (let x = 28; x < 56; x++) assert.equal(tiled[y * 56 + x], corner[(y - 8) * 33 + x - 23]);
  });

  it("does not depend on what else is judged: evaluation mode", async () => {
    const model = newModel();
    const sample = await split.read(0);
    const before = predict(model, networkFor, sample, encoder);
    const arrays = model.arrays();
    const validation = { split, classes: 4, encoder };
    await validate(model, networkFor, validation, new Artifacts(undefined, []), new Session("t", undefined));
    same(model.arrays(), arrays);
    assert.deepEqual(predict(model, networkFor, sample, encoder), before);
  });
});

it("tidy frees what was made, keeps what is returned, and frees all where the work throws", () => {
  const before = liveTensors();
  const [kept] = tidy(() => {
    tensor(Float32Array.of(1), [1]);
    return [tensor(Float32Array.of(2), [1])];
  });
  assert.equal(liveTensors(), before + 1);
  assert.equal(read(kept!)[0], 2);
  dispose(kept!);
  assert.throws(() =>
    tidy(() => {
      tensor(Float32Array.of(1), [1]);
      throw new Error("no");
    }),
  );
  assert.equal(liveTensors(), before);
});
