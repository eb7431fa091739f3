// Each kernel against straightforward loops in double precision, and its gradient against finite differences of
// those loops, on tiny maps.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { random } from "@segnas/searchspace/random.ts";
import type { Target } from "@segnas/trainer/data/target.ts";
import * as k from "@segnas/trainer/tensorflow/kernels.ts";
import {
  attribute,
  dispose,
  execute,
  FLOAT,
  liveTensors,
  read,
  readInts,
  type Tensor,
  tensor,
  tidy,
  USES_GPU,
} from "@segnas/trainer/tensorflow/runtime.ts";
import { lossOf, targetTensors } from "@segnas/trainer/training/loss.ts";

/** Numbers in the order of TensorFlow's, [batch, height, width, channels]. */
interface Map4 {
  shape: [number, number, number, number];
  values: Float64Array;
}
type Shape = Map4["shape"];

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Normal numbers that float32 holds exactly. */
function drawn(shape: Shape, ...key: (string | number)[]): Map4 {
  const source = random(5, "kernels", ...key);
  return { shape, values: Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(source.normal())) };
}
const at = ({ shape: [, h, w, c], values }: Map4, b: number, y: number, x: number, i: number): number =>
  values[((b * h + y) * w + x) * c + i]!;

/** A map made place by place. */
function made(shape: Shape, value: (b: number, y: number, x: number, c: number) => number): Map4 {
  const [batch, height, width, channels] = shape;
  const values = new Float64Array(sizeOf(shape));
  let place = 0;
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) values[place++] = value(b, y, x, c);
  return { shape, values };
}

const onDevice = ({ values, shape }: Map4): Tensor => tensor(Float32Array.from(values), shape);

