// Each kind of operation with its gradient, on TensorFlow's own fused kernels. Maps are [batch, height, width,
// channels], convolution weights [ky, kx, in, out], depthwise weights [ky, kx, channels, 1], all float32.
import { readFileSync } from "node:fs";
import {
  type Attribute,
  attribute,
  execute,
  executeAll,
  FLOAT,
  INT32,
  ints,
  scalar,
  type Tensor,
  tensor,
  tidy,
  USES_GPU,
} from "./runtime.ts";

const T = attribute.type("T", FLOAT);
const NHWC = attribute.string("data_format", "NHWC");

const sizeOf = (x: Tensor): number => x.shape.reduce((product, size) => product * size, 1);
const dim = (x: Tensor, axis: number): number => x.shape[axis]!;

// --- arithmetic on tensors of one shape, or with a scalar or a vector of channels ---

export const add = (a: Tensor, b: Tensor): Tensor => execute("AddV2", [T], a, b);
/** The same numbers under a second handle, so that two owners may free it. */
export const identity = (a: Tensor): Tensor => execute("Identity", [T], a);
export const subtract = (a: Tensor, b: Tensor): Tensor => execute("Sub", [T], a, b);
export const multiply = (a: Tensor, b: Tensor): Tensor => execute("Mul", [T], a, b);
export const divide = (a: Tensor, b: Tensor): Tensor => execute("RealDiv", [T], a, b);
export const minimum = (a: Tensor, b: Tensor): Tensor => execute("Minimum", [T], a, b);
export const square = (a: Tensor): Tensor => execute("Square", [T], a);
export const squareRoot = (a: Tensor): Tensor => execute("Sqrt", [T], a);
export const scale = (a: Tensor, factor: number): Tensor => multiply(a, scalar(factor));

const KEEP = [T, attribute.type("Tidx", INT32), attribute.bool("keep_dims", true)];
const DROP = [T, attribute.type("Tidx", INT32), attribute.bool("keep_dims", false)];

export const sum = (x: Tensor, axes: number[]): Tensor => execute("Sum", DROP, x, ints(...axes));
export const sumAll = (x: Tensor): Tensor =>
  sum(
    x,
    x.shape.map((_, axis) => axis),
  );

const RESHAPE = [T, attribute.type("Tshape", INT32)];
export const reshape = (x: Tensor, shape: readonly number[]): Tensor =>
  execute("Reshape", RESHAPE, x, ints(...shape));

/** Joins tensors along an axis. */
export function concat(parts: Tensor[], axis: number): Tensor {
  const attributes = [attribute.int("N", parts.length), T, attribute.type("Tidx", INT32)];
  return executeAll("ConcatV2", attributes, [...parts, axisTensor(axis)], 1)[0]!;
}

/** Cuts a tensor along an axis into parts of the given sizes. */
export function split(x: Tensor, sizes: number[], axis: number): Tensor[] {
  const attributes = [attribute.int("num_split", sizes.length), T, attribute.type("Tlen", INT32)];
  return executeAll("SplitV", attributes, [x, ints(...sizes), axisTensor(axis)], sizes.length);
}

/** The part of a tensor that begins at `from`. */
const slice = (x: Tensor, from: number[], sizes: number[]): Tensor =>
  execute("Slice", [T, attribute.type("Index", INT32)], x, ints(...from), ints(...sizes));

/** A map with a border of one value: pixels before and after, in height and in width. */
const pad = (x: Tensor, value: number, height: [number, number], width: [number, number]): Tensor =>
  execute(
    "PadV2",
    [T, attribute.type("Tpaddings", INT32)],
    ...[x, pairs(0, 0, ...height, ...width, 0, 0), scalar(value)],
  );

const axisTensor = (axis: number): Tensor => reshapeInts(ints(axis), []);
export const reshapeInts = (x: Tensor, shape: readonly number[]): Tensor =>
  execute("Reshape", [attribute.type("T", INT32), attribute.type("Tshape", INT32)], x, ints(...shape));

