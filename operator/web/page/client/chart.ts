// A chart on a canvas (uPlot), in the page's colours, as wide as there is room; below it a key, and in words what is
// under the pointer.
import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { nextPoint } from "./points.ts";
import { tickLabels } from "./ticks.ts";

const NAMES = ["soft", "faint", "point", "line", "best", "fail"] as const;
/** As many colours as there are for what lies over each other in one chart. */
export const SEVERAL = 6;

/** The page's colours as they are now: light or dark. */
export type Ink = Record<(typeof NAMES)[number], string> & { several: string[] };

function readInk(): Ink {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...(Object.fromEntries(NAMES.map((name) => [name, colour(name)])) as Record<
      (typeof NAMES)[number],
      string
    >),
    several: Array.from({ length: SEVERAL }, (_, i) => colour(`several-${i}`)),
  };
}

const darkness = matchMedia("(prefers-color-scheme: dark)");

function useDarkness(): boolean {
  const [dark, setDark] = useState(darkness.matches);
  useEffect(() => {
    const look = () => setDark(darkness.matches);
    darkness.addEventListener("change", look);
    return () => darkness.removeEventListener("change", look);
  }, []);
  return dark;
}

/** What is drawn over the same x. */
export interface Line {
  label: string;
  mark: "dots" | "line" | "dashes" | "steps" | "front" | "crosses";
  colour: string;
  /** A value in words. */
  words: (value: number) => string;
  /** The scale of its y; the left one where left out. */
  scale?: string;
}

export interface Drawing {
  /** What x is, in words. */
  x: (value: number) => string;
  lines: Line[];
  axes: uPlot.Axis[];
  scales?: uPlot.Scales;
}

export interface ChartProps {
  /** What is to be seen, in words: for who does not see it. */
  label: string;
  /** x in its order, then a row of values for each line. */
  data: (number | null)[][];
  /** Called at first, and again where `shape` changes or the page becomes light or dark. */
  drawing: (ink: Ink) => Drawing;
  /** What the drawing depends on. */
  shape?: string;
  height?: number;
  /** Told of the point that was clicked: its place in the data. */
  chosen?: (place: number) => void;
}

