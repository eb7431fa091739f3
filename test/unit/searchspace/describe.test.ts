// What `describe` and the drawings say of an architecture.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PUBLISHED, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { describe, describeText } from "@segnas/searchspace/describe.ts";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import fc from "fast-check";
import { architectures, settings, sizes } from "./spaces.ts";

const published = { classes: 19, aggregateChannels: 64, separableRepeats: 2 };
const camvid = { height: 360, width: 480 };

test("arch0 as published", () => {
  const description = describe(parseArchitecture("arch0"), published, camvid);
  assert.equal(description.parameters, 280_147);
  assert.equal(description.macs, 434_289_600 + 697_270_080);
  assert.deepEqual(description.genotype, PUBLISHED.arch0);
  assert.deepEqual(description.nodes[4], { channels: 64, height: 12, width: 15 });
  assert.deepEqual(description.logits, { channels: 19, height: 90, width: 120 });
  assert.deepEqual(JSON.parse(JSON.stringify(description)), description);
});

test("the text has a line for each node and says which the classifier sees", () => {
  const lines = describeText(describe(parseArchitecture("arch0"), published, camvid)).split("\n");
  assert.ok(lines.includes("parameters   280,147: encoder 56,576, decoder 223,571"));
  const marked = lines.filter((line) => /^\d \*/.test(line)).map((line) => line[0]);
  assert.deepEqual(marked, ["4", "6", "7", "8"]);
});

test("drawings are well-formed, and stand with their figures inside their frame", () => {
  fc.assert(
    fc.property(architectures, settings, sizes, fc.boolean(), (architecture, chosen, size, compact) => {
      const drawing = drawSvg(architecture, chosen, size, { compact });
      assert.doesNotMatch(drawing, /NaN|undefined|Infinity|\bid=|<style/);
      const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(drawing)!.map(Number) as [
        number,
        number,
        number,
      ];
      const ways = [...drawing.matchAll(/ (?:points|d)="([^"]*)"/g)].map(([, way]) => way).join(" ");
      for (const [, x, y] of ways.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)) {
        assert.ok(Number(x) >= 0 && Number(x) <= width && Number(y) >= 0 && Number(y) <= height, `${x},${y}`);
      }
      const opened = [...drawing.matchAll(/<(\w+)\b[^>]*(?<!\/)>/g)].map(([, name]) => name).sort();
      const closed = [...drawing.matchAll(/<\/(\w+)>/g)].map(([, name]) => name).sort();
      assert.deepEqual(opened, closed);
    }),
    { numRuns: 50 },
  );
});

test("the drawing writes each node's size where it leaves", () => {
  const architecture = parseArchitecture("arch1");
  const { nodes } = describe(architecture, published, camvid);
  const drawing = drawSvg(architecture, published, camvid);
  for (const [node, { channels, height, width }] of nodes.entries()) {
    assert.ok(drawing.includes(`>node ${node}: ${channels} × ${height} × ${width}<`));
  }
});
