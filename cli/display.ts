// Where progress goes: a terminal whose last lines are drawn anew, or a stream of plain lines.
import type { WriteStream } from "node:tty";
import { stripVTControlCharacters, styleText } from "node:util";
import type { Paint } from "./progress.ts";

export interface Display {
  width(): number;
  /** Lines that can be redrawn. */
  height(): number;
  paint: Paint;
  /** Prints `lines`, which stay, then `frame`, which the next call replaces; without a frame the last one stays. */
  show(lines: string[], frame?: string[]): void;
  /** Takes the redrawn lines away and gives the cursor back. */
  end(): void;
}

/**
 * The rows that lines take up on a terminal of so many columns. One that was made narrower after they were drawn has
 * wrapped them anew; all that is drawn here is a column wide a code point.
 */
export function rowsOf(lines: string[], columns: number): number {
  const widths = lines.map((line) => [...stripVTControlCharacters(line)].length);
  return widths.reduce((rows, width) => rows + Math.max(1, Math.ceil(width / columns)), 0);
}

const HIDE = "\x1b[?25l";
const SHOW = "\x1b[?25h";

/** `live` only where the stream is a terminal that can move its cursor. */
export function display(stream: WriteStream, live: boolean): Display {
  let drawn: string[] = [];
  const show = (lines: string[], frame: string[] = drawn) => {
    const below = live ? frame : [];
    const rows = rowsOf(drawn, stream.columns || 80);
    const back = rows > 0 ? `\x1b[${rows}A\r\x1b[J` : "";
    const cursor =
      drawn.length === 0 && below.length > 0 ? HIDE : drawn.length > 0 && below.length === 0 ? SHOW : "";
    const text = [...lines, ...below].map((line) => `${line}\n`).join("");
    if (back || text) stream.write(back + text + cursor);
    drawn = below;
  };
  return {
    width: () => Math.max(20, (stream.columns ?? 80) - 1),
    height: () => Math.max(3, (stream.rows ?? 24) - 1),
    paint: (style, text) => styleText(style, text, { stream }),
    show,
    end: () => show([], []),
  };
}

/** Whether the stream is a terminal that can be redrawn. */
export const isTerminal = (stream: WriteStream): boolean =>
  stream.isTTY === true && process.env.TERM !== "dumb";
