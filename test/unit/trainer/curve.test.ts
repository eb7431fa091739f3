// The curve of an earlier attempt, as far as a checkpoint may count on it.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Artifacts, type CurvePoint, Unwritable } from "@segnas/trainer/training/artifacts.ts";

async function newFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "segnas-curve-"));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

const point = (stage: 0 | 1, epoch: number): CurvePoint => ({
  ...{ stage, epoch, reward: 0.5, meanIoU: 0.25, loss: 1.5, iou: [0.5, null] },
});

test("points are read back as they were added, and kept as far as they are asked for", async (context) => {
  const folder = await newFolder(context);
  const artifacts = new Artifacts(folder, []);
  assert.deepEqual(await artifacts.curve(), []);
  const points = [point(0, 5), point(1, 1), point(1, 2)];
  await artifacts.begin([]);
  for (const each of points) await artifacts.addPoint(each);
  assert.deepEqual(await artifacts.curve(), points);
  await artifacts.begin(points.slice(0, 2));
  assert.deepEqual(await artifacts.curve(), points.slice(0, 2));
  await artifacts.begin([]);
  await assert.rejects(readFile(join(folder, "curve.jsonl")), { code: "ENOENT" });
  assert.deepEqual(await new Artifacts(undefined, []).curve(), []);
});

test("it ends before a line that is not whole, and has each validation once, whoever else has added it", async (context) => {
  const folder = await newFolder(context);
  const lines = (...texts: string[]) => writeFile(join(folder, "curve.jsonl"), texts.join("\n"));
  const artifacts = new Artifacts(folder, []);
  const [first, second, third] = [point(0, 5), point(1, 1), point(1, 2)];
  const texts = [first, second, third].map((each) => JSON.stringify(each)) as [string, string, string];
  await lines(texts[0], texts[1].slice(0, 20));
  assert.deepEqual(await artifacts.curve(), [first]);
  await lines(texts[0], "null", texts[1], "");
  assert.deepEqual(await artifacts.curve(), [first]);
  await lines(texts[0], texts[1], texts[1], texts[0], texts[2], "");
  assert.deepEqual(await artifacts.curve(), [first, second, third]);
});

test("what cannot be read for now is no curve without points", async (context) => {
  const folder = await newFolder(context);
  await mkdir(join(folder, "curve.jsonl"));
  await assert.rejects(new Artifacts(folder, []).curve(), Unwritable);
});
