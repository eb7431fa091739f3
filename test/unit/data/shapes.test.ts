// The drawn data set: the same from the same settings, every class in it, and labels that the picture bears out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DatasetSpec, openDataset } from "@segnas/trainer/data/dataset.ts";

const spec = (shapes: DatasetSpec["shapes"] = {}): DatasetSpec => ({ format: "Shapes", shapes });
const range = (n: number) => [...Array(n).keys()];

test("an image depends on the seed and its number, not on how many there are or who asks first", async () => {
  const few = await openDataset(spec({ images: 20 }), 5);
  const many = await openDataset(spec({ images: 200 }), 5);
  const other = await openDataset(spec({ images: 20 }), 6);
  const sample = await many.training.read(3);
  assert.deepEqual(await few.training.read(3), sample);
  assert.notDeepEqual((await other.training.read(3)).image, sample.image);
  assert.notDeepEqual((await many.training.read(4)).image, sample.image);
});

test("every class appears, background most and stars least", async () => {
  const { training, classes, classNames } = await openDataset(spec({ images: 60 }), 1);
  assert.equal(classNames.length, 6);
  const pixels = new Array<number>(classes).fill(0);
  for (const i of range(40)) for (const label of (await training.read(i)).label) pixels[label]!++;
  assert.equal(
    pixels.reduce((a, b) => a + b),
    40 * 96 * 128,
  );
  assert.equal(Math.max(...pixels), pixels[0]);
  assert.equal(Math.min(...pixels), pixels[5]);
  assert.ok(pixels[5]! > 0);
});

test("fewer classes and any size", async () => {
  const { training, classNames } = await openDataset(
    { ...spec({ images: 10, height: 33, width: 70 }), classes: 3 },
    1,
  );
  assert.deepEqual(classNames, ["background", "plain disc", "striped disc"]);
  for (const i of range(9)) {
    const { image, label } = await training.read(i);
    assert.equal(image.length, 33 * 70 * 3);
    assert.ok(label.every((value) => value < 3));
  }
});

test("colours change where labels do: more across an edge than within a figure", async () => {
  const { training } = await openDataset(spec(), 2);
  const step = { edge: [0, 0], inside: [0, 0] } as Record<"edge" | "inside", [sum: number, count: number]>;
  for (const i of range(20)) {
    const { image, label, height, width } = await training.read(i);
    for (let at = 0; at + 1 < height * width; at++) {
      if (at % width === width - 1) continue;
      const into = step[label[at] === label[at + 1] ? "inside" : "edge"];
      for (let c = 0; c < 3; c++) into[0] += Math.abs(image[at * 3 + c]! - image[at * 3 + 3 + c]!);
      into[1] += 3;
    }
  }
  const mean = ([sum, count]: [number, number]) => sum / count;
  assert.ok(mean(step.edge) > 2 * mean(step.inside), `${mean(step.edge)} against ${mean(step.inside)}`);
});

test("the hash tells settings and parts apart", async () => {
  const base = await openDataset(spec(), 1);
  const again = await openDataset(spec({ images: 200, height: 96, width: 128 }), 1);
  const hashes = [
    await base.training.hash(),
    await base.heldOut.hash(),
    await (await openDataset(spec(), 2)).training.hash(),
    await (await openDataset(spec({ height: 64 }), 1)).training.hash(),
    await (await openDataset(spec({ images: 100 }), 1)).training.hash(),
  ];
  assert.equal(await again.training.hash(), hashes[0]);
  assert.equal(new Set(hashes).size, hashes.length);
});