// --- convolutions: symmetric padding, given inside the op ---

export interface Convolution {
  kernel: number;
  stride: number;
  dilation: number;
}

/** How many pixels a kernel reaches beyond its middle. */
const reachOf = ({ kernel, dilation }: Convolution): number => (dilation * (kernel - 1)) / 2;

/**
 * Attributes of a convolution of x with the padding that its kernel's reach asks for. Where the stride's last step ends
 * at the last pixel, TensorFlow's "SAME" is that padding, by a name for which it has oneDNN's kernels.
 */
function attributesOf(conv: Convolution, x: Tensor): Attribute[] {
  const { kernel, stride } = conv;
  const attributes = [T, NHWC, attribute.ints("strides", [1, stride, stride, 1])];
  if (kernel === 1) return [...attributes, attribute.string("padding", "VALID")];
  if (endsAtLast(x, stride)) return [...attributes, attribute.string("padding", "SAME")];
  const reach = reachOf(conv);
  const explicit = [0, 0, reach, reach, reach, reach, 0, 0];
  return [
    ...attributes,
    attribute.string("padding", "EXPLICIT"),
    attribute.ints("explicit_paddings", explicit),
  ];
}

const endsAtLast = (x: Tensor, stride: number): boolean =>
  [1, 2].every((axis) => (dim(x, axis) - 1) % stride === 0);

export function conv2d(x: Tensor, weight: Tensor, conv: Convolution): Tensor {
  return execute("Conv2D", attributesOf(conv, x), x, weight);
}

/** Gradients of conv2d by input and weight; the input's is left out where nothing needs it. */
export function conv2dGradient(
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  conv: Convolution,
  needsInput: boolean,
): { dx: Tensor | undefined; dw: Tensor } {
  const attributes = attributesOf(conv, x);
  const dx = needsInput
    ? execute("Conv2DBackpropInput", attributes, ints(...x.shape), weight, dy)
    : undefined;
  return { dx, dw: execute("Conv2DBackpropFilter", attributes, x, ints(...weight.shape), dy) };
}

export function depthwise(x: Tensor, weight: Tensor, conv: Convolution): Tensor {
  if (conv.dilation > 1) return new Dilated(x, conv).forward(weight);
  return execute("DepthwiseConv2dNative", attributesOf(conv, x), x, weight);
}

export function depthwiseGradient(
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  conv: Convolution,
): { dx: Tensor; dw: Tensor } {
  if (conv.dilation > 1) return new Dilated(x, conv).gradient(weight, dy);
  const attributes = attributesOf(conv, x);
  const dx = execute("DepthwiseConv2dNativeBackpropInput", attributes, ints(...x.shape), weight, dy);
  if (conv.kernel === 5 && conv.stride === 1)
    return { dx, dw: depthwise5x5FilterGradient(pad(x, 0, [2, 2], [2, 2]), dy) };
  return { dx, dw: execute("DepthwiseConv2dNativeBackpropFilter", attributes, x, ints(...weight.shape), dy) };
}

/** Of a convolution without padding and stride. */
const PLAIN = [T, NHWC, attribute.ints("strides", [1, 1, 1, 1]), attribute.string("padding", "VALID")];

/**
 * The gradient by a 5x5 depthwise filter of a convolution without padding, as those by its columns 0 to 2 and 2 to 4:
 * oneDNN is four times as fast where a kernel is at most three wide.
 */
function depthwise5x5FilterGradient(x: Tensor, dy: Tensor): Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const columns = (from: number): Tensor => {
    const part = slice(x, [0, 0, from, 0], [batch, height, width - 2, channels]);
    return execute("DepthwiseConv2dNativeBackpropFilter", PLAIN, part, ints(5, 3, channels, 1), dy);
  };
  return concat([columns(0), slice(columns(2), [0, 1, 0, 0], [5, 2, channels, 1])], 1);
}

