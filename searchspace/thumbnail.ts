// The smallest drawing that still tells two architectures apart: nodes on a line, arcs for what feeds what,
// the two operations of each block in two halves, and a dot under what the classifier sees.
import { type Architecture, ENCODER_NODES, type Operation } from "./architecture.ts";
import { dot, INK, NODE_COLOURS, rect, svg, text } from "./svg.ts";

const SIGNS: Record<Operation, string> = {
  SeparableConv3x3: "s3",
  SeparableConv5x5: "s5",
  GlobalAveragePool: "avg",
  MaxPool3x3: "max",
  SeparableConv5x5Dilated6: "d5",
  Skip: "–",
};

const WIDTH = 352;
const HEIGHT = 150;
const STEP = 38;
const CELL = 30;
const ROW = 66; // top of the cells

export function drawThumbnail(architecture: Architecture, collected: number[]): string {
  const centre = (node: number) => 24 + node * STEP;
  const parts: string[] = [];
  for (const [block, { inputs }] of architecture.blocks.entries()) {
    for (const [side, source] of inputs.entries()) {
      const [from, to] = [centre(source), centre(block + ENCODER_NODES) + (side === 0 ? -7 : 7)];
      const rise = 12 + (to - from) * 0.165;
      const path = `M${from},${ROW - 1} C${from},${ROW - rise} ${to},${ROW - rise} ${to},${ROW - 1}`;
      parts.push(`<path d="${path}" fill="none" stroke="${NODE_COLOURS[source]}" stroke-width="1.5"/>`);
    }
  }
  for (let node = 0; node < ENCODER_NODES + architecture.blocks.length; node++) {
    const x = centre(node) - CELL / 2;
    const ink = NODE_COLOURS[node]!;
    if (node < ENCODER_NODES) {
      parts.push(rect(x, ROW, CELL, CELL + 2, INK.panel, ink));
      parts.push(text(centre(node), ROW + 20, `e${node}`, { size: 11, anchor: "middle", fill: ink }));
      continue;
    }
    const { template, repeats, stride } = architecture.blocks[node - ENCODER_NODES]!;
    const { operations, aggregate } = architecture.templates[template]!;
    parts.push(rect(x, ROW, CELL, CELL + 2, INK.box, ink));
    for (const [side, operation] of operations.entries()) {
      const y = ROW + 12 + side * 15;
      parts.push(text(centre(node), y, SIGNS[operation], { size: 11, anchor: "middle" }));
    }
    const name = aggregate === "Sum" ? "sum" : "cat";
    const words = [repeats > 1 ? `×${repeats}` : "", stride === 2 ? "/2" : ""].join(" ").trim();
    parts.push(text(centre(node), ROW + 46, name, { size: 10, anchor: "middle", fill: INK.faint }));
    parts.push(text(centre(node), ROW + 59, words, { size: 10, anchor: "middle", fill: INK.faint }));
    if (collected.includes(node)) parts.push(dot([centre(node), ROW + 70], ink));
  }
  return svg(
    WIDTH,
    HEIGHT,
    `Blocks of an architecture; the classifier sees nodes ${collected.join(", ")}`,
    parts,
  );
}
