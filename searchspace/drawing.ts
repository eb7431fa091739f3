// The drawing of an architecture for people. Blocks stand in a column. A node that later blocks use goes into
// a lane on the left, where they tap it; a node that none uses goes to the right, to the classifier.
import { type Architecture, ENCODER_NODES, type NetworkSettings } from "./architecture.ts";
import { countParameters } from "./count.ts";
import { expand, type Network } from "./network.ts";
import {
  AGGREGATE_BOX,
  COLLECT,
  colour,
  drawBlock,
  drawEncoder,
  drawHead,
  drawNotes,
  ENCODER_BOX,
  ENCODER_TOP,
  MARGIN,
  middle,
  OPERATION_BOX,
  PANEL,
  sizeOf,
  thousands,
} from "./panels.ts";
import { arrowHead, dot, INK, line, svg, text } from "./svg.ts";
import { drawThumbnail } from "./thumbnail.ts";

// Pixels.
const LANE = 18;
const TAPS = 66; // between the lanes and the panels
const FIRST_BLOCK = 220;
const BLOCK_STEP = 148;
const EXIT = 22; // from a panel's bottom down to the line that leaves it

/**
 * A self-contained SVG of the whole network for an image of [height, width]: sizes are channels x height x
 * width. `compact` gives a thumbnail of the decoder's structure instead.
 */
export function drawSvg(
  architecture: Architecture,
  settings: NetworkSettings,
  input: { height: number; width: number },
  options: { compact?: boolean } = {},
): string {
  const network = expand(architecture, settings, input);
  if (options.compact) return drawThumbnail(architecture, network.collected);

  const tops = architecture.blocks.map((_, block) => FIRST_BLOCK + block * BLOCK_STEP);
  const exits = [
    ...PANEL.rows.map((row) => ENCODER_TOP + row),
    ...tops.map((top) => top + PANEL.height + EXIT),
  ];
  /** Rows at which each node is tapped. */
  const taps = exits.map((_, node) =>
    architecture.blocks.flatMap(({ inputs }, block) =>
      inputs.flatMap((source, side) => (source === node ? [tops[block]! + PANEL.rows[side]!] : [])),
    ),
  );
  const lanes = assignLanes(exits.map((from, node) => ({ from, to: Math.max(0, ...taps[node]!) })));
  const left = MARGIN + Math.max(...lanes) * LANE + TAPS;
  const right = left + PANEL.width;
  const laneX = (node: number) => left - TAPS - lanes[node]! * LANE;
  const headTop = tops.at(-1)! + PANEL.height + 36;
  const bottom = headTop + PANEL.height + 84;

  const parts = [
    ...drawEncoder(network, left),
    ...architecture.blocks.flatMap((_, block) => drawBlock(architecture, block, left, tops[block]!)),
    ...drawHead(network, left, headTop),
    ...drawNotes(network, architecture, left, bottom),
  ];
  // Lanes first, so that what crosses them passes over.
  for (const [node, rows] of taps.entries()) {
    const x = laneX(node);
    if (rows.length > 0)
      parts.push(
        line(
          [
            [x, exits[node]!],
            [x, Math.max(...rows)],
          ],
          colour(node),
        ),
      );
  }
  for (const [node, rows] of taps.entries()) {
    if (rows.length > 0) parts.push(...drawExit(node, left, laneX(node), exits[node]!, network));
    for (const row of new Set(rows)) parts.push(...drawTap(node, left, laneX(node), row));
  }
  for (const node of network.collected) {
    const row = middle(tops[node - ENCODER_NODES]!);
    parts.push(...drawCollected(node, right, row, network));
  }
  parts.push(...drawCollector(network.collected, tops, right, headTop + PANEL.rows[0]));
  const label = `Architecture of ${architecture.blocks.length} blocks, ${thousands(countParameters(network).total)} parameters`;
  return svg(right + COLLECT + MARGIN, bottom, label, parts);
}