const BLOCKS = [T, attribute.type("Tblock_shape", INT32)];
const toBatch = (x: Tensor, block: Tensor, paddings: Tensor): Tensor =>
  execute("SpaceToBatchND", [...BLOCKS, attribute.type("Tpaddings", INT32)], x, block, paddings);
const fromBatch = (x: Tensor, block: Tensor, crops: Tensor): Tensor =>
  execute("BatchToSpaceND", [...BLOCKS, attribute.type("Tcrops", INT32)], x, block, crops);

/**
 * A dilated depthwise convolution: TensorFlow's CPU kernel has none, so each phase of the dilation becomes a
 * batch entry (space to batch, a plain convolution, and back). A stride that divides the dilation and the
 * padding reads only every stride-th pixel, so it becomes a subsampling before a smaller dilation.
 */
class Dilated {
  readonly x: Tensor;
  readonly stride: number;
  readonly block: Tensor;
  readonly inputPaddings: Tensor;
  readonly outputPaddings: Tensor;
  readonly batched: Tensor;

  constructor(x: Tensor, { kernel, stride, dilation }: Convolution) {
    if (dilation % stride !== 0) throw new Error(`stride ${stride} does not divide dilation ${dilation}`);
    this.x = x;
    this.stride = stride;
    const sampled = this.#sample(x);
    const step = dilation / stride;
    const padding = (step * (kernel - 1)) / 2;
    const extra = (size: number): number => (step - (size % step)) % step;
    const [bottom, right] = [extra(dim(sampled, 1)), extra(dim(sampled, 2))];
    this.block = ints(step, step);
    this.inputPaddings = pairs(padding, padding + bottom, padding, padding + right);
    this.outputPaddings = pairs(0, bottom, 0, right);
    this.batched = toBatch(sampled, this.block, this.inputPaddings);
  }

  forward(weight: Tensor): Tensor {
    const y = execute("DepthwiseConv2dNative", PLAIN, this.batched, weight);
    return fromBatch(y, this.block, this.outputPaddings);
  }

  gradient(weight: Tensor, dy: Tensor): { dx: Tensor; dw: Tensor } {
    const { batched, block } = this;
    const d = toBatch(dy, block, this.outputPaddings);
    const sizes = ints(...batched.shape);
    const dBatched = execute("DepthwiseConv2dNativeBackpropInput", PLAIN, sizes, weight, d);
    const dw =
      dim(weight, 0) === 5
        ? depthwise5x5FilterGradient(batched, d)
        : execute("DepthwiseConv2dNativeBackpropFilter", PLAIN, batched, ints(...weight.shape), d);
    return { dx: this.#unsample(fromBatch(dBatched, block, this.inputPaddings)), dw };
  }

  #bounds(): Tensor[] {
    return [ints(0, 0, 0, 0), ints(...this.x.shape), ints(1, this.stride, this.stride, 1)];
  }

  #sample(x: Tensor): Tensor {
    if (this.stride === 1) return x;
    return execute("StridedSlice", [T, attribute.type("Index", INT32)], x, ...this.#bounds());
  }

  #unsample(dy: Tensor): Tensor {
    if (this.stride === 1) return dy;
    const attributes = [T, attribute.type("Index", INT32)];
    return execute("StridedSliceGrad", attributes, ints(...this.x.shape), ...this.#bounds(), dy);
  }
}

const pairs = (...values: number[]): Tensor => reshapeInts(ints(...values), [-1, 2]);

/** What a fused convolution does with its sum. */
export type Activation = "Relu" | "Relu6" | undefined;

export interface FusedConvolution extends Convolution {
  depthwise: boolean;
  activation: Activation;
}

/**
 * A convolution, its bias and an activation. One op does all three where TensorFlow has oneDNN's kernels for it, which
 * saves two passes over the map.
 */
