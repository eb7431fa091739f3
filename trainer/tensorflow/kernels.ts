// Each kind of operation with its gradient, on TensorFlow's own fused kernels. Maps are [batch, height, width,
// channels], convolution weights [ky, kx, in, out], depthwise weights [ky, kx, channels, 1], all float32.
import {
  type Attribute,
  attribute,
  execute,
  executeAll,
  FLOAT,
  INT32,
  INT64,
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

const axisTensor = (axis: number): Tensor => reshapeInts(ints(axis), []);
export const reshapeInts = (x: Tensor, shape: readonly number[]): Tensor =>
  execute("Reshape", [attribute.type("T", INT32), attribute.type("Tshape", INT32)], x, ints(...shape));

// --- convolutions: symmetric padding, given inside the op ---

export interface Convolution {
  kernel: number;
  stride: number;
  dilation: number;
}

/** Convolution's attributes with the padding that `kernel / 2` and the dilation ask for. */
function convolutionAttributes({ kernel, stride }: Convolution, padding: number): Attribute[] {
  const attributes = [T, NHWC, attribute.ints("strides", [1, stride, stride, 1])];
  if (padding === 0 || kernel === 1) return [...attributes, attribute.string("padding", "VALID")];
  // The same padding at stride 1, by a name for which TensorFlow has oneDNN's kernels.
  if (stride === 1) return [...attributes, attribute.string("padding", "SAME")];
  const explicit = [0, 0, padding, padding, padding, padding, 0, 0];
  return [
    ...attributes,
    attribute.string("padding", "EXPLICIT"),
    attribute.ints("explicit_paddings", explicit),
  ];
}

const attributesOf = (conv: Convolution): Attribute[] =>
  convolutionAttributes(conv, (conv.dilation * (conv.kernel - 1)) / 2);

export function conv2d(x: Tensor, weight: Tensor, conv: Convolution): Tensor {
  return execute("Conv2D", attributesOf(conv), x, weight);
}

/** Gradients of conv2d by input and weight; the input's is left out where nothing needs it. */
export function conv2dGradient(
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  conv: Convolution,
  needsInput: boolean,
): { dx: Tensor | undefined; dw: Tensor } {
  const attributes = attributesOf(conv);
  const dx = needsInput
    ? execute("Conv2DBackpropInput", attributes, ints(...x.shape), weight, dy)
    : undefined;
  return { dx, dw: execute("Conv2DBackpropFilter", attributes, x, ints(...weight.shape), dy) };
}

export function depthwise(x: Tensor, weight: Tensor, conv: Convolution): Tensor {
  if (conv.dilation > 1) return new Dilated(x, conv).forward(weight);
  return execute("DepthwiseConv2dNative", attributesOf(conv), x, weight);
}

export function depthwiseGradient(
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  conv: Convolution,
): { dx: Tensor; dw: Tensor } {
  if (conv.dilation > 1) return new Dilated(x, conv).gradient(weight, dy);
  const attributes = attributesOf(conv);
  return {
    dx: execute("DepthwiseConv2dNativeBackpropInput", attributes, ints(...x.shape), weight, dy),
    dw: execute("DepthwiseConv2dNativeBackpropFilter", attributes, x, ints(...weight.shape), dy),
  };
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
  static readonly #PLAIN = [
    ...[T, NHWC],
    attribute.ints("strides", [1, 1, 1, 1]),
    attribute.string("padding", "VALID"),
  ];

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
    const y = execute("DepthwiseConv2dNative", Dilated.#PLAIN, this.batched, weight);
    return fromBatch(y, this.block, this.outputPaddings);
  }

  gradient(weight: Tensor, dy: Tensor): { dx: Tensor; dw: Tensor } {
    const { batched, block } = this;
    const d = toBatch(dy, block, this.outputPaddings);
    const sizes = ints(...batched.shape);
    const dBatched = execute("DepthwiseConv2dNativeBackpropInput", Dilated.#PLAIN, sizes, weight, d);
    const dw = execute(
      "DepthwiseConv2dNativeBackpropFilter",
      Dilated.#PLAIN,
      batched,
      ints(...weight.shape),
      d,
    );
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

/**
 * A convolution, its bias and an activation. One op does all three where TensorFlow has oneDNN's kernels for it, which
 * saves two passes over the map.
 */
export function convolveFused(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  conv: Convolution & { depthwise: boolean },
  activation: Activation,
): Tensor {
  // oneDNN's depthwise kernel takes no explicit padding, which a stride asks for.
  const known = conv.dilation === 1 && !(conv.depthwise && conv.stride > 1);
  if (FUSES && known) return oneDnnFused(x, weight, bias, conv, activation);
  const y = addBias((conv.depthwise ? depthwise : conv2d)(x, weight, conv), bias);
  return activation ? execute(activation, [T], y) : y;
}

function oneDnnFused(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  conv: Convolution & { depthwise: boolean },
  activation: Activation,
): Tensor {
  const attributes = [
    ...attributesOf(conv),
    // TensorFlow's optimisers know these kernels by this label, as if they were not oneDNN's.
    attribute.string("_kernel", "MklNameChangeOp"),
    attribute.strings("fused_ops", activation ? ["BiasAdd", activation] : ["BiasAdd"]),
    attribute.int("num_args", 1),
  ];
  if (conv.depthwise) return execute("_MklNativeFusedDepthwiseConv2dNative", attributes, x, weight, bias);
  const more = [attribute.types("TArgs", FLOAT), attribute.int("num_host_args", 0)];
  return execute("_MklNativeFusedConv2D", [...attributes, ...more], x, weight, bias);
}

/** Whether this build of TensorFlow has oneDNN's fused convolutions, and the addon makes lists of "fused_ops" and "TArgs". */
const FUSES = !USES_GPU && fuses();

function fuses(): boolean {
  const conv = { kernel: 1, stride: 1, dilation: 1, depthwise: false };
  try {
    tidy(() => {
      const one = (...shape: number[]) => tensor(Float32Array.of(1), shape);
      oneDnnFused(one(1, 1, 1, 1), one(1, 1, 1, 1), one(1), conv, "Relu6");
      return [];
    });
    return true;
  } catch {
    return false;
  }
}

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

const poolAttributes = (stride: number): Attribute[] => [
  T,
  NHWC,
  attribute.ints("ksize", [1, 3, 3, 1]),
  attribute.ints("strides", [1, stride, stride, 1]),
  attribute.string("padding", "EXPLICIT"),
  attribute.ints("explicit_paddings", [0, 0, 1, 1, 1, 1, 0, 0]),
];

export const maxPool3x3 = (x: Tensor, stride: number): Tensor =>
  execute("MaxPool", poolAttributes(stride), x);

const ARGMAX = [
  T,
  attribute.ints("ksize", [1, 3, 3, 1]),
  attribute.ints("strides", [1, 1, 1, 1]),
  attribute.string("padding", "SAME"),
  attribute.bool("include_batch_in_index", false),
];

/**
 * At stride 1 on a CPU through the places of the maxima: MaxPoolGrad looks for them in a single slow loop, which took
 * a quarter of a step. Only with int32 are they found fast, and only as int64 are they taken.
 */
export function maxPool3x3Gradient(x: Tensor, y: Tensor, dy: Tensor, stride: number): Tensor {
  if (stride > 1 || USES_GPU) return execute("MaxPoolGrad", poolAttributes(stride), x, y, dy);
  const [, places] = executeAll("MaxPoolWithArgmax", [...ARGMAX, attribute.type("Targmax", INT32)], [x], 2);
  const cast = [attribute.type("SrcT", INT32), attribute.type("DstT", INT64)];
  const wide = execute("Cast", cast, places!);
  return execute("MaxPoolGradWithArgmax", [...ARGMAX, attribute.type("Targmax", INT64)], x, dy, wide);
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
