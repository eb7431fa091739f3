// TensorFlow's eager kernels, called straight through the addon of @tensorflow/tfjs-node-gpu.
// The network's gradients are written out layer by layer (see kernels.ts), so nothing of tfjs's own engine,
// tape or kernel table is needed: that saves its start-up, and half the cost of a small op.
// Tensors live in TensorFlow and are freed by hand: `tidy` frees what was made inside it.
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { UserError } from "@segnas/searchspace/errors.ts";

/** A tensor held by TensorFlow. */
export interface Tensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/** With `list` the addon makes a list of the value: of the parts between commas of a text, or of one type. */
export type Attribute = { name: string; type: number; value: unknown; list?: true };

interface Binding {
  createTensor(shape: readonly number[], dtype: number, data: ArrayBufferView): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): Tensor[];
  addFunction(name: string, graph: Uint8Array, inputs: string, outputs: string): void;
  removeFunction(name: string): void;
  isUsingGpuDevice(): boolean;
  getNumOfTensors(): number;
  TF_Version: string;
  TF_FLOAT: number;
  TF_INT32: number;
  TF_UINT8: number;
  TF_BOOL: number;
  TF_ATTR_STRING: number;
  TF_ATTR_INT: number;
  TF_ATTR_FLOAT: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_TYPE: number;
}

/**
 * Loads the addon that set-up compiled. A CUDA build whose GPU TensorFlow cannot use is refused: TensorFlow
 * itself would go on with the CPU without a word.
 */
function load(): Binding {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
  // Where a CPU has no AVX-512, TensorFlow leaves oneDNN's kernels and its memory pool unused if it is not told otherwise.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= "1";
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve("@tensorflow/tfjs-node-gpu/package.json"));
  const addon = join(folder, "lib", "napi-v8", "tfjs_binding.node");
  if (!existsSync(addon)) throw new UserError("TensorFlow is not set up: run `npm run setup` first.");
  const cuda = existsSync(join(dirname(realpathSync(addon)), "nvidia"));
  if (process.env.SEGNAS_TENSORFLOW === "cuda" && !cuda)
    throw new UserError(
      "SEGNAS_TENSORFLOW=cuda, but TensorFlow was set up for the CPU: run `npm run setup` with it.",
    );
  const loaded = require(addon) as Binding;
  if (cuda && process.env.SEGNAS_TENSORFLOW !== "cpu" && !loaded.isUsingGpuDevice())
    throw new UserError(
      "A GPU was asked for (SEGNAS_TENSORFLOW=cuda at set-up), but TensorFlow cannot use one: check the NVIDIA driver with nvidia-smi, or set up again with SEGNAS_TENSORFLOW=cpu.",
    );
  return loaded;
}

// What is garbage here are numbers read from TensorFlow: they lie outside V8's heap, which by itself is small. V8 lets
// its young generation grow to a hundred megabytes, and the numbers lie about until that is full.
setFlagsFromString("--semi-space-growth-factor=1");
const binding = load();

export const VERSION = binding.TF_Version;
export const USES_GPU = binding.isUsingGpuDevice();
export const FLOAT = binding.TF_FLOAT;
export const INT32 = binding.TF_INT32;
const UINT8 = binding.TF_UINT8;

/** The kinds of attributes, as the addon numbers them. */
export const KINDS = {
  string: binding.TF_ATTR_STRING,
  int: binding.TF_ATTR_INT,
  float: binding.TF_ATTR_FLOAT,
  bool: binding.TF_ATTR_BOOL,
  type: binding.TF_ATTR_TYPE,
};

/** Attributes by kind; made once for each op where it pays. */
export const attribute = {
  string: (name: string, value: string): Attribute => ({ name, type: KINDS.string, value }),
  /** The addon knows of one such list alone, "fused_ops". */
  strings: (name: "fused_ops", values: string[]): Attribute => ({
    name,
    type: KINDS.string,
    value: values.join(),
    list: true,
  }),
  int: (name: string, value: number): Attribute => ({ name, type: KINDS.int, value }),
  ints: (name: string, value: number[]): Attribute => ({ name, type: KINDS.int, value }),
  float: (name: string, value: number): Attribute => ({ name, type: KINDS.float, value }),
  bool: (name: string, value: boolean): Attribute => ({ name, type: KINDS.bool, value }),
  type: (name: string, value: number): Attribute => ({ name, type: KINDS.type, value }),
  /** The addon knows of one such list alone, "TArgs". */
  types: (name: "TArgs", value: number): Attribute => ({ name, type: KINDS.type, value, list: true }),
};

