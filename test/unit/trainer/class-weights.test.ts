// Class weights: given, or balanced from labels that the trials of a search count once between them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Dataset } from "@segnas/trainer/data/dataset.ts";
import { parseTraining } from "@segnas/trainer/training/configuration.ts";
import { Interrupted, Session } from "@segnas/trainer/training/session.ts";
import { checkClassWeights, obtainClassWeights } from "@segnas/trainer/training/weights.ts";
import { testFolder } from "./folder.ts";

const LABELS = [
  [0, 0, 0, 1],
  [0, 0, 1, 255],
];
/** Frequencies 5/7 and 2/7, whose median is 1/2. */
const WEIGHTS = [7 / 10, 7 / 4];

/** Two images of four pixels; `reads` counts how often one is read. */
function dataset() {
  const counter = { reads: 0 };
  const split = {
    names: ["a", "b"],
    async read(index: number) {
      counter.reads++;
      const label = Uint8Array.from(LABELS[index]!);
      return { name: "", image: new Uint8Array(12), label, height: 2, width: 2 };
    },
    hash: async () => "two images",
  };
  const data: Dataset = { classes: 2, classNames: ["0", "1"], training: split, heldOut: split };
  return { data, counter };
}

function sharing(cache: string) {
  const notes: string[] = [];
  const session = new Session("t", undefined);
  session.onNote = (_, sentence) => notes.push(sentence);
  return { cache, session, notes };
}
const balanced = parseTraining({ classWeights: { type: "Balanced" } });
function near(found: readonly number[] | undefined): void {
  assert.equal(found?.length, 2);
  for (const [c, weight] of found!.entries()) assert.ok(Math.abs(weight - WEIGHTS[c]!) < 1e-12, `${found}`);
}

test("none, and given ones, need no look at the labels", async () => {
  const { data, counter } = dataset();
  const given = parseTraining({ classWeights: { type: "Given", weights: ["1", "0.5"] } });
  const place = sharing(testFolder());
  assert.equal(await obtainClassWeights(parseTraining({}), data, place), undefined);
  assert.deepEqual(await obtainClassWeights(given, data, place), [1, 0.5]);
  assert.equal(counter.reads, 0);
  assert.deepEqual(readdirSync(place.cache), []);
  checkClassWeights(given, data);
  assert.throws(() => checkClassWeights(given, { ...data, classes: 3 }), {
    name: "UserError",
    message: "training.classWeights.weights: has 2 for 3 classes, write one for each",
  });
});

test("balanced ones are counted once by all who share a folder", async () => {
  const { data, counter } = dataset();
  const cache = testFolder();
  const found = await Promise.all(
    Array.from({ length: 4 }, () => obtainClassWeights(balanced, data, sharing(cache))),
  );
  for (const weights of found) near(weights);
  near(await obtainClassWeights(balanced, data, sharing(cache)));
  assert.equal(counter.reads, 2);
  assert.match(`${readdirSync(cache)}`, /^frequencies-[0-9a-f]{32}\.json$/);
});

test("a damaged count is made again, with a warning", async () => {
  const { data } = dataset();
  const cache = testFolder();
  near(await obtainClassWeights(balanced, data, sharing(cache)));
  const file = join(cache, readdirSync(cache)[0]!);
  const text = readFileSync(file, "utf8");
  for (const changed of [text.replace("5", "6"), text.slice(0, 9), ""]) {
    writeFileSync(file, changed);
    const place = sharing(cache);
    near(await obtainClassWeights(balanced, data, place));
    assert.deepEqual(place.notes, [`${file}: is damaged, and is made again`]);
    assert.equal(readFileSync(file, "utf8"), text);
  }
});

test("where the folder cannot be used each counts for itself, and says so", async () => {
  const { data, counter } = dataset();
  const cache = join(testFolder(), "file");
  writeFileSync(cache, "");
  const place = sharing(cache);
  near(await obtainClassWeights(balanced, data, place));
  assert.equal(counter.reads, 2);
  assert.match(
    place.notes.join(),
    /^SEGNAS_CACHE: \S+ cannot be used \(EEXIST.*\), so each trial makes what they/,
  );
});

test("counting ends when the trial is asked to stop", async () => {
  const place = sharing(testFolder());
  place.session.interrupt();
  await assert.rejects(obtainClassWeights(balanced, dataset().data, place), Interrupted);
  assert.deepEqual(readdirSync(place.cache), []);
});