export function Chart({ label, data, drawing, shape = "", height = 240, chosen }: ChartProps) {
  const room = useRef<HTMLDivElement>(null);
  const words = useRef<HTMLParagraphElement>(null);
  const chart = useRef<uPlot>(null);
  /** Where the keyboard is in the data: points may share an x. */
  const place = useRef<number | undefined>(undefined);
  const latest = useRef({ data, chosen });
  latest.current = { data, chosen };
  const [lines, setLines] = useState<Line[]>([]);
  const dark = useDarkness();

  useEffect(() => {
    const box = room.current!;
    let watch: ResizeObserver | undefined;
    const make = () => {
      const drawn = drawing(readInk());
      const told = (made: uPlot) => {
        const idx = place.current ?? made.cursor.idx;
        words.current!.textContent = typeof idx === "number" ? readOut(made.data, drawn, idx) : "";
      };
      const { data } = latest.current;
      const made = new uPlot(optionsOf(drawn, box.clientWidth, height, told, data[0]!.length));
      made.setData(data as uPlot.AlignedData);
      box.append(made.root);
      chart.current = made;
      setLines(drawn.lines);
      const led = () => {
        place.current = undefined;
      };
      made.over.addEventListener("mousemove", led, { capture: true });
      made.over.addEventListener("click", () => {
        const { idx } = made.cursor;
        if (typeof idx === "number" && made.select.width === 0) latest.current.chosen?.(idx);
      });
      watch = new ResizeObserver(() => {
        if (box.clientWidth !== made.width) made.setSize({ width: box.clientWidth, height });
      });
      watch.observe(box);
    };
    // Each in a turn of its own: all charts of a page at once would keep it from answering.
    const turn = setTimeout(make);
    return () => {
      clearTimeout(turn);
      watch?.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [dark, shape, height, data[0]!.length > MANY, data[0]!.length <= FEW]);

  useEffect(() => {
    // Likewise: they all change at once.
    const turn = setTimeout(() => {
      if (chart.current && chart.current.data !== data) chart.current.setData(data as uPlot.AlignedData);
    });
    return () => clearTimeout(turn);
  }, [data]);

  /** Arrows go from point to point, Enter opens what is there, Escape zooms out. Other keys are the page's. */
  const pressed = (event: KeyboardEvent) => {
    const made = chart.current;
    const last = data[0]!.length - 1;
    if (!made || last < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const here = place.current ?? made.cursor.idx ?? undefined;
    const next = nextPoint(event.key, here, last);
    if (next !== undefined) {
      place.current = next;
      pointTo(made, next);
    } else if (event.key === "Enter" && here !== undefined && chosen) chosen(here);
    else if (event.key === "Escape" && isZoomed(made)) made.setData(made.data);
    else return;
    event.preventDefault();
  };
  return html`<div class="chart" role="group" aria-roledescription="chart" tabindex="0" aria-label=${label} aria-description=${`Arrow keys read its values${chosen ? ", Enter shows the trial" : ""}.`} onKeyDown=${pressed} ref=${room} style=${{ minHeight: `${height}px` }}></div>
    <ul class="key">${lines.map((line) => html`<li key=${line.label}><svg viewBox="0 0 26 12" aria-hidden="true">${markOf(line)}</svg>${line.label}</li>`)}</ul>
    <p class="soft read-out" aria-live="polite" ref=${words}></p>`;
}

/** Shows the cursor at a point, brought into view where the chart is zoomed in. */
function pointTo(chart: uPlot, place: number): void {
  const x = chart.data[0]![place]!;
  const { min = x, max = x } = chart.scales.x!;
  if (x < min || x > max) {
    const half = (max - min) / 2;
    // In a batch it is done at once, and not later.
    chart.batch(() => chart.setScale("x", { min: x - half, max: x + half }));
  }
  chart.setCursor({ left: chart.valToPos(x, "x"), top: chart.over.clientHeight / 2 });
}

/** Whether not all is in sight. */
function isZoomed({ data: [x], scales }: uPlot): boolean {
  const { min, max } = scales.x!;
  return min! > x[0]! || max! < x.at(-1)!;
}

/** From this many on points are small. */
const MANY = 300;
/** Up to this many stand out on a line. */
const FEW = 40;

const optionsOf = (
  { lines, axes, scales }: Drawing,
  width: number,
  height: number,
  told: (chart: uPlot) => void,
  length: number,
): uPlot.Options => ({
  ...{ width, height, axes },
  legend: { show: false },
  cursor: { y: false, points: { size: 9 }, drag: { setScale: true, x: true, y: false } },
  scales: { x: { time: false }, y: { range }, ...scales },
  series: [{}, ...lines.map((line) => seriesOf(line, length))],
  hooks: { setCursor: [told] },
});

function readOut(data: uPlot.AlignedData, { x, lines }: Drawing, place: number): string {
  const values = lines.flatMap(({ label, mark, words }, i) => {
    const value = data[i + 1]![place];
    if (value === null || value === undefined) return [];
    return mark === "crosses" ? [label] : [`${label} ${words(value)}`];
  });
  return `${x(data[0]![place]!)}: ${values.join(", ")}`;
}

/** Room above and below what is shown. */
const range: uPlot.Range.Function = (_, low, high) => {
  if (low === null || high === null) return [0, 1];
  const air = Math.max((high - low) * 0.08, 0.005);
  return [low >= 0 ? Math.max(0, low - air) : low - air, high + air];
};

function seriesOf({ mark, colour, scale = "y" }: Line, length: number): uPlot.Series {
  const stepped = uPlot.paths.stepped!({ align: 1 });
  const line = { scale, stroke: colour, width: 2, spanGaps: true, points: { show: false } };
  switch (mark) {
    case "dots": {
      const size = length > MANY ? 4 : 7;
      return {
        scale,
        stroke: colour,
        paths: () => null,
        points: { show: true, size, width: 0, fill: colour, stroke: colour },
      };
    }
    case "line":
      return { ...line, points: { show: length <= FEW, size: 6, width: 0, fill: colour } };
    case "dashes":
      return { ...line, dash: [6, 4], width: 1.6 };
    case "steps":
      return { ...line, paths: stepped };
    case "front":
      return {
        ...line,
        width: 1.5,
        paths: stepped,
        points: { show: true, size: 9, width: 0, fill: colour },
      };
    case "crosses":
      // As points: a line would be cut off at the chart's right edge, where the last trial is.
      return {
        scale,
        stroke: colour,
        paths: () => null,
        points: { show: true, width: 1.6, stroke: colour, paths: crosses },
      };
  }
}

/** At the foot, wherever there is a value. */
const crosses: uPlot.Series.Points.PathBuilder = (chart, series, from, to) => {
  const stroke = new Path2D();
  const y = chart.bbox.top + chart.bbox.height - 5 * devicePixelRatio;
  const size = (to - from > MANY ? 1.5 : 3) * devicePixelRatio;
  for (let i = from; i <= to; i++) {
    if (chart.data[series]![i] === null) continue;
    const x = chart.valToPos(chart.data[0]![i]!, "x", true);
    stroke.moveTo(x - size, y - size);
    stroke.lineTo(x + size, y + size);
    stroke.moveTo(x + size, y - size);
    stroke.lineTo(x - size, y + size);
  }
  return { stroke };
};

/** A line of the key as it is drawn in the chart. */
function markOf({ mark, colour }: Line) {
  switch (mark) {
    case "dots":
      return html`<circle cx="13" cy="6" r="4" fill=${colour} />`;
    case "front":
      return html`<path d="M0 6H26" stroke=${colour} /><circle cx="13" cy="6" r="5" fill=${colour} />`;
    case "crosses":
      return html`<path d="M9 2l8 8M9 10l8-8" stroke=${colour} stroke-width="1.7" />`;
    default:
      return html`<path d="M0 6H26" stroke=${colour} stroke-width="2.5" stroke-dasharray=${mark === "dashes" ? "7 4" : undefined} />`;
  }
}

const FONT = "12px system-ui, sans-serif";

/** An axis in the page's colours. */
const axis = (ink: Ink, label: string): uPlot.Axis => ({
  label,
  labelSize: 18,
  labelGap: 0,
  labelFont: FONT,
  font: FONT,
  stroke: ink.soft,
  grid: { stroke: ink.faint, width: 1 },
  ticks: { stroke: ink.faint, width: 1, size: 4 },
});

/** As wide as its numbers are long. */
export const leftAxis = (ink: Ink, label: string): uPlot.Axis => ({
  ...axis(ink, label),
  values: (_, ticks, __, ___, step) => tickLabels(ticks, step),
  size: (_, labels) => Math.max(50, 10 + 7 * Math.max(0, ...(labels ?? []).map(({ length }) => length))),
});

export const footAxis = (ink: Ink, label: string): uPlot.Axis => ({ ...axis(ink, label), size: 28 });

/** A foot of whole numbers. */
export const countAxis = (ink: Ink, label: string): uPlot.Axis => ({
  ...footAxis(ink, label),
  incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000],
});
