// Functions of tensors that TensorFlow runs as one graph: what one op does not need of another runs at the same time,
// and nothing is said to TensorFlow between them.
// What a function does is learned by running it op by op once (much as tf.function does in Python).
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type Attribute,
  addFunction,
  attribute,
  executeAll,
  KINDS,
  type Recorder,
  recorded,
  removeFunction,
  type Tensor,
  tidy,
} from "./runtime.ts";

/** Tensors in objects and maps. */
export type Tree = Tensor | ReadonlyMap<string | number, Tree> | { readonly [key: string]: Tree | undefined };

/**
 * A function of tensors, with a graph for each set of names and shapes that it is called with. It may use only what it
 * is given and constants, and read nothing: what it does must follow from names and shapes alone.
 */
export class GraphFunction<Inputs extends object, Outputs extends object> {
  readonly #work: (inputs: Inputs) => Outputs;
  readonly #graphs = new Map<string, Graph<Outputs>>();

  constructor(work: (inputs: Inputs) => Outputs) {
    this.#work = work;
  }

  /** Runs it; the caller frees the answer. The first time it runs op by op, and its graph is made. */
  call(inputs: Inputs): Outputs {
    const given = leaves(inputs as Tree);
    const key = given.map(({ path, tensor }) => `${path} ${tensor.shape}`).join();
    const graph = this.#graphs.get(key);
    if (graph) return graph.run(given);
    const { graph: made, outputs } = Graph.trace(given, () => this.#work(inputs));
    this.#graphs.set(key, made);
    return outputs;
  }

  dispose(): void {
    for (const graph of this.#graphs.values()) graph.dispose();
    this.#graphs.clear();
  }
}

/** One graph; from its first run on TensorFlow has it as an op. */
class Graph<Outputs> {
  static #made = 0;
  readonly #name = `Graph${Graph.#made++}`;
  readonly #outputs: Outputs;
  /** The output that makes each tensor of `outputs`. */
  readonly #names: string[];
  /** Until TensorFlow has it. */
  #nodes: Nodes | undefined;

  private constructor(nodes: Nodes, outputs: Outputs) {
    this.#nodes = nodes;
    this.#outputs = outputs;
    this.#names = leaves(outputs as Tree).map(({ tensor }) => nodes.outputOf(tensor));
  }

  /** Runs `work` op by op, and makes a graph of what it did. */
  static trace<Outputs>(inputs: Leaf[], work: () => Outputs) {
    const nodes = new Nodes(inputs);
    let outputs: Outputs | undefined;
    tidy(() => {
      outputs = recorded(nodes, work);
      return leaves(outputs as Tree).map(({ tensor }) => tensor);
    });
    return { graph: new Graph(nodes, outputs!), outputs: outputs! };
  }

  run(inputs: Leaf[]): Outputs {
    if (this.#nodes) {
      const from = inputs.map((_, i) => `${inputName(i)}:0`);
      addFunction(this.#name, this.#nodes.graphDef(), from, this.#names);
      this.#nodes = undefined;
    }
    const given = inputs.map(({ tensor }) => tensor);
    const made = executeAll(this.#name, [], given, this.#names.length).values();
    return replaced(this.#outputs as Tree, () => made.next().value!) as Outputs;
  }

  dispose(): void {
    if (!this.#nodes) removeFunction(this.#name);
  }
}

const inputName = (index: number): string => `input${index}`;

interface Leaf {
  path: string;
  tensor: Tensor;
}

const isTensor = (tree: Tree): tree is Tensor => "id" in tree && typeof tree.id === "number";
const entriesOf = (tree: Exclude<Tree, Tensor>): [string | number, Tree | undefined][] => [
  ...(tree instanceof Map ? tree : Object.entries(tree)),
];

/** A tree's tensors, in order, with the keys that lead to them. */
function leaves(tree: Tree, path = ""): Leaf[] {
  if (isTensor(tree)) return [{ path, tensor: tree }];
  return entriesOf(tree).flatMap(([key, value]) => (value ? leaves(value, `${path}/${key}`) : []));
}

/** A tree of the same form with other tensors, asked for in order. */
function replaced(tree: Tree, next: () => Tensor): Tree {
  if (isTensor(tree)) return next();
  const entries = entriesOf(tree).map(([key, value]) => [key, value && replaced(value, next)] as const);
  return tree instanceof Map ? new Map(entries as [string | number, Tree][]) : Object.fromEntries(entries);
}

/** What TensorFlow must know of GraphDef's history (TF_GRAPH_DEF_VERSION when these ops had their present form). */
const PRODUCER = 1882;

/** The nodes of a graph (as NodeDef of tensorflow/core/framework/node_def.proto), in the order in which they were run. */
class Nodes implements Recorder {
  readonly #encoded: Uint8Array[] = [];
  /** The output that made each tensor, as `node:index`. */
  readonly #outputs = new Map<number, string>();

  constructor(inputs: Leaf[]) {
    for (const [i, { tensor }] of inputs.entries())
      this.#add(inputName(i), "Placeholder", [attribute.type("dtype", tensor.dtype)], [], [tensor]);
  }

  op(name: string, attributes: Attribute[], inputs: Tensor[], outputs: Tensor[]): void {
    const from = inputs.map((input) => this.outputOf(input));
    this.#add(`node${this.#encoded.length}`, name, attributes, from, outputs);
  }

  constant(tensor: Tensor, data: ArrayBufferView): void {
    const attributes = [attribute.type("dtype", tensor.dtype), { name: "value", tensor, data }];
    this.#add(`node${this.#encoded.length}`, "Const", attributes, [], [tensor]);
  }

  outputOf({ id }: Tensor): string {
    const output = this.#outputs.get(id);
    if (output === undefined) throw new Error("a graph uses a tensor that it was not given");
    return output;
  }

  /** All of it as a GraphDef (tensorflow/core/framework/graph.proto). */
  graphDef(): Uint8Array {
    const writer = new BinaryWriter();
    for (const node of this.#encoded) writer.tag(1, WireType.LengthDelimited).bytes(node);
    return writer
      .tag(4, WireType.LengthDelimited)
      .fork()
      .tag(1, WireType.Varint)
      .int32(PRODUCER)
      .join()
      .finish();
  }

  #add(
    node: string,
    op: string,
    attributes: (Attribute | Constant)[],
    inputs: string[],
    outputs: Tensor[],
  ): void {
    for (const [i, { id }] of outputs.entries()) this.#outputs.set(id, `${node}:${i}`);
    const writer = new BinaryWriter();
    writer.tag(1, WireType.LengthDelimited).string(node);
    writer.tag(2, WireType.LengthDelimited).string(op);
    for (const input of inputs) writer.tag(3, WireType.LengthDelimited).string(input);
    for (const each of attributes) {
      writer.tag(5, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(each.name);
      writer.tag(2, WireType.LengthDelimited).fork();
      writeValue(writer, each);
      writer.join().join();
    }
    this.#encoded.push(writer.finish());
  }
}

/** A constant's numbers. */
interface Constant {
  name: string;
  tensor: Tensor;
  data: ArrayBufferView;
}

/** AttrValue (tensorflow/core/framework/attr_value.proto). */
function writeValue(writer: BinaryWriter, given: Attribute | Constant): void {
  if ("data" in given) {
    writeTensor(writer, given);
    return;
  }
  const values = listOf(given);
  if (values) writer.tag(1, WireType.LengthDelimited).fork();
  for (const value of values ?? [given.value]) writeScalar(writer, given.type, value);
  if (values) writer.join();
}

/** An attribute's values where it is a list. */
function listOf({ value, list }: Attribute): unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (list) return typeof value === "string" ? value.split(",") : [value];
  return undefined;
}

/** The fields have the same numbers in AttrValue and in its ListValue. */
function writeScalar(writer: BinaryWriter, type: number, value: unknown): void {
  if (type === KINDS.string) writer.tag(2, WireType.LengthDelimited).string(value as string);
  else if (type === KINDS.int) writer.tag(3, WireType.Varint).int64(value as number);
  else if (type === KINDS.float) writer.tag(4, WireType.Bit32).float(value as number);
  else if (type === KINDS.bool) writer.tag(5, WireType.Varint).bool(value as boolean);
  else writer.tag(6, WireType.Varint).int32(value as number);
}

/** An AttrValue's TensorProto (tensorflow/core/framework/tensor.proto). */
function writeTensor(writer: BinaryWriter, { tensor: { shape, dtype }, data }: Constant): void {
  writer.tag(8, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint).int32(dtype);
  writer.tag(2, WireType.LengthDelimited).fork();
  for (const size of shape)
    writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int64(size).join();
  writer.join();
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  writer.tag(4, WireType.LengthDelimited).bytes(bytes).join();
}
