// An architecture expanded to a network: a flat list of layers in the order of execution, each with the
// value that it makes. Parameters, MACs, memory, the drawing and the trainer all read this one list.
import {
  type Aggregate,
  type Architecture,
  type Block,
  ENCODER_NODES,
  type NetworkSettings,
  STRIDING_BLOCKS,
  type Template,
} from "./architecture.ts";
import { addEncoder } from "./encoder.ts";
import { type LayerMaker, layerMaker } from "./layers.ts";
import { applyOperation } from "./operations.ts";

/** A feature map: what a layer made. `value` is its position in `Network.values`. */
export interface ValueShape {
  channels: number;
  height: number;
  width: number;
}

/** Where a layer belongs, for counting and for clipping and learning rates by part. */
export type Part = "Encoder" | { block: number } | "PreClassifier" | "Classifier";

/**
 * One layer. `inputs` and `output` are indices into `Network.values` (value 0 is the image).
 * `name` is unique and independent of the input size: the key of its parameters in a weights file,
 * e.g. `encoder.stem.conv`, `block3.0.op1.0.depthwise` (block, application, branch, separable repeat).
 */
export type Layer = { name: string; part: Part; inputs: number[]; output: number } & (
  | { kind: "Conv2D"; kernel: number; stride: number; dilation: number; depthwise: boolean; bias: boolean }
  | { kind: "BatchNorm" }
  | { kind: "Relu" }
  | { kind: "Relu6" }
  | { kind: "Add" }
  | { kind: "WeightedSum" }
  | { kind: "Concat" }
  | { kind: "MaxPool3x3"; stride: number }
  | { kind: "GlobalAveragePool" } // mean over height and width: [batch, 1, 1, channels]
  | { kind: "Resize" } // to the output value's height and width: bilinear, half-pixel centres
  | { kind: "Broadcast" } // from 1x1 to the output value's height and width
  | { kind: "RepeatChannels"; times: number } // c, c + C, c + 2C ... are equal
);

export interface Network {
  settings: NetworkSettings;
  values: ValueShape[];
  layers: Layer[];
  /** Values that are nodes 0..8: the encoder's two outputs, then the seven blocks'. */
  nodes: number[];
  /** Nodes (2..8) that no later block uses, in order. */
  collected: number[];
  logits: number;
}

/** Nodes (2..8) that no later block uses, in order: the ones that the classifier sees. */
function collectedNodes(architecture: Architecture): number[] {
  const used = new Set(architecture.blocks.flatMap((block) => block.inputs));
  return architecture.blocks.map((_, block) => block + ENCODER_NODES).filter((node) => !used.has(node));
}

/** Expands an architecture for an image of [height, width] with 3 channels. Any size from 1x1 on works. */
export function expand(
  architecture: Architecture,
  settings: NetworkSettings,
  input: { height: number; width: number },
): Network {
  const graph = { values: [{ channels: 3, height: input.height, width: input.width }], layers: [] };
  const nodes: number[] = addEncoder(layerMaker(graph, "Encoder"), 0);
  for (const [index, block] of architecture.blocks.entries()) {
    const template = architecture.templates[block.template]!;
    const inputs: [number, number] = [nodes[block.inputs[0]]!, nodes[block.inputs[1]]!];
    nodes.push(addBlock(layerMaker(graph, { block: index }), index, block, template, inputs, settings));
  }
  const collected = collectedNodes(architecture);
  const logits = addHead(
    graph,
    collected.map((node) => nodes[node]!),
    settings,
  );
  return { settings, ...graph, nodes, collected, logits };
}

/** A template applied `repeats` times: each application takes what op2 was given before and what was made. */
function addBlock(
  make: LayerMaker,
  index: number,
  block: Block,
  template: Template,
  inputs: [number, number],
  settings: NetworkSettings,
): number {
  let [first, second] = inputs;
  for (let application = 0; application < block.repeats; application++) {
    const name = `block${index}.${application}`;
    // Channels multiply by the stride in the first application only; space strides in every one.
    const widen = application === 0 ? block.stride : 1;
    const branches = [first, second].map((value, side) =>
      applyOperation(make, template.operations[side]!, `${name}.op${side + 1}`, value, {
        channels: make.shape(value).channels * widen,
        stride: block.stride,
        separableRepeats: settings.separableRepeats,
      }),
    );
    const merged = addAggregate(make, name, template.aggregate, branches, index < STRIDING_BLOCKS);
    [first, second] = [second, merged];
  }
  return second;
}

/** Brings two branches to the larger number of channels and to one size, and combines them. */
function addAggregate(
  make: LayerMaker,
  name: string,
  aggregate: Aggregate,
  branches: number[],
  toSmaller: boolean,
): number {
  const channels = Math.max(...branches.map((value) => make.shape(value).channels));
  const adapted = branches.map((value, side) =>
    make.shape(value).channels === channels
      ? value
      : make.convBnRelu(`${name}.op${side + 1}.adapt`, value, channels),
  );
  const [a, b] = [make.shape(adapted[0]!), make.shape(adapted[1]!)];
  const aIsLarger = a.height === b.height ? a.width > b.width : a.height > b.height;
  const size = aIsLarger === toSmaller ? b : a;
  const sized = adapted.map((value, side) => make.resize(`${name}.op${side + 1}.resize`, value, size));
  if (aggregate === "Sum") return make.weightedSum(`${name}.sum`, sized);
  const joined = make.concat(`${name}.concat.join`, sized);
  const active = make.relu(`${name}.concat.relu`, make.batchNorm(`${name}.concat.bn`, joined));
  return make.conv(`${name}.concat.conv`, active, channels);
}

/** The collected nodes brought to one size, concatenated, then the two last convolutions. */
function addHead(graph: Pick<Network, "values" | "layers">, collected: number[], settings: NetworkSettings) {
  const before = layerMaker(graph, "PreClassifier");
  // Nodes join one at a time, each time at the taller size: a 4x6 before an 8x12 before a 16x24 is
  // resized twice, which differs from one resize. On equal heights those already joined stay as they are.
  let sized = collected.slice(0, 1);
  for (const [i, node] of collected.slice(1).entries()) {
    const [joined, next] = [before.shape(sized[0]!), before.shape(node)];
    const size = next.height > joined.height ? next : joined;
    sized = [...sized, node].map((value, k) =>
      before.resize(`preClassifier.${i + 1}.resize${k}`, value, size),
    );
  }
  const joined = sized.length === 1 ? sized[0]! : before.concat("preClassifier.join", sized);
  const active = before.relu("preClassifier.relu0", joined);
  const mixed = before.convBnRelu("preClassifier", active, settings.aggregateChannels);
  const classifier = layerMaker(graph, "Classifier");
  return classifier.conv("classifier.conv", mixed, settings.classes, { kernel: 3, bias: true });
}