export function convolveFused(x: Tensor, weight: Tensor, bias: Tensor, conv: FusedConvolution): Tensor {
  const { activation } = conv;
  // oneDNN's depthwise kernel takes no explicit padding.
  const known = conv.dilation === 1 && !(conv.depthwise && !endsAtLast(x, conv.stride));
  if (ONE_DNN && known) {
    const alone = SLOW_ALONE && dim(x, 0) === 1 && !conv.depthwise;
    return (alone ? oneDnnAlone : oneDnnFused)(x, weight, bias, conv);
  }
  const y = addBias((conv.depthwise ? depthwise : conv2d)(x, weight, conv), bias);
  return activation ? execute(activation, [T], y) : y;
}

function oneDnnFused(x: Tensor, weight: Tensor, bias: Tensor, conv: FusedConvolution): Tensor {
  const { activation } = conv;
  const attributes = [
    ...attributesOf(conv, x),
    MKL,
    attribute.strings("fused_ops", activation ? ["BiasAdd", activation] : ["BiasAdd"]),
    attribute.int("num_args", 1),
  ];
  if (conv.depthwise) return execute("_MklNativeFusedDepthwiseConv2dNative", attributes, x, weight, bias);
  const more = [attribute.types("TArgs", FLOAT), attribute.int("num_host_args", 0)];
  return execute("_MklNativeFusedConv2D", [...attributes, ...more], x, weight, bias);
}

/**
 * Without AVX-512 oneDNN convolves a single image by a matrix product and clips its numbers one by one, which makes a
 * convolution up to ten times as slow.
 */
const SLOW_ALONE = !/\bavx512f\b/.test(readFileSync("/proc/cpuinfo", "utf8"));

/** A dense convolution of one image: of its halves where each pixel is for itself, or with the clip as an op of its own. */
function oneDnnAlone(x: Tensor, weight: Tensor, bias: Tensor, conv: FusedConvolution): Tensor {
  const [, height, width, channels] = x.shape as [number, number, number, number];
  const half = (height * width) / 2;
  if (conv.kernel === 1 && conv.stride === 1 && Number.isInteger(half)) {
    const y = oneDnnFused(reshape(x, [2, 1, half, channels]), weight, bias, conv);
    return reshape(y, [1, height, width, dim(y, 3)]);
  }
  if (conv.activation !== "Relu6") return oneDnnFused(x, weight, bias, conv);
  return relu6(oneDnnFused(x, weight, bias, { ...conv, activation: undefined }));
}

/** TensorFlow's optimisers know oneDNN's kernels by this label, as if they were its own. */
const MKL = attribute.string("_kernel", "MklNameChangeOp");

export const addBias = (x: Tensor, bias: Tensor): Tensor => execute("BiasAdd", [T, NHWC], x, bias);
export const biasGradient = (dy: Tensor): Tensor => execute("BiasAddGrad", [T, NHWC], dy);

// --- batch normalisation ---

/** Running mean and (unbiased) variance of a layer's channels. */
export interface Statistics {
  mean: Tensor;
  variance: Tensor;
}

const normAttributes = (epsilon: number, momentum: number, training: boolean): Attribute[] => [
  T,
  attribute.type("U", FLOAT),
  NHWC,
  attribute.float("epsilon", epsilon),
  attribute.float("exponential_avg_factor", momentum),
  attribute.bool("is_training", training),
];

/** Normalises by the batch's own statistics; `statistics` are the running ones moved by `momentum`. */
export function batchNormTraining(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  running: Statistics,
  epsilon: number,
  momentum: number,
): { y: Tensor; statistics: Statistics; reserved: Tensor[] } {
  const inputs = [x, gamma, beta, running.mean, running.variance];
  const outputs = executeAll("FusedBatchNormV3", normAttributes(epsilon, momentum, true), inputs, 6);
  const [y, mean, variance, ...reserved] = outputs as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  return { y, statistics: { mean, variance }, reserved };
}

