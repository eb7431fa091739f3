// Laws of augmentation: what it may change, what it must not, and that image and label stay one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Random, random } from "@segnas/searchspace/random.ts";
import { type Augmentation, augment, batch, centreCrop, resizeTo } from "@segnas/trainer/data/augment.ts";
import { IGNORED, type Pixels } from "@segnas/trainer/data/sample.ts";
import fc from "fast-check";

/** Every pixel differs from its neighbours, in colour and label. */
function distinct(height: number, width: number): Pixels {
  const image = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 89 + (i >> 7)) % 256);
  const label = Uint8Array.from({ length: height * width }, (_, i) => (i * 7 + (i >> 5)) % 11);
  return { image, label, height, width };
}

/** Blocks of one label each, every pixel in its label's colour. */
const COLOURS = [0, 1, 2, 3, 4, 5].map((label) => [30 + 40 * label, 255 - 50 * label, (label * 97) % 256]);
function blocks(height: number, width: number, size: number, seed: number): Pixels {
  const source = random(seed, "blocks");
  const across = Math.ceil(width / size);
  const of = Array.from({ length: across * Math.ceil(height / size) }, () => source.integer(COLOURS.length));
  const label = new Uint8Array(height * width);
  const image = new Uint8Array(height * width * 3);
  for (let i = 0; i < label.length; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    label[i] = of[Math.floor(y / size) * across + Math.floor(x / size)]!;
    image.set(COLOURS[label[i]!]!, i * 3);
  }
  return { image, label, height, width };
}

/** Draws that are laid down: `scale` and `flip` from 0 to 1, then the place in the room there is, down and across. */
function draws(scale: number, flip: number, down: number, across: number): Random {
  const [uniforms, integers] = [
    [scale, flip],
    [down, across],
  ];
  const unused = () => assert.fail("augment should not draw this");
  return {
    uniform: () => uniforms.shift()!,
    integer: () => integers.shift()!,
    normal: unused,
    shuffle: unused,
  };
}

function window(sample: Pixels, top: number, left: number, height: number, width: number): Pixels {
  const image: number[] = [];
  const label: number[] = [];
  for (let y = top; y < top + height; y++) {
    const at = y * sample.width + left;
    image.push(...sample.image.subarray(at * 3, (at + width) * 3));
    label.push(...sample.label.subarray(at, at + width));
  }
  return { image: Uint8Array.from(image), label: Uint8Array.from(label), height, width };
}

const same = (crop: Augmentation["crop"]): Augmentation => ({ crop, minScale: 1, maxScale: 1, flip: false });
const side = fc.integer({ min: 1, max: 24 });

test("at scale 1 without a flip it is a plain crop", () => {
  fc.assert(
    fc.property(side, side, fc.nat(), fc.nat(), fc.nat(), fc.nat(), (height, width, a, b, c, d) => {
      const sample = distinct(height, width);
      const crop = { height: 1 + (a % height), width: 1 + (b % width) };
      const [top, left] = [c % (height - crop.height + 1), d % (width - crop.width + 1)];
      assert.deepEqual(
        augment(sample, same(crop), draws(0.3, 0, top, left)),
        window(sample, top, left, crop.height, crop.width),
      );
    }),
  );
});

test("a flip mirrors the lower half of the draws, and two flips change nothing", () => {
  fc.assert(
    fc.property(side, side, (height, width) => {
      const sample = distinct(height, width);
      const flip = (of: Pixels) =>
        augment(of, { ...same({ height, width }), flip: true }, draws(0, 0.2, 0, 0));
      const once = flip(sample);
      assert.equal(once.label[0], sample.label[width - 1]);
      assert.deepEqual(once.image.subarray(0, 3), sample.image.subarray((width - 1) * 3, width * 3));
      assert.deepEqual(flip(once), sample);
      const crop = { height, width };
      assert.deepEqual(augment(sample, { ...same(crop), flip: true }, draws(0, 0.7, 0, 0)), sample);
      assert.deepEqual(augment(sample, { ...same(crop), flip: false }, draws(0, 0.2, 0, 0)), sample);
    }),
  );
});

test("it invents no label but void, and void only as padding", () => {
  fc.assert(
    fc.property(fc.nat(), side, side, (seed, height, width) => {
      const sample = distinct(17, 13);
      const crop = { height, width };
      const { label } = augment(sample, { crop, minScale: 0.3, maxScale: 3, flip: true }, random(seed));
      const known = new Set([...sample.label, IGNORED]);
      assert.ok(label.every((value) => known.has(value)));
      const covered = augment(
        sample,
        { crop: { height: 17, width: 13 }, minScale: 1, maxScale: 3, flip: true },
        random(seed),
      );
      assert.ok(!covered.label.includes(IGNORED));
    }),
  );
});

test("the same stream gives the same bytes, another stream others", () => {
  const sample = distinct(40, 50);
  const settings = { crop: { height: 20, width: 20 }, minScale: 0.5, maxScale: 2, flip: true };
  const make = (seed: number) => augment(sample, settings, random(seed, "view"));
  assert.deepEqual(make(3), make(3));
  assert.notDeepEqual(make(3).image, make(4).image);
});

