// The parts that a drawing is put together from: the encoder's panel, a block's, the classifier's, and notes.
import { type Aggregate, type Architecture, ENCODER_NODES, type Operation } from "./architecture.ts";
import { countMacs, countParameters } from "./count.ts";
import type { Network, ValueShape } from "./network.ts";
import { arrowHead, INK, line, NODE_COLOURS, rect, text } from "./svg.ts";

const OPERATION_NAMES: Record<Operation, string> = {
  SeparableConv3x3: "Separable conv 3×3",
  SeparableConv5x5: "Separable conv 5×5",
  GlobalAveragePool: "Global average pool",
  MaxPool3x3: "Max pool 3×3",
  SeparableConv5x5Dilated6: "Separable conv 5×5, dilated by 6",
  Skip: "Skip",
};
const AGGREGATE_NAMES: Record<Aggregate, string> = { Sum: "Weighted sum", Concat: "Concatenation" };
const TIMES = ["", "once", "twice", "3 times", "4 times"];

// Pixels. Inner boxes are placed from their panel's left edge, rows from its top.
export const MARGIN = 20;
export const PANEL = { width: 424, height: 112, rows: [50, 88] as const };
const BOX_HEIGHT = 30;
export const OPERATION_BOX = { x: 14, width: 222 };
export const AGGREGATE_BOX = { x: 284, width: 124 };
export const ENCODER_BOX = { x: 160, width: 248 };
export const COLLECT = 164; // from the panels to the line that collects
export const ENCODER_TOP = 88;

export const colour = (node: number) => NODE_COLOURS[node]!;
export const thousands = (value: number) => value.toLocaleString("en-US");
const size = ({ channels, height, width }: ValueShape) => `${channels} × ${height} × ${width}`;
export const sizeOf = (network: Network, node: number) => size(network.values[network.nodes[node]!]!);
export const middle = (top: number) => top + (PANEL.rows[0] + PANEL.rows[1]) / 2;

/** A box with a line of text around row `y`. */
function box(x: number, y: number, width: number, content: string, border = INK.border): string[] {
  return [
    rect(x, y - BOX_HEIGHT / 2, width, BOX_HEIGHT, INK.box, border),
    text(x + width / 2, y + 4, content, { anchor: "middle" }),
  ];
}

function panel(left: number, top: number, title: string, subtitle: string): string[] {
  return [
    rect(left, top, PANEL.width, PANEL.height, INK.panel, INK.border),
    text(left + 14, top + 22, title, { bold: true, size: 13 }),
    text(left + PANEL.width - 16, top + 22, subtitle, { fill: INK.faint, anchor: "end" }),
  ];
}

export function drawEncoder(network: Network, left: number): string[] {
  const x = left + ENCODER_BOX.x;
  const arrowX = x + 40;
  const rows = PANEL.rows.map((row) => ENCODER_TOP + row);
  const used = new Set(
    network.layers.filter(({ part }) => part !== "Encoder").flatMap(({ inputs }) => inputs),
  );
  const parts = [
    ...panel(left, ENCODER_TOP, "Encoder", "MobileNetV2, first three stages"),
    ...box(x, rows[0]!, ENCODER_BOX.width, "Stem, 16 and 24 channels, 1/4"),
    ...box(x, rows[1]!, ENCODER_BOX.width, "32 channels, 1/8"),
    ...box(x, MARGIN + BOX_HEIGHT / 2, 80, "Image"),
    line(
      [
        [arrowX, MARGIN + BOX_HEIGHT],
        [arrowX, rows[0]! - BOX_HEIGHT / 2 - 4],
      ],
      INK.faint,
    ),
    arrowHead([arrowX, rows[0]! - BOX_HEIGHT / 2], "down", INK.faint),
    text(arrowX + 8, ENCODER_TOP - 14, size(network.values[0]!), { size: 11, fill: INK.faint }),
    arrowHead([arrowX, rows[1]! - BOX_HEIGHT / 2], "down", INK.faint),
  ];
  for (const [node, row] of rows.entries()) {
    const content = `node ${node}: ${sizeOf(network, node)}`;
    parts.push(text(left + 12, row - 5, content, { size: 11, fill: colour(node) }));
    if (!used.has(network.nodes[node]!))
      parts.push(text(left + 12, row + 10, "not used", { size: 11, fill: colour(node) }));
  }
  return parts;
}