/** Tensors made in each open `tidy`, innermost last. */
const scopes: Set<number>[] = [];

function track(tensor: Tensor): Tensor {
  scopes.at(-1)?.add(tensor.id);
  return tensor;
}

/** Told of what is run, and of constants. */
export interface Recorder {
  op(name: string, attributes: Attribute[], inputs: Tensor[], outputs: Tensor[]): void;
  constant(tensor: Tensor, data: ArrayBufferView): void;
}

let recorder: Recorder | undefined;

/** Tells `told` of everything that `work` does. No numbers can be read meanwhile. */
export function recorded<T>(told: Recorder, work: () => T): T {
  if (recorder) throw new Error("what is being recorded cannot record");
  recorder = told;
  try {
    return work();
  } finally {
    recorder = undefined;
  }
}

/** Runs one TensorFlow op and returns its outputs. Throws TensorFlow's own error. */
export function executeAll(op: string, attributes: Attribute[], inputs: Tensor[], outputs: number): Tensor[] {
  const ids = inputs.map((input) => input.id);
  const made = binding.executeOp(op, attributes, ids, outputs).map(track);
  recorder?.op(op, attributes, inputs, made);
  return made;
}

/**
 * Makes an op of a graph (the bytes of a GraphDef). Inputs and outputs are given as `node:index`.
 * Throws TensorFlow's own error.
 */
export const addFunction = (name: string, graph: Uint8Array, inputs: string[], outputs: string[]): void =>
  binding.addFunction(name, graph, inputs.join(), outputs.join());

export const removeFunction = (name: string): void => binding.removeFunction(name);

/** Runs one TensorFlow op that has one output. */
export function execute(op: string, attributes: Attribute[], ...inputs: Tensor[]): Tensor {
  return executeAll(op, attributes, inputs, 1)[0]!;
}

/** A tensor of the given data; its type follows the array's (Float32Array, Int32Array, Uint8Array). */
export function tensor(data: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): Tensor {
  const dtype = data instanceof Float32Array ? FLOAT : data instanceof Int32Array ? INT32 : UINT8;
  const length = shape.reduce((product, size) => product * size, 1);
  if (length !== data.length) throw new Error(`${data.length} numbers do not fill the shape [${shape}]`);
  const made = track({ id: binding.createTensor(shape, dtype, data), shape: [...shape], dtype });
  recorder?.constant(made, data);
  return made;
}

export const scalar = (value: number): Tensor => tensor(Float32Array.of(value), []);
export const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values), [values.length]);

/** Copies a tensor's numbers out of TensorFlow. */
export function read(tensor: Tensor): Float32Array {
  if (recorder) throw new Error("a graph's numbers cannot be read while it is made");
  return binding.tensorDataSync(tensor.id) as Float32Array;
}

/** Copies an int32 tensor's numbers out of TensorFlow. */
export function readInts(tensor: Tensor): Int32Array {
  return binding.tensorDataSync(tensor.id) as Int32Array;
}

export function dispose(...tensors: Tensor[]): void {
  for (const { id } of tensors) {
    for (const scope of scopes) scope.delete(id);
    binding.deleteTensor(id);
  }
}

/** Runs `work` and frees every tensor made inside it but those in the returned list. */
export function tidy<T extends Tensor[]>(work: () => T): T {
  const scope = new Set<number>();
  scopes.push(scope);
  let kept: T | undefined;
  try {
    kept = work();
    return kept;
  } finally {
    scopes.pop();
    for (const { id } of kept ?? []) if (scope.delete(id)) scopes.at(-1)?.add(id);
    for (const id of scope) binding.deleteTensor(id);
  }
}

/** How many tensors TensorFlow holds for us: a test that nothing leaks reads it. */
export const liveTensors = (): number => binding.getNumOfTensors();