/** Normalises by the running statistics. */
export function batchNormEvaluation(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  running: Statistics,
  epsilon: number,
): Tensor {
  const inputs = [x, gamma, beta, running.mean, running.variance];
  return executeAll("FusedBatchNormV3", normAttributes(epsilon, 1, false), inputs, 6)[0]!;
}

export function batchNormGradient(
  x: Tensor,
  gamma: Tensor,
  reserved: Tensor[],
  dy: Tensor,
  epsilon: number,
): { dx: Tensor; dGamma: Tensor; dBeta: Tensor } {
  const attributes = [
    T,
    attribute.type("U", FLOAT),
    NHWC,
    attribute.float("epsilon", epsilon),
    attribute.bool("is_training", true),
  ];
  const outputs = executeAll("FusedBatchNormGradV3", attributes, [dy, x, gamma, ...reserved], 5);
  const [dx, dGamma, dBeta] = outputs as [Tensor, Tensor, Tensor];
  return { dx, dGamma, dBeta };
}

// --- activations, pooling, resizing ---

export const relu = (x: Tensor): Tensor => execute("Relu", [T], x);
export const reluGradient = (y: Tensor, dy: Tensor): Tensor => execute("ReluGrad", [T], dy, y);
export const relu6 = (x: Tensor): Tensor => execute("Relu6", [T], x);
export const relu6Gradient = (y: Tensor, dy: Tensor): Tensor => execute("Relu6Grad", [T], dy, y);

const poolAttributes = (stride: number, padding: string): Attribute[] => [
  T,
  NHWC,
  attribute.ints("ksize", [1, 3, 3, 1]),
  attribute.ints("strides", [1, stride, stride, 1]),
  attribute.string("padding", padding),
];

const explicitPool = (stride: number): Attribute[] => [
  ...poolAttributes(stride, "EXPLICIT"),
  attribute.ints("explicit_paddings", [0, 0, 1, 1, 1, 1, 0, 0]),
];

export function maxPool3x3(x: Tensor, stride: number): Tensor {
  if (ONE_DNN && endsAtLast(x, stride)) return oneDnnMaxPool(x, poolAttributes(stride, "SAME"))[0]!;
  return execute("MaxPool", explicitPool(stride), x);
}

/** The maxima, and where they are in a form of oneDNN's own. */
const oneDnnMaxPool = (x: Tensor, attributes: Attribute[]): Tensor[] =>
  executeAll("_MklNativeMaxPool", [...attributes, MKL, WORKSPACE], [x], 2);
const WORKSPACE = attribute.bool("workspace_enabled", true);

/**
 * The gradient goes to the first of equal maxima. With oneDNN the maxima are looked for once more, which takes a tenth of
 * what MaxPoolGrad takes.
 */
export function maxPool3x3Gradient(x: Tensor, y: Tensor, dy: Tensor, stride: number): Tensor {
  if (!ONE_DNN) return execute("MaxPoolGrad", explicitPool(stride), x, y, dy);
  if (endsAtLast(x, stride)) return oneDnnMaxPoolGradient(x, dy, poolAttributes(stride, "SAME"));
  // The border as values that are never the largest; where the stride's steps end before it, it is left out.
  const after = (size: number): number => ((size - 1) % stride === 0 ? 1 : 0);
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const padded = pad(x, -Number.MAX_VALUE, [1, after(height)], [1, after(width)]);
  const gradient = oneDnnMaxPoolGradient(padded, dy, poolAttributes(stride, "VALID"));
  return slice(gradient, [0, 1, 1, 0], [batch, height, width, channels]);
}

function oneDnnMaxPoolGradient(x: Tensor, dy: Tensor, attributes: Attribute[]): Tensor {
  const [y, places] = oneDnnMaxPool(x, attributes) as [Tensor, Tensor];
  return execute("_MklNativeMaxPoolGrad", [...attributes, MKL, WORKSPACE], x, y, dy, places);
}

