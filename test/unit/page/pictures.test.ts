// The pictures that a trial left behind, as the page shows them.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readPictures } from "@segnas/operator/web/page/pictures.ts";

async function trialWith(context: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "segnas-test-"));
  context.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "pictures"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "pictures", name), text);
  return folder;
}

test("pictures and classes are read; half a picture is left out", async (context) => {
  const folder = await trialWith(context, {
    ...{ "0-image.png": "a", "0-truth.png": "b", "0-prediction.png": "c", "1-image.png": "d" },
    "classes.json": '[{"name":"sky","color":"#88aaff"},{"name":3}]',
  });
  const uri = (text: string) => `data:image/png;base64,${Buffer.from(text).toString("base64")}`;
  assert.deepEqual(await readPictures(folder), {
    pictures: [{ image: uri("a"), truth: uri("b"), prediction: uri("c") }],
    legend: [{ name: "sky", color: "#88aaff" }],
  });
});

test("there are no more than four, those of the first images", async (context) => {
  const files = [10, 2, 0, 7, 1].flatMap((n) =>
    ["image", "truth", "prediction"].map((what) => [`${n}-${what}.png`, `${n}`]),
  );
  const { pictures } = await readPictures(await trialWith(context, Object.fromEntries(files)));
  const numbers = pictures.map(({ image }) => Buffer.from(image.split(",")[1]!, "base64").toString());
  assert.deepEqual(numbers, ["0", "1", "2", "7"]);
});

test("a trial that left none says so", async (context) => {
  const none = { pictures: [], legend: [], none: "It has left no pictures." };
  assert.deepEqual(await readPictures(await trialWith(context, {})), none);
  assert.deepEqual(await readPictures("/nowhere"), none);
});