/** Places intervals in lanes, short ones nearest to the panels; a lane's intervals do not touch. */
function assignLanes(intervals: { from: number; to: number }[]): number[] {
  const lanes: { from: number; to: number }[][] = [];
  const found = intervals.map(() => 0);
  const order = intervals.map((_, node) => node).filter((node) => intervals[node]!.to > 0);
  order.sort((a, b) => intervals[a]!.to - intervals[a]!.from - (intervals[b]!.to - intervals[b]!.from));
  for (const node of order) {
    const { from, to } = intervals[node]!;
    const free = lanes.findIndex((lane) => lane.every((other) => other.to + 8 < from || to + 8 < other.from));
    found[node] = free === -1 ? lanes.push([]) - 1 : free;
    lanes[found[node]!]!.push({ from, to });
  }
  return found;
}

/** A line from a lane to `x` on a strip of paper, which shows that it passes over the lanes between. */
function overLanes(lane: number, x: number, y: number, ink: string): string[] {
  return [
    line(
      [
        [lane + 5, y],
        [x, y],
      ],
      INK.paper,
      6,
    ),
    line(
      [
        [lane, y],
        [x, y],
      ],
      ink,
    ),
  ];
}

/** A node's way to its lane: from the encoder straight to the left, from a block round below its panel. */
function drawExit(node: number, left: number, lane: number, exit: number, network: Network): string[] {
  const ink = colour(node);
  if (node < ENCODER_NODES) {
    return [
      ...overLanes(lane, left - 2, exit, ink),
      line(
        [
          [left - 2, exit],
          [left + ENCODER_BOX.x, exit],
        ],
        ink,
      ),
    ];
  }
  const right = left + PANEL.width;
  const row = middle(exit - EXIT - PANEL.height);
  const from = left + AGGREGATE_BOX.x + AGGREGATE_BOX.width;
  const corner = right + 16;
  return [
    ...overLanes(lane, right, exit, ink),
    line(
      [
        [from, row],
        [corner, row],
        [corner, exit],
        [right, exit],
      ],
      ink,
    ),
    text(right - 16, exit - 5, `node ${node}: ${sizeOf(network, node)}`, {
      size: 11,
      fill: ink,
      anchor: "end",
    }),
  ];
}

function drawTap(node: number, left: number, lane: number, row: number): string[] {
  const ink = colour(node);
  const tip = left + OPERATION_BOX.x;
  return [
    ...overLanes(lane, left - 2, row, ink),
    line(
      [
        [left - 2, row],
        [tip - 6, row],
      ],
      ink,
    ),
    arrowHead([tip, row], "right", ink),
    dot([lane, row], ink),
    text(left - 10, row - 5, `node ${node}`, { size: 11, fill: ink, anchor: "end" }),
  ];
}

function drawCollected(node: number, right: number, row: number, network: Network): string[] {
  const from = right - PANEL.width + AGGREGATE_BOX.x + AGGREGATE_BOX.width;
  return [
    line(
      [
        [from, row],
        [right + COLLECT, row],
      ],
      colour(node),
    ),
    text(right + 10, row - 5, `node ${node}: ${sizeOf(network, node)}`, { size: 11, fill: colour(node) }),
  ];
}

/** The line on the right that brings the collected nodes to the classifier. */
function drawCollector(collected: number[], tops: number[], right: number, entry: number): string[] {
  const x = right + COLLECT;
  const rows = collected.map((node) => middle(tops[node - ENCODER_NODES]!));
  return [
    line(
      [
        [x, rows[0]!],
        [x, entry],
        [right - 10, entry],
      ],
      INK.text,
    ),
    ...collected.map((node, i) => dot([x, rows[i]!], colour(node))),
    arrowHead([right - 16, entry], "left", INK.text),
    text(right + 10, entry - 5, "collected", { size: 11, fill: INK.faint }),
  ];
}
