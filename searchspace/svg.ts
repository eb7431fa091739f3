// Pieces of SVG as strings. Everything is written in attributes, without a style sheet or ids, so that many
// drawings may stand in one page.

/** What the drawings are made in; they bring their own background and so read the same on a dark page. */
export const INK = {
  paper: "#ffffff",
  panel: "#f1f5f9",
  box: "#ffffff",
  border: "#94a3b8",
  text: "#0f172a",
  faint: "#475569",
};

/** One for each node: dark enough on white, and told apart. */
export const NODE_COLOURS = [
  "#475569",
  "#b45309",
  "#1d4ed8",
  "#15803d",
  "#b91c1c",
  "#7e22ce",
  "#0e7490",
  "#4d7c0f",
  "#be185d",
];

const FONT =
  "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";

/** A point, or a corner of a line: x to the right and y downwards, in pixels. */
export type Point = [x: number, y: number];

export function svg(width: number, height: number, label: string, parts: string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"` +
      ` role="img" font-family="${FONT}">`,
    `<title>${escapeXml(label)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${INK.paper}"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  fill: string,
  border: string,
): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5" fill="${fill}" stroke="${border}"/>`;
}

export function text(
  x: number,
  y: number,
  content: string,
  options: { size?: number; fill?: string; anchor?: "start" | "middle" | "end"; bold?: boolean } = {},
): string {
  const { size = 12, fill = INK.text, anchor = "start", bold = false } = options;
  const weight = bold ? ' font-weight="600"' : "";
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${weight}>${escapeXml(content)}</text>`;
}

export function line(points: Point[], colour: string, width = 1.8): string {
  const way = points.map(([x, y]) => `${x},${y}`).join(" ");
  return `<polyline points="${way}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"/>`;
}

/** The head of an arrow with its tip at a point. */
export function arrowHead([x, y]: Point, direction: "right" | "left" | "down", colour: string): string {
  const back = { right: [-8, 0], left: [8, 0], down: [0, -8] }[direction] as Point;
  const side: Point = direction === "down" ? [4, 0] : [0, 4];
  const corners = [
    [x, y],
    [x + back[0] + side[0], y + back[1] + side[1]],
    [x + back[0] - side[0], y + back[1] - side[1]],
  ];
  return `<polygon points="${corners.map((corner) => corner.join(",")).join(" ")}" fill="${colour}"/>`;
}

export function dot([x, y]: Point, colour: string, radius = 3.5): string {
  return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${colour}"/>`;
}

function escapeXml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
