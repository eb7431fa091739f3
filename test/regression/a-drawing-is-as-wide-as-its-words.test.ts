// The rule for blocks that are applied again was one line below the drawing of an architecture, longer than the drawing is
// wide: its last word was cut off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import fc from "fast-check";
import { architectures, settings, sizes } from "../unit/searchspace/spaces.ts";

/** What a letter takes of its font's size, in a wide font and on average. */
const LETTER = 0.6;
/** How much of a text lies to the left of where it is anchored. */
const BEFORE: Record<string, number> = { start: 0, middle: 0.5, end: 1 };

test("no text of a drawing reaches beyond its frame", () => {
  fc.assert(
    fc.property(architectures, settings, sizes, fc.boolean(), (architecture, chosen, size, compact) => {
      const drawing = drawSvg(architecture, chosen, size, { compact });
      const width = Number(/viewBox="0 0 (\d+)/.exec(drawing)![1]);
      const texts = drawing.matchAll(
        /<text x="([\d.]+)" .*?font-size="(\d+)" .*?text-anchor="(\w+)".*?>(.*?)</g,
      );
      for (const [, x, font, anchor, words] of texts) {
        const length = words!.replace(/&\w+;/g, "x").length * Number(font) * LETTER;
        const start = Number(x) - BEFORE[anchor!]! * length;
        assert.ok(
          start >= 0 && start + length <= width,
          `${start} to ${start + length} of ${width}: ${words}`,
        );
      }
    }),
    { numRuns: 200 },
  );
});