test("image and label stay aligned at every scale, flip and place", () => {
  const crop = { height: 48, width: 56 };
  let checked = 0;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const sample = blocks(60, 50, 12, seed);
      const settings = { crop, minScale: 0.5, maxScale: 2, flip: true };
      const { image, label } = augment(sample, settings, random(seed));
      // Three pixels is beyond the filter's reach at a scale of 2.
      for (let y = 3; y < crop.height - 3; y++)
        for (let x = 3; x < crop.width - 3; x++) {
          const own = label[y * crop.width + x]!;
          if (own === IGNORED) continue;
          let inner = true;
          for (let dy = -3; dy <= 3; dy++)
            for (let dx = -3; dx <= 3; dx++) inner &&= label[(y + dy) * crop.width + x + dx] === own;
          if (!inner) continue;
          const at = (y * crop.width + x) * 3;
          assert.deepEqual([...image.subarray(at, at + 3)], COLOURS[own]);
          checked++;
        }
    }),
    { numRuns: 40 },
  );
  assert.ok(checked > 5000, `only ${checked} pixels were away from an edge`);
});

test("resampling is bilinear with half-pixel centres", () => {
  const width = 32;
  const image = Uint8Array.from({ length: width * width * 3 }, (_, i) => 8 * (Math.floor(i / 3) % width));
  const ramp = { image, label: new Uint8Array(width * width), height: width, width };
  for (const scale of [0.5, 1.5, 2]) {
    const size = width * scale;
    const settings = { crop: { height: size, width: size }, minScale: scale, maxScale: scale, flip: false };
    const { image: scaled } = augment(ramp, settings, draws(0, 0, 0, 0));
    for (let x = 2; x < size - 2; x++) {
      const expected = 8 * ((x + 0.5) / scale - 0.5);
      assert.ok(Math.abs(scaled[(4 * size + x) * 3]! - expected) <= 0.5, `scale ${scale}, column ${x}`);
    }
  }
});

test("scaling down averages instead of aliasing", () => {
  const size = 64;
  const image = Uint8Array.from({ length: size * size * 3 }, (_, i) =>
    Math.floor(i / 3) % 4 === 0 ? 240 : 0,
  );
  const stripes = { image, label: new Uint8Array(size * size), height: size, width: size };
  const settings = { crop: { height: 16, width: 16 }, minScale: 0.25, maxScale: 0.25, flip: false };
  const { image: grey } = augment(stripes, settings, draws(0, 0, 0, 0));
  // Away from the border, where the filter is cut off, all of a stripe and its three gaps come to one grey.
  for (let x = 1; x < 15; x++) assert.equal(grey[(5 * 16 + x) * 3], 60);
});

test("padding has the mean colour and the void label", () => {
  const image = Uint8Array.from([10, 20, 30, 30, 60, 90]);
  const sample = { image, label: Uint8Array.from([4, 5]), height: 1, width: 2 };
  // The room is -2 down and -1 across, and the second place of each leaves one pixel above and none at the left.
  const padded = augment(sample, same({ height: 3, width: 3 }), draws(0, 0, 1, 1));
  const [V, mean] = [IGNORED, [20, 40, 60]];
  assert.deepEqual([...padded.label], [V, V, V, 4, 5, V, V, V, V]);
  assert.deepEqual([...padded.image], [mean, mean, mean, [...image], mean, mean, mean, mean].flat());
});

test("a centre crop takes the middle and pads both sides", () => {
  const sample = distinct(9, 4);
  const crop = centreCrop(sample, { height: 5, width: 6 });
  assert.deepEqual(window(crop, 0, 1, 5, 4), window(sample, 2, 0, 5, 4));
  for (let y = 0; y < 5; y++) {
    assert.equal(crop.label[y * 6], IGNORED);
    assert.equal(crop.label[y * 6 + 5], IGNORED);
  }
});

test("a longer side is brought to its length, the shape kept; its own length changes nothing", () => {
  fc.assert(
    fc.property(side, side, side, (height, width, longer) => {
      const sample = distinct(height, width);
      assert.deepEqual(resizeTo(sample, Math.max(height, width)), sample);
      const found = resizeTo(sample, longer);
      assert.equal(Math.max(found.height, found.width), longer);
      const [tall, wide] = [
        (height * longer) / Math.max(height, width),
        (width * longer) / Math.max(height, width),
      ];
      assert.ok(
        Math.abs(found.height - Math.max(1, tall)) <= 0.5 && Math.abs(found.width - Math.max(1, wide)) <= 0.5,
      );
      assert.equal(found.label.length, found.height * found.width);
      assert.equal(found.image.length, 3 * found.label.length);
      const before = new Set(sample.label);
      assert.ok(
        found.label.every((label) => before.has(label)),
        "labels are never mixed",
      );
    }),
  );
  const half = resizeTo(blocks(12, 16, 2, 1), 8);
  assert.deepEqual(half.label, blocks(6, 8, 1, 1).label);
});

test("a batch stacks samples of one size and refuses others", () => {
  const [a, b] = [distinct(3, 4), blocks(3, 4, 2, 1)];
  const { image, label } = batch([a, b]);
  assert.deepEqual([...image], [...a.image, ...b.image]);
  assert.deepEqual([...label], [...a.label, ...b.label]);
  assert.throws(() => batch([a, distinct(4, 3)]), RangeError);
});