export function drawBlock(architecture: Architecture, block: number, left: number, top: number): string[] {
  const { template, repeats, stride } = architecture.blocks[block]!;
  const { operations, aggregate } = architecture.templates[template]!;
  const node = block + ENCODER_NODES;
  const each = repeats > 1 ? " each time" : "";
  const words = `template ${template}, applied ${TIMES[repeats]}, ${stride === 2 ? `stride 2${each}` : "no stride"}`;
  const parts = panel(left, top, `Block ${block}`, words);
  const into = left + AGGREGATE_BOX.x;
  for (const [side, operation] of operations.entries()) {
    const row = top + PANEL.rows[side]!;
    const x = left + OPERATION_BOX.x;
    const entry = middle(top) + (side === 0 ? -7 : 7);
    const from = x + OPERATION_BOX.width;
    parts.push(...box(x, row, OPERATION_BOX.width, OPERATION_NAMES[operation]));
    parts.push(
      line(
        [
          [from, row],
          [from + 22, row],
          [from + 22, entry],
          [into - 6, entry],
        ],
        INK.faint,
      ),
    );
    parts.push(arrowHead([into, entry], "right", INK.faint));
  }
  parts.push(...box(into, middle(top), AGGREGATE_BOX.width, AGGREGATE_NAMES[aggregate], colour(node)));
  return parts;
}

export function drawHead(network: Network, left: number, top: number): string[] {
  const { collected, settings, values, nodes } = network;
  const [first, second] = PANEL.rows.map((row) => top + row) as [number, number];
  const x = left + OPERATION_BOX.x;
  const width = PANEL.width - 2 * OPERATION_BOX.x - 2;
  const logits = values[network.logits]!;
  const channels = collected.reduce((sum, node) => sum + values[nodes[node]!]!.channels, 0);
  const joined =
    collected.length === 1
      ? `Node ${collected[0]} alone: ${channels} channels`
      : `Resized to ${logits.height} × ${logits.width}, concatenated: ${channels} channels`;
  const convolutions = `1×1 conv to ${settings.aggregateChannels} channels, 3×3 conv to ${settings.classes} classes`;
  const arrowX = left + PANEL.width / 2;
  return [
    ...panel(left, top, "Classifier", `${collected.length === 1 ? "node" : "nodes"} ${collected.join(", ")}`),
    ...box(x, first, width, joined),
    arrowHead([arrowX, second - BOX_HEIGHT / 2], "down", INK.faint),
    ...box(x, second, width, convolutions),
    line(
      [
        [arrowX, second + BOX_HEIGHT / 2],
        [arrowX, top + PANEL.height + 24],
      ],
      INK.faint,
    ),
    arrowHead([arrowX, top + PANEL.height + 30], "down", INK.faint),
    text(arrowX + 10, top + PANEL.height + 26, `logits: ${size(logits)}`),
  ];
}

export function drawNotes(
  network: Network,
  architecture: Architecture,
  left: number,
  bottom: number,
): string[] {
  const right = left + PANEL.width + COLLECT;
  const parameters = thousands(countParameters(network).total);
  const macs = (countMacs(network).total / 1e9).toPrecision(3);
  const notes = [
    text(right, MARGIN + 14, `${parameters} parameters`, { size: 15, bold: true, anchor: "end" }),
    text(right, MARGIN + 34, `${macs} G multiply-accumulates`, { fill: INK.faint, anchor: "end" }),
    text(right, MARGIN + 52, "sizes: channels × height × width", {
      fill: INK.faint,
      size: 11,
      anchor: "end",
    }),
  ];
  if (architecture.blocks.some(({ repeats }) => repeats > 1)) {
    const rule = [
      "Applied again, a block's upper operation takes what its lower one was given,",
      "and its lower one what was made.",
    ];
    for (const [i, words] of rule.entries())
      notes.push(text(left, bottom - MARGIN - 15 * (1 - i), words, { size: 11, fill: INK.faint }));
  }
  return notes;
}