function close(found: Tensor, wanted: ArrayLike<number>, what: string, tolerance = 1e-4): void {
  const values = read(found);
  assert.equal(values.length, wanted.length, `${what}: ${found.shape}`);
  for (let i = 0; i < values.length; i++)
    assert.ok(
      Math.abs(values[i]! - wanted[i]!) <= tolerance * Math.max(1, Math.abs(wanted[i]!)),
      `${what}[${i}]: ${values[i]}, wanted ${wanted[i]}`,
    );
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Central differences of `output . dy` by each number of `by`. */
function differences(output: () => Map4, dy: Map4, by: Map4, step = 1e-5): Float64Array {
  return by.values.map((value, i) => {
    const side = (moved: number) => {
      by.values[i] = moved;
      return dot(output().values, dy.values);
    };
    const slope = (side(value + step) - side(value - step)) / (2 * step);
    by.values[i] = value;
    return slope;
  });
}

/**
 * Compares a kernel with its loops: forwards, and backwards for each of `inputs`. All tensors but those of the
 * comparison itself must be gone after it.
 */
function check(
  inputs: Map4[],
  loops: (...inputs: Map4[]) => Map4,
  forward: (...inputs: Tensor[]) => Tensor,
  backward: (y: Tensor, dy: Tensor, ...inputs: Tensor[]) => Tensor[],
): void {
  const before = liveTensors();
  const wanted = loops(...inputs);
  const dy = drawn(wanted.shape, "dy");
  tidy(() => {
    const tensors = inputs.map(onDevice);
    const y = forward(...tensors);
    assert.deepEqual(y.shape, wanted.shape);
    close(y, wanted.values, "forward");
    for (const [i, gradient] of backward(y, onDevice(dy), ...tensors).entries()) {
      const slopes = differences(() => loops(...inputs), dy, inputs[i]!);
      assert.deepEqual(gradient.shape, inputs[i]!.shape);
      close(gradient, slopes, `gradient of input ${i}`, 1e-3);
    }
    return [];
  });
  assert.equal(liveTensors(), before, "every tensor is freed");
}

const SIZES = [1, 2, 3, 7, 12, 13];
/** Square maps of each size, and two that are not. */
const MAPS = [...SIZES.map((n) => [n, n] as const), [5, 8] as const, [1, 6] as const];

function convolve(x: Map4, weight: Map4, conv: k.Convolution, depthwise: boolean): Map4 {
  const { kernel, stride, dilation } = conv;
  const [batch, height, width, inputs] = x.shape;
  const padding = dilation * Math.floor(kernel / 2);
  const places = (size: number) =>
    Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  const outputs = depthwise ? inputs : weight.shape[3];
  return made([batch, places(height), places(width), outputs], (b, y, xx, o) => {
    let sum = 0;
    for (let ky = 0; ky < kernel; ky++)
      for (let kx = 0; kx < kernel; kx++) {
        const [sy, sx] = [y * stride + ky * dilation - padding, xx * stride + kx * dilation - padding];
        if (sy < 0 || sx < 0 || sy >= height || sx >= width) continue;
        if (depthwise) sum += at(x, b, sy, sx, o) * at(weight, ky, kx, o, 0);
        else for (let i = 0; i < inputs; i++) sum += at(x, b, sy, sx, i) * at(weight, ky, kx, i, o);
      }
    return sum;
  });
}

describe("conv2d", () => {
  for (const kernel of [1, 3, 5])
    for (const stride of [1, 2])
      it(`${kernel}x${kernel}, stride ${stride}`, () => {
        const conv = { kernel, stride, dilation: 1 };
        for (const [height, width] of MAPS.filter(([height]) => height <= 7))
          check(
            [drawn([2, height, width, 2], "x", height, width), drawn([kernel, kernel, 2, 3], "w")],
            (x, weight) => convolve(x!, weight!, conv, false),
            (x, weight) => k.conv2d(x!, weight!, conv),
            (_, dy, x, weight) => {
              const { dx, dw } = k.conv2dGradient(x!, weight!, dy, conv, true);
              return [dx!, dw];
            },
          );
      });

  it("leaves the input's gradient out where nothing needs it", () => {
    tidy(() => {
      const [x, weight] = [onDevice(drawn([1, 2, 2, 1])), onDevice(drawn([1, 1, 1, 1]))];
      const found = k.conv2dGradient(x, weight, x, { kernel: 1, stride: 1, dilation: 1 }, false);
      assert.equal(found.dx, undefined);
      assert.deepEqual(found.dw.shape, [1, 1, 1, 1]);
      return [];
    });
  });
});

describe("depthwise convolution", () => {
  for (const [kernel, dilation] of [
    [3, 1],
    [5, 1],
    [5, 6],
  ] as const)
    for (const stride of [1, 2])
      it(`${kernel}x${kernel}, dilation ${dilation}, stride ${stride}`, () => {
        const conv = { kernel, stride, dilation };
        for (const [height, width] of MAPS)
          check(
            [drawn([2, height, width, 2], "x", height, width), drawn([kernel, kernel, 2, 1], "w")],
            (x, weight) => convolve(x!, weight!, conv, true),
            (x, weight) => k.depthwise(x!, weight!, conv),
            (_, dy, x, weight) => {
              const { dx, dw } = k.depthwiseGradient(x!, weight!, dy, conv);
              return [dx, dw];
            },
          );
      });

  it("refuses a stride that does not divide the dilation", () => {
    const conv = { kernel: 5, stride: 4, dilation: 6 };
    const work = () =>
      tidy(() => [k.depthwise(onDevice(drawn([1, 4, 4, 1])), onDevice(drawn([5, 5, 1, 1])), conv)]);
    assert.throws(work, /stride 4 does not divide dilation 6/);
  });
});

describe("a convolution with its bias and activation", () => {
  const limits = { none: [-Infinity, Infinity], Relu: [0, Infinity], Relu6: [0, 6] } as const;
  for (const depthwise of [false, true])
    for (const [name, [least, most]] of Object.entries(limits))
      it(`${depthwise ? "depthwise" : "dense"}, activation ${name}`, () => {
        const activation = name === "Relu" || name === "Relu6" ? name : undefined;
        for (const [kernel, stride, dilation] of [
          [1, 1, 1],
          [3, 1, 1],
          [3, 2, 1],
          [5, 1, 1],
          ...(depthwise ? ([[5, 1, 6]] as const) : []),
        ] as const)
          for (const [batch, height, width] of MAPS.flatMap((map) => [
            [1, ...map] as const,
            [2, ...map] as const,
          ])) {
            const conv = { kernel, stride, dilation, depthwise };
            const weight: Shape = depthwise ? [kernel, kernel, 2, 1] : [kernel, kernel, 2, 3];
            const channels = depthwise ? 2 : 3;
            check(
              [
                drawn([batch, height, width, 2], "x", height),
                drawn(weight, "w"),
                drawn([1, 1, 1, channels], "bias"),
              ],
              (x, w, bias) => {
                const plain = convolve(x!, w!, conv, depthwise);
                return made(plain.shape, (b, y, xx, c) =>
                  // Spread, so that some are over 6.
                  Math.min(most, Math.max(least, at(plain, b, y, xx, c) + 4 * at(bias!, 0, 0, 0, c))),
                );
              },
              (x, w, bias) =>
                k.convolveFused(x!, w!, k.scale(k.reshape(bias!, [channels]), 4), { ...conv, activation }),
              () => [],
            );
          }
      });
});

describe("3x3 max pool, padded by minus infinity", () => {
  for (const stride of [1, 2])
    it(`stride ${stride}`, () => {
      for (const [height, width] of MAPS)
        check(
          // All below 0: padding with 0 would show.
          [
            made(
              [2, height, width, 2],
              (b, y, x, c) => -1 - ((17 * b + 7 * y + 3 * x + 5 * c) % 31) - x / 64,
            ),
          ],
          (x) => {
            const places = (size: number) => Math.floor((size - 1) / stride) + 1;
            return made([2, places(height), places(width), 2], (b, y, xx, c) => {
              let most = -Infinity;
              for (let sy = y * stride - 1; sy <= y * stride + 1; sy++)
                for (let sx = xx * stride - 1; sx <= xx * stride + 1; sx++)
                  if (sy >= 0 && sx >= 0 && sy < height && sx < width)
                    most = Math.max(most, at(x!, b, sy, sx, c));
              return most;
            });
          },
          (x) => k.maxPool3x3(x!, stride),
          (y, dy, x) => [k.maxPool3x3Gradient(x!, y, dy, stride)],
        );
    });

  it("goes by oneDNN's kernels, which the CPU's build of TensorFlow has", () => {
    assert.equal(k.ONE_DNN, !USES_GPU);
  });

  for (const stride of [1, 2])
    it(`at stride ${stride} the gradient is that of TensorFlow's own kernel, among equal values too`, () => {
      const attributes = [
        ...[attribute.type("T", FLOAT), attribute.ints("ksize", [1, 3, 3, 1])],
        attribute.ints("strides", [1, stride, stride, 1]),
        attribute.string("padding", "EXPLICIT"),
        attribute.ints("explicit_paddings", [0, 0, 1, 1, 1, 1, 0, 0]),
      ];
      for (const [height, width] of MAPS)
        tidy(() => {
          const shape: Shape = [3, height, width, 5];
          const ties = drawn(shape, "ties");
          // Negative ones too: a border of zeros would be larger.
          const rounded = { shape, values: ties.values.map((value) => Math.round(value) - 2) };
          const x = onDevice(rounded);
          const y = k.maxPool3x3(x, stride);
          const dy = onDevice(drawn([...y.shape] as Shape, "dy"));
          const wanted = read(execute("MaxPoolGrad", attributes, x, y, dy));
          for (const [i, slope] of read(k.maxPool3x3Gradient(x, y, dy, stride)).entries())
            assert.ok(
              Math.abs(slope - wanted[i]!) <= 1e-6,
              `${height}x${width}, ${i}: ${slope}, ${wanted[i]}`,
            );
          return [];
        });
    });
});

/** Bilinear with half-pixel centres; outside, the edge's pixel. */
function resize(x: Map4, height: number, width: number): Map4 {
  const [batch, h, w, channels] = x.shape;
  const taps = (place: number, from: number, to: number) => {
    const source = ((place + 0.5) * from) / to - 0.5;
    const low = Math.floor(source);
    const clamp = (i: number) => Math.min(from - 1, Math.max(0, i));
    return { low: clamp(low), high: clamp(low + 1), share: source - low };
  };
  return made([batch, height, width, channels], (b, y, xx, c) => {
    const [v, u] = [taps(y, h, height), taps(xx, w, width)];
    const row = (sy: number) => (1 - u.share) * at(x, b, sy, u.low, c) + u.share * at(x, b, sy, u.high, c);
    return (1 - v.share) * row(v.low) + v.share * row(v.high);
  });
}

describe("bilinear resize", () => {
  for (const [from, to] of [
    [
      [1, 1],
      [4, 3],
    ],
    [
      [3, 4],
      [7, 9],
    ],
    [
      [6, 5],
      [12, 10],
    ],
    [
      [7, 9],
      [3, 4],
    ],
    [
      [8, 8],
      [1, 1],
    ],
    [
      [5, 6],
      [5, 12],
    ],
    [
      [2, 9],
      [9, 2],
    ],
  ] as const)
    it(`${from.join("x")} to ${to.join("x")}`, () => {
      check(
        [drawn([2, ...from, 2], "x")],
        (x) => resize(x!, to[0], to[1]),
        (x) => k.resizeBilinear(x!, to[0], to[1]),
        (_, dy, x) => [k.resizeBilinearGradient(x!, dy)],
      );
    });
});

describe("whole maps", () => {
  const maps = MAPS.map(([height, width]) => drawn([2, height, width, 3], "x", height, width));

  it("global average pool", () => {
    for (const map of maps) {
      const [batch, height, width, channels] = map.shape;
      check(
        [map],
        (x) =>
          made([batch, 1, 1, channels], (b, _y, _x, c) => {
            let sum = 0;
            for (let y = 0; y < height; y++) for (let xx = 0; xx < width; xx++) sum += at(x!, b, y, xx, c);
            return sum / (height * width);
          }),
        (x) => k.globalAveragePool(x!),
        (_, dy, x) => [k.globalAveragePoolGradient(x!, dy)],
      );
    }
  });

  it("broadcast of one pixel", () => {
    for (const {
      shape: [batch, height, width, channels],
    } of maps)
      check(
        [drawn([batch, 1, 1, channels], "pixel")],
        (x) => made([batch, height, width, channels], (b, _y, _x, c) => at(x!, b, 0, 0, c)),
        (x) => k.broadcast(x!, height, width),
        (_, dy) => [k.broadcastGradient(dy)],
      );
  });

  it("repeated channels: c, c + C, c + 2C ... are equal", () => {
    for (const times of [1, 2, 4])
      for (const map of maps) {
        const [batch, height, width, channels] = map.shape;
        check(
          [map],
          (x) =>
            made([batch, height, width, channels * times], (b, y, xx, c) => at(x!, b, y, xx, c % channels)),
          (x) => k.repeatChannels(x!, times),
          (_, dy, x) => [k.repeatChannelsGradient(x!, dy, times)],
        );
      }
  });

  it("ReLU and ReLU6", () => {
    const map = made([1, 4, 4, 2], (_b, y, x, c) => (y * 4 + x) * 0.9 - 4.1 + c * 0.3);
    const clamp = (most: number) => (x?: Map4) =>
      ({ ...x!, values: x!.values.map((v) => Math.min(most, Math.max(0, v))) }) satisfies Map4;
    check(
      [map],
      clamp(Infinity),
      (x) => k.relu(x!),
      (y, dy) => [k.reluGradient(y, dy)],
    );
    check(
      [map],
      clamp(6),
      (x) => k.relu6(x!),
      (y, dy) => [k.relu6Gradient(y, dy)],
    );
  });

  it("a bias by channel", () => {
    const bias = drawn([1, 1, 1, 3], "bias");
    const map = drawn([2, 3, 4, 3], "x");
    tidy(() => {
      const wanted = map.values.map((value, i) => value + bias.values[i % 3]!);
      close(k.addBias(onDevice(map), tensor(Float32Array.from(bias.values), [3])), wanted, "forward");
      const sums = [0, 1, 2].map((c) => map.values.reduce((sum, v, i) => sum + (i % 3 === c ? v : 0), 0));
      close(k.biasGradient(onDevice(map)), sums, "gradient");
      return [];
    });
  });

  it("the most likely class", () => {
    tidy(() => {
      const map = drawn([2, 3, 4, 5], "x");
      const wanted = Array.from({ length: 24 }, (_, pixel) => {
        const scores = [...map.values.subarray(pixel * 5, pixel * 5 + 5)];
        return scores.indexOf(Math.max(...scores));
      });
      const found = k.argmaxChannels(onDevice(map));
      assert.deepEqual(found.shape, [2, 3, 4]);
      assert.deepEqual([...readInts(found)], wanted);
      return [];
    });
  });

  it("bytes scaled to the encoder's range", () => {
    tidy(() => {
      const bytes = Uint8Array.of(0, 1, 127, 128, 254, 255);
      const wanted = [...bytes].map((value) => (value - 127.5) / 127.5);
      close(k.normalise(tensor(bytes, [1, 1, 2, 3]), 127.5, 127.5), wanted, "scaled", 1e-6);
      return [];
    });
  });
});

describe("batch norm", () => {
  const [epsilon, momentum] = [1e-3, 0.1];
  const channels = 3;
  const gamma = drawn([1, 1, 1, channels], "gamma");
  const beta = drawn([1, 1, 1, channels], "beta");
  const running = { mean: [0.5, -1, 2], variance: [0.25, 1, 4] };
  const vector = (values: ArrayLike<number>) => tensor(Float32Array.from(values), [channels]);

  function statistics({ values }: Map4) {
    const count = values.length / channels;
    const ofChannel = (c: number) => values.filter((_, i) => i % channels === c);
    const mean = [0, 1, 2].map((c) => ofChannel(c).reduce((sum, v) => sum + v, 0) / count);
    const squares = [0, 1, 2].map((c) => ofChannel(c).reduce((sum, v) => sum + (v - mean[c]!) ** 2, 0));
    return {
      count,
      mean,
      biased: squares.map((s) => s / count),
      unbiased: squares.map((s) => s / (count - 1)),
    };
  }
  const normalised = (x: Map4, mean: number[], variance: number[]): Map4 => ({
    ...x,
    values: x.values.map((v, i) => {
      const c = i % channels;
      return ((v - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * gamma.values[c]! + beta.values[c]!;
    }),
  });

  for (const shape of [
    [2, 1, 1, 3],
    [2, 3, 4, 3],
    [5, 1, 2, 3],
  ] as Shape[])
    it(`in training, ${shape.join("x")}`, () => {
      const x = drawn(shape, "x");
      const loops = () => {
        const { mean, biased } = statistics(x);
        return normalised(x, mean, biased);
      };
      const { mean, unbiased } = statistics(x);
      const moved = (before: number[], now: number[]) =>
        before.map((value, c) => (1 - momentum) * value + momentum * now[c]!);
      tidy(() => {
        const input = onDevice(x);
        const [g, b] = [vector(gamma.values), vector(beta.values)];
        const before = { mean: vector(running.mean), variance: vector(running.variance) };
        const found = k.batchNormTraining(input, g, b, before, epsilon, momentum);
        close(found.y, loops().values, "forward", 1e-3);
        close(found.statistics.mean, moved(running.mean, mean), "running mean");
        close(found.statistics.variance, moved(running.variance, unbiased), "running variance, unbiased");
        const whole = k.batchNormTraining(input, g, b, before, epsilon, 1);
        close(whole.statistics.mean, mean, "momentum 1: the batch's mean");
        close(whole.statistics.variance, unbiased, "momentum 1: the batch's variance");

        const dy = drawn(shape, "dy");
        const { dx, dGamma, dBeta } = k.batchNormGradient(input, g, found.reserved, onDevice(dy), epsilon);
        close(dx, differences(loops, dy, x), "gradient of x", 2e-3);
        close(dGamma, differences(loops, dy, gamma), "gradient of gamma", 2e-3);
        close(dBeta, differences(loops, dy, beta), "gradient of beta", 2e-3);
        return [];
      });
    });

  it("in evaluation, by the running statistics", () => {
    const x = drawn([1, 2, 3, 3], "x");
    tidy(() => {
      const before = { mean: vector(running.mean), variance: vector(running.variance) };
      const y = k.batchNormEvaluation(
        onDevice(x),
        vector(gamma.values),
        vector(beta.values),
        before,
        epsilon,
      );
      close(y, normalised(x, running.mean, running.variance).values, "forward");
      return [];
    });
  });
});

describe("cross-entropy", () => {
  const VOID = 255;
  const [height, width, classes] = [3, 4, 5];

  /** Averaged over the pixels that are not void; 0 where all are. */
  function entropy(logits: Map4, label: Uint8Array): number {
    let [sum, counted] = [0, 0];
    for (const [pixel, truth] of label.entries()) {
      if (truth === VOID) continue;
      const scores = logits.values.subarray(pixel * classes, (pixel + 1) * classes);
      sum += Math.log(scores.reduce((total, s) => total + Math.exp(s), 0)) - scores[truth]!;
      counted++;
    }
    return counted === 0 ? 0 : sum / counted;
  }
  const one = (value: number): Map4 => ({ shape: [1, 1, 1, 1], values: Float64Array.of(value) });
  /** The loss as a number, and its gradient by the logits. */
  function found(logits: Tensor, target: Target): { loss: number; gradient: Tensor } {
    const [loss, gradient] = tidy((): [Tensor, Tensor] => {
      const made = lossOf(logits, targetTensors(target));
      return [made.loss, made.gradient];
    });
    const [number] = read(loss);
    dispose(loss);
    return { loss: number!, gradient };
  }

  for (const [what, label] of [
    ["every pixel known", Uint8Array.from({ length: 24 }, (_, i) => i % classes)],
    ["some void", Uint8Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? VOID : i % classes))],
    ["one known", Uint8Array.from({ length: 24 }, (_, i) => (i === 17 ? 4 : VOID))],
    ["all void", new Uint8Array(24).fill(VOID)],
  ] as const)
    it(`${what}, at the logits' size`, () => {
      const before = liveTensors();
      const logits = drawn([2, height, width, classes], "logits");
      const input = onDevice(logits);
      const { loss, gradient } = found(input, { label, height, width });
      assert.ok(Math.abs(loss - entropy(logits, label)) <= 1e-6, `${loss}`);
      const slopes = differences(() => one(entropy(logits, label)), one(1), logits);
      close(gradient, slopes, "gradient", 1e-6);
      dispose(gradient, input);
      assert.equal(liveTensors(), before, "every tensor is freed");
    });

  it("weighed by class, a value worked out by hand", () => {
    // Softmax of [0, ln 3] is [1/4, 3/4], of [0, 0] it is [1/2, 1/2]. Labels 0, 1, 1, void; weights 3 and 1/2:
    // (3 ln 4 + 1/2 ln (4/3) + 1/2 ln 2) / (3 + 1/2 + 1/2).
    const logits = tensor(Float32Array.of(0, Math.log(3), 0, Math.log(3), 0, 0, 5, -5), [1, 2, 2, 2]);
    const target = { label: Uint8Array.of(0, 1, 1, VOID), height: 2, width: 2, classWeights: [3, 0.5] };
    const { loss, gradient } = found(logits, target);
    const wanted = (3 * Math.log(4) + 0.5 * Math.log(4 / 3) + 0.5 * Math.log(2)) / 4;
    assert.ok(Math.abs(loss - wanted) < 1e-6, `${loss} is not ${wanted}`);
    // Its gradient: w (softmax - one-hot) / 4.
    const slopes = [-9 / 4, 9 / 4, 1 / 8, -1 / 8, 1 / 4, -1 / 4, 0, 0].map((slope) => slope / 4);
    for (const [i, slope] of read(gradient).entries())
      assert.ok(Math.abs(slope - slopes[i]!) < 1e-6, `${i}: ${slope} is not ${slopes[i]}`);
    dispose(gradient, logits);
  });

  it("equal weights of any size are none at all; where all that is there weighs nothing the loss is 0", () => {
    const logits = onDevice(drawn([2, height, width, classes], "logits"));
    const label = Uint8Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? VOID : i % classes));
    const weighed = (classWeights?: number[]) => {
      const { loss, gradient } = found(logits, { label, height, width, classWeights });
      const slopes = read(gradient);
      dispose(gradient);
      return { loss, slopes };
    };
    const plain = weighed();
    for (const weight of [1, 1 / 64, 512]) assert.deepEqual(weighed(new Array(classes).fill(weight)), plain);
    const nothing = weighed(new Array(classes).fill(0));
    assert.equal(nothing.loss, 0);
    assert.ok(nothing.slopes.every((slope) => slope === 0));
    dispose(logits);
  });

  it("logits brought to the labels' size", () => {
    const before = liveTensors();
    const logits = drawn([2, 2, 3, classes], "logits");
    const label = Uint8Array.from({ length: 2 * 5 * 7 }, (_, i) => (i % 11 === 0 ? VOID : i % classes));
    const sized = () => one(entropy(resize(logits, 5, 7), label));
    const input = onDevice(logits);
    const { loss, gradient } = found(input, { label, height: 5, width: 7 });
    assert.ok(Math.abs(loss - sized().values[0]!) <= 1e-6, `${loss}`);
    close(gradient, differences(sized, one(1), logits), "gradient", 1e-6);
    dispose(gradient, input);
    assert.equal(liveTensors(), before, "every tensor is freed");
  });
});
