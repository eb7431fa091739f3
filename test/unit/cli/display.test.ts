// What a terminal shows of frames that are drawn over each other, whatever becomes of its width meanwhile.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { WriteStream } from "node:tty";
import fc from "fast-check";
import { display, rowsOf } from "../../../cli/display.ts";

/** A terminal that wraps what it shows anew when its width changes, as they do, without end below. */
function terminal(columns: number) {
  /** As they were written, without what makes colours. */
  let lines = [""];
  const stream = {
    columns,
    rows: 24,
    write(text: string) {
      const [plain, ...commands] = text.split("\x1b[");
      append(plain!);
      for (const command of commands) {
        const [, number, letter, rest] = /^\??(\d*)([A-Za-z])\r?(.*)$/s.exec(command)!;
        if (letter === "A") goUp(Number(number));
        append(rest!);
      }
    },
  };
  const append = (text: string): void => {
    lines = (lines.join("\n") + text).split("\n");
  };
  const wrap = (line: string): string[] => line.match(new RegExp(`.{1,${stream.columns}}`, "gu")) ?? [""];

  /** From the row below the last, and clears what is there. */
  function goUp(rows: number): void {
    const all = lines.slice(0, -1).flatMap((line, number) => wrap(line).map((row) => ({ row, number })));
    const kept = all.slice(0, Math.max(0, all.length - rows));
    lines = [...Map.groupBy(kept, ({ number }) => number).values()].map((parts) =>
      parts.map(({ row }) => row).join(""),
    );
    lines.push("");
  }
  return {
    stream: stream as unknown as WriteStream,
    resize(to: number) {
      stream.columns = to;
    },
    lines: () => lines.slice(0, -1),
  };
}

test("a frame takes the place of the one before, and lines above it stay", () => {
  const { stream, lines } = terminal(40);
  const screen = display(stream, true);
  screen.show(["begun"], ["1 of 3", "s-0 trains"]);
  screen.show(["s-0 has 0.5"], ["2 of 3"]);
  assert.deepEqual(lines(), ["begun", "s-0 has 0.5", "2 of 3"]);
  screen.show(["s-1 has 0.6"]);
  assert.deepEqual(lines(), ["begun", "s-0 has 0.5", "s-1 has 0.6", "2 of 3"]);
  screen.end();
  assert.deepEqual(lines(), ["begun", "s-0 has 0.5", "s-1 has 0.6"]);
});

test("rows are counted without colours, and an empty line is one", () => {
  assert.equal(rowsOf([], 10), 0);
  assert.equal(rowsOf(["", "\x1b[1m0123456789\x1b[22m", "0123456789a", "█".repeat(21)], 10), 1 + 1 + 2 + 3);
});

test("law: of a frame that the terminal has wrapped anew nothing is left, and nothing above it is lost", () => {
  const line = fc.stringMatching(/^[a-z█ ]{0,60}$/);
  const moment = fc.record({
    columns: fc.integer({ min: 5, max: 80 }),
    above: fc.array(line, { maxLength: 2 }),
    frame: fc.array(line, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(moment, { minLength: 1, maxLength: 6 }), (moments) => {
      const { stream, resize, lines } = terminal(80);
      const screen = display(stream, true);
      const stayed: string[] = [];
      for (const { columns, above, frame } of moments) {
        resize(columns);
        screen.show(above, frame);
        stayed.push(...above);
        assert.deepEqual(lines(), [...stayed, ...frame]);
      }
    }),
  );
});
