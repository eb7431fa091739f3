// Tiles cover an image: each pixel counts once, in a tile that holds it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, stretches, tilesOf } from "@segnas/trainer/data/tiles.ts";
import fc from "fast-check";

const length = fc.integer({ min: 1, max: 60 });

test("each pixel of an axis counts once, in a tile that holds it; tiles lie within, and are as few as can be", () => {
  fc.assert(
    fc.property(length, length, (size, tile) => {
      const found = stretches(size, tile);
      assert.equal(found.length, Math.ceil(size / Math.min(size, tile)));
      let next = 0;
      for (const { from, length, countFrom, countTo } of found) {
        assert.equal(length, Math.min(size, tile));
        assert.ok(from >= 0 && from + length <= size);
        assert.equal(countFrom, next);
        assert.ok(countFrom >= from && countTo > countFrom && countTo <= from + length);
        next = countTo;
      }
      assert.equal(next, size);
    }),
  );
});

test("a pixel counts in the tile whose edge is further away", () => {
  const found = stretches(10, 6);
  assert.deepEqual(found, [
    { from: 0, length: 6, countFrom: 0, countTo: 5 },
    { from: 4, length: 6, countFrom: 5, countTo: 10 },
  ]);
});

test("a tile as large as the image, or larger, is the image", () => {
  fc.assert(
    fc.property(length, length, fc.nat(9), (height, width, more) => {
      const tiles = tilesOf({ height, width }, { height: height + more, width });
      assert.equal(tiles.length, 1);
      const image = Uint8Array.from({ length: height * width * 3 }, (_, i) => i % 251);
      const label = Uint8Array.from({ length: height * width }, (_, i) => i % 7);
      const { rows, columns } = tiles[0]!;
      assert.deepEqual(cut({ image, label, height, width }, rows, columns), { image, label, height, width });
    }),
  );
});

test("a tile's pixels are the image's", () => {
  const image = Uint8Array.from({ length: 5 * 7 * 3 }, (_, i) => i);
  const label = Uint8Array.from({ length: 5 * 7 }, (_, i) => i);
  const tiles = tilesOf({ height: 5, width: 7 }, { height: 3, width: 4 });
  assert.equal(tiles.length, 4);
  for (const { rows, columns } of tiles) {
    const part = cut({ image, label, height: 5, width: 7 }, rows, columns);
    for (let y = 0; y < 3; y++)
      for (let x = 0; x < 4; x++) {
        const at = (rows.from + y) * 7 + columns.from + x;
        assert.equal(part.label[y * 4 + x], at);
        assert.equal(part.image[(y * 4 + x) * 3 + 2], at * 3 + 2);
      }
  }
});
