// Which images are held out: all are on one side, films stay in runs, and the share is kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "@segnas/searchspace/errors.ts";
import { random } from "@segnas/searchspace/random.ts";
import { city } from "@segnas/trainer/data/cityscapes.ts";
import { film, holdOut } from "@segnas/trainer/data/heldout.ts";
import fc from "fast-check";

const named = (names: string[]) => names.map((name) => ({ name }));
const frames = (prefix: string, count: number, pad = 0) =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(3 * i).padStart(pad, "0")}`);

test("a film is the name without its last number", () => {
  assert.equal(film("0001TP_006690"), "0001TP_");
  assert.equal(film("aachen_000012_000019"), "aachen_000012_");
  assert.equal(film("0042"), "");
  assert.equal(film("kitchen7_left"), "kitchen");
  assert.equal(film("cat"), "cat");
});

test("both parts together are all images, the share is kept, and each film is cut at most once", () => {
  const films = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(films, fc.double({ min: 0.02, max: 0.98, noNaN: true }), fc.nat(), (lengths, share, seed) => {
      const names = lengths.flatMap((length, i) => frames(`film${"abcdefgh"[i]}_`, length));
      const wanted = Math.round(share * names.length);
      fc.pre(wanted > 0 && wanted < names.length);
      const images = named(names);
      const { training, heldOut } = holdOut(random(seed).shuffle(images), share);
      assert.equal(heldOut.length, wanted);
      assert.deepEqual(new Set([...training, ...heldOut]), new Set(images));
      assert.equal(training.length + heldOut.length, images.length);

      // In each film the frames of the training part come first: one run each, in the order of the numbers.
      const held = new Set(heldOut.map(({ name }) => name));
      for (const [i, length] of lengths.entries()) {
        const sides = frames(`film${"abcdefgh"[i]}_`, length).map((name) => held.has(name));
        assert.deepEqual(sides, [...sides].sort());
      }
    }),
  );
});

test("the order in which the files are listed does not matter", () => {
  const images = named([...frames("a_", 30), ...frames("b_", 25, 4)]);
  assert.deepEqual(holdOut(images, 0.2), holdOut(random(5).shuffle(images), 0.2));
});

test("numbers without leading zeros are in the order of their films", () => {
  const { heldOut } = holdOut(named(["f_8", "f_9", "f_10", "f_11"]), 0.25);
  assert.deepEqual(heldOut, named(["f_11"]));
});

test("CityScapes is cut by city, not by its one-image sequences", () => {
  const drive = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${name}_${String(i).padStart(6, "0")}_000019`);
  const { heldOut } = holdOut(named([...drive("bremen", 20), ...drive("aachen", 10)]), 0.2, city);
  assert.deepEqual(
    heldOut.map(({ name }) => name),
    [...drive("aachen", 10).slice(8), ...drive("bremen", 20).slice(16)],
  );
});

test("a side without an image is refused with a share that works", () => {
  const refused = (count: number, share: number) => {
    try {
      holdOut(named(frames("f_", count)), share);
    } catch (error) {
      assert.ok(error instanceof UserError);
      return error.message;
    }
    return assert.fail("it was accepted");
  };
  assert.match(
    refused(3, 0.1),
    /^dataset\.heldOut: 0\.1 of 3 .* holds out none; write .* "0\.34" to "0\.66"$/,
  );
  assert.match(refused(3, 0.9), /leaves none to train on/);
  assert.match(refused(1, 0.5), /one training image is too few/);
  for (const share of [0.34, 0.66])
    assert.equal(holdOut(named(frames("f_", 3)), share).heldOut.length, share * 3 > 1.5 ? 2 : 1);
});
