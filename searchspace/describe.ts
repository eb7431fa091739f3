// All that is known of an architecture without training it, as plain data and as a text for people.
import {
  type Architecture,
  ENCODER_NODES,
  type Genotype,
  type NetworkSettings,
  toGenotype,
} from "./architecture.ts";
import { canonicalHash } from "./canonical.ts";
import { countActivationBytes, countMacs, countParameters } from "./count.ts";
import { expand, type ValueShape } from "./network.ts";

export interface Description {
  architecture: Architecture;
  genotype: Genotype;
  /** The canonical hash: equal for all ways to write the same network. */
  hash: string;
  settings: NetworkSettings;
  input: { height: number; width: number };
  parameters: number;
  encoderParameters: number;
  decoderParameters: number;
  blockParameters: number[];
  preClassifierParameters: number;
  classifierParameters: number;
  /** Multiply-accumulates of all convolutions for one image. */
  macs: number;
  encoderMacs: number;
  decoderMacs: number;
  /** Bytes of float32 feature maps for one image: all kept (training), and the most at one time (inference). */
  activationBytes: { training: number; inference: number };
  /** Nodes 0 to 8. */
  nodes: ValueShape[];
  collected: number[];
  logits: ValueShape;
}

export function describe(
  architecture: Architecture,
  settings: NetworkSettings,
  input: { height: number; width: number },
): Description {
  const network = expand(architecture, settings, input);
  const parameters = countParameters(network);
  const macs = countMacs(network);
  return {
    architecture,
    genotype: toGenotype(architecture),
    hash: canonicalHash(architecture, settings),
    settings,
    input: { height: input.height, width: input.width },
    parameters: parameters.total,
    encoderParameters: parameters.encoder,
    decoderParameters: parameters.decoder,
    blockParameters: parameters.blocks,
    preClassifierParameters: parameters.preClassifier,
    classifierParameters: parameters.classifier,
    macs: macs.total,
    encoderMacs: macs.encoder,
    decoderMacs: macs.decoder,
    activationBytes: countActivationBytes(network, 1),
    nodes: network.nodes.map((value) => network.values[value]!),
    collected: network.collected,
    logits: network.values[network.logits]!,
  };
}

/** The description as lines of text, with a table of the nodes. */
export function describeText(description: Description): string {
  const { architecture, settings, input, activationBytes, collected } = description;
  const table = [
    ["node", "made by", "inputs", "operations", "combined by", "times", "stride", "size", "parameters"],
    ["0", "encoder", "", "", "", "", "", size(description.nodes[0]!), ""],
    ["1", "encoder", "", "", "", "", "", size(description.nodes[1]!), count(description.encoderParameters)],
    ...architecture.blocks.map(({ inputs, template, repeats, stride }, block) => {
      const { operations, aggregate } = architecture.templates[template]!;
      const node = block + ENCODER_NODES;
      return [
        collected.includes(node) ? `${node} *` : `${node}`,
        `block ${block}`,
        inputs.join(", "),
        operations.join(", "),
        aggregate,
        `${repeats}`,
        `${stride}`,
        size(description.nodes[node]!),
        count(description.blockParameters[block]!),
      ];
    }),
    ["", "pre-classifier", "*", "", "", "", "", "", count(description.preClassifierParameters)],
    ["", "classifier", "", "", "", "", "", size(description.logits), count(description.classifierParameters)],
  ];
  return [
    `genotype     ${JSON.stringify(description.genotype)}`,
    `hash         ${description.hash}`,
    `settings     ${settings.classes} classes, ${settings.aggregateChannels} channels before the classifier, ` +
      `separable convolutions ${settings.separableRepeats} in a row`,
    `input        ${size({ channels: 3, ...input })}`,
    `parameters   ${count(description.parameters)}: encoder ${count(description.encoderParameters)}, ` +
      `decoder ${count(description.decoderParameters)}`,
    `MACs         ${count(description.macs)}: encoder ${count(description.encoderMacs)}, ` +
      `decoder ${count(description.decoderMacs)}`,
    `activations  ${mebibytes(activationBytes.inference)} at most at once, ` +
      `${mebibytes(activationBytes.training)} kept in training, for one image`,
    "",
    ...alignColumns(table),
    "",
    "Sizes are channels x height x width; * nodes go to the classifier.",
  ].join("\n");
}

const count = (value: number) => value.toLocaleString("en-US");
const size = ({ channels, height, width }: ValueShape) => `${channels} x ${height} x ${width}`;
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Rows with each column padded to its widest cell; the last column is aligned right. */
function alignColumns(rows: string[][]): string[] {
  const last = rows[0]!.length - 1;
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === last ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