/** Mean over height and width: [batch, 1, 1, channels]. */
export const globalAveragePool = (x: Tensor): Tensor => execute("Mean", KEEP, x, ints(1, 2));
export const globalAveragePoolGradient = (x: Tensor, dy: Tensor): Tensor =>
  broadcast(scale(dy, 1 / (dim(x, 1) * dim(x, 2))), dim(x, 1), dim(x, 2));

/** [batch, 1, 1, channels] to every place of [batch, height, width, channels]. */
export const broadcast = (x: Tensor, height: number, width: number): Tensor =>
  execute("BroadcastTo", [T, attribute.type("Tidx", INT32)], x, ints(dim(x, 0), height, width, dim(x, 3)));
export const broadcastGradient = (dy: Tensor): Tensor => execute("Sum", KEEP, dy, ints(1, 2));

const RESIZE = [T, attribute.bool("align_corners", false), attribute.bool("half_pixel_centers", true)];

/** Bilinear with half-pixel centres and no anti-aliasing. */
export const resizeBilinear = (x: Tensor, height: number, width: number): Tensor =>
  execute("ResizeBilinear", RESIZE, x, ints(height, width));
export const resizeBilinearGradient = (x: Tensor, dy: Tensor): Tensor =>
  execute("ResizeBilinearGrad", RESIZE, dy, x);

/** Channels repeated `times` times: c, c + C, c + 2C ... are equal. */
export const repeatChannels = (x: Tensor, times: number): Tensor =>
  execute("Tile", [T, attribute.type("Tmultiples", INT32)], x, ints(1, 1, 1, times));
export const repeatChannelsGradient = (x: Tensor, dy: Tensor, times: number): Tensor =>
  sum(reshape(dy, [dim(x, 0), dim(x, 1), dim(x, 2), times, dim(x, 3)]), [3]);

// --- loss and predictions ---

/**
 * The sum of each pixel's cross-entropy by its share.
 * logits [pixels, classes], labels [pixels] int32 within the classes, shares [pixels].
 * Returns the loss (a scalar) and its gradient by the logits.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  shares: Tensor,
): { loss: Tensor; dLogits: Tensor } {
  const attributes = [T, attribute.type("Tlabels", INT32)];
  const [losses, gradient] = executeAll(
    "SparseSoftmaxCrossEntropyWithLogits",
    attributes,
    [logits, labels],
    2,
  );
  return {
    loss: sumAll(multiply(losses!, shares)),
    dLogits: multiply(gradient!, reshape(shares, [sizeOf(shares), 1])),
  };
}

/** The most likely class of each pixel: [batch, height, width] int32. */
export const argmaxChannels = (x: Tensor): Tensor =>
  execute(
    "ArgMax",
    [T, attribute.type("Tidx", INT32), attribute.type("output_type", INT32)],
    x,
    axisTensor(3),
  );

/** uint8 values to float32 as (x - mean) / deviation. */
export function normalise(x: Tensor, mean: number, deviation: number): Tensor {
  const floats = execute("Cast", [attribute.type("SrcT", x.dtype), attribute.type("DstT", FLOAT)], x);
  return scale(subtract(floats, scalar(mean)), 1 / deviation);
}

// --- the last, since it runs kernels ---

/** Whether this build of TensorFlow has oneDNN's kernels, and the addon makes lists of "fused_ops" and "TArgs". */
export const ONE_DNN = !USES_GPU && hasOneDnn();

function hasOneDnn(): boolean {
  const conv = { kernel: 1, stride: 1, dilation: 1, depthwise: false, activation: "Relu6" } as const;
  try {
    tidy(() => {
      const one = (...shape: number[]) => tensor(Float32Array.of(1), shape);
      oneDnnFused(one(1, 1, 1, 1), one(1, 1, 1, 1), one(1), conv);
      oneDnnMaxPoolGradient(one(1, 1, 1, 1), one(1, 1, 1, 1), poolAttributes(1, "SAME"));
      return [];
    });
    return true;
  } catch {
    return false;
  }
}
