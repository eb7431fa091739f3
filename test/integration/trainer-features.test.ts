// The feature cache: its key, what it holds, and that one trial makes it while others wait.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { augment } from "@segnas/trainer/data/augment.ts";
import { shapesSplit } from "@segnas/trainer/data/shapes.ts";
import { ENCODER_SLOTS, SCRATCH } from "@segnas/trainer/model/encoder.ts";
import { Model } from "@segnas/trainer/model/model.ts";
import { initialArrays, slotsOf } from "@segnas/trainer/model/parameters.ts";
import { liveTensors, read } from "@segnas/trainer/tensorflow/runtime.ts";
import { parseTraining } from "@segnas/trainer/training/configuration.ts";
import { featureKey, openFeatures } from "@segnas/trainer/training/features.ts";
import { imageTensor } from "@segnas/trainer/training/input.ts";
import type { FeatureSettings } from "@segnas/trainer/training/records.ts";
import { Interrupted, Session } from "@segnas/trainer/training/session.ts";
import { testFolder } from "../unit/trainer/folder.ts";

const crop = { height: 32, width: 40 };
const pictures = (seed: number) =>
  shapesSplit(
    { seed, classes: 6, height: 40, width: 48 },
    [0, 1, 2].map((index) => ({ name: `s${index}`, index })),
  );
const encoder = { ...SCRATCH, arrays: initialArrays(ENCODER_SLOTS, random(1)), source: "a test" };
const settings = (training: object = {}, change: Partial<FeatureSettings> = {}): FeatureSettings => ({
  split: pictures(1),
  images: 3,
  training: parseTraining({
    crop,
    ...training,
    stage0: { views: 2, ...(training as { stage0?: object }).stage0 },
  }),
  encoder,
  seed: 1,
  ...change,
});
const network = expand(
  parseArchitecture("arch0"),
  { classes: 6, aggregateChannels: 8, separableRepeats: 1 },
  crop,
);
const newModel = () => {
  const decoder = initialArrays(slotsOf(network, "decoder"), random(1));
  return Model.from(network, new Map([...encoder.arrays, ...decoder]), encoder.epsilon);
};
const newSession = () => {
  const session = new Session("t", undefined);
  session.enter("Features", 0, 0, 6);
  return session;
};

describe("the cache's key", () => {
  const different: [what: string, settings: FeatureSettings][] = [
    ["the crop", settings({ crop: { height: 40, width: 32 } })],
    ["the views", settings({ stage0: { views: 3 } })],
    ["the scales", settings({ augmentation: { minScale: "0.75" } })],
    ["the flips", settings({ augmentation: { flip: false } })],
    ["the number of images", settings({}, { images: 2 })],
    ["the search's seed", settings({}, { seed: 2 })],
    ["the files", settings({}, { split: pictures(2) })],
    [
      "the encoder's numbers",
      settings({}, { encoder: { ...encoder, arrays: initialArrays(ENCODER_SLOTS, random(2)) } }),
    ],
    ["the encoder's scaling", settings({}, { encoder: { ...encoder, mean: 0 } })],
  ];
  for (const [what, other] of different)
    it(`changes with ${what}`, async () => {
      assert.notEqual(await featureKey(other), await featureKey(settings()));
    });

  it("stays where features do not depend on what changes", async () => {
    const others = [
      settings({
        stage0: { epochs: 9, batchSize: 2, learningRate: "1" },
        stage1: { epochs: 1 },
        loss: "FullSize",
      }),
      settings({}, { encoder: { ...encoder, source: "elsewhere" } }),
    ];
    for (const other of others) assert.equal(await featureKey(other), await featureKey(settings()));
  });
});

describe("the cache", () => {
  it("holds the encoder's outputs and labels of each view, in any order of reading", async () => {
    const model = newModel();
    // What evaluations keep is there before tensors are counted.
    await (await openFeatures(testFolder(), settings(), model, network, newSession())).close();
    const live = liveTensors();
    const session = newSession();
    const cache = await openFeatures(testFolder(), settings(), model, network, session);
    assert.equal(session.progress.step, 6);
    assert.equal(liveTensors(), live, "every tensor is freed");
    assert.equal(cache.records, 6);
    const records = [5, 0, 5];
    const { features, label } = await cache.read(records);
    for (const [place, record] of records.entries()) {
      const sample = await pictures(1).read(Math.floor(record / 2));
      const { augmentation } = settings().training;
      const view = augment(sample, { crop, ...augmentation }, random(1, "view", record));
      const image = imageTensor(view, 1, encoder);
      const nodes = model.evaluate(network, new Map([[0, image]]), network.nodes.slice(0, 2));
      for (const [n, node] of nodes.entries()) {
        const size = read(node).length;
        assert.deepEqual(features[n]!.subarray(place * size, (place + 1) * size), read(node));
      }
      assert.deepEqual(
        label.subarray(place * view.label.length, (place + 1) * view.label.length),
        view.label,
      );
    }
    await cache.close();
  });

  it("is made once by those who ask at the same time", async () => {
    const folder = testFolder();
    const model = newModel();
    const sessions = [newSession(), newSession(), newSession()];
    const caches = await Promise.all(
      sessions.map((session) => openFeatures(folder, settings(), model, network, session)),
    );
    assert.deepEqual(sessions.map(({ progress }) => progress.step).sort(), [0, 0, 6]);
    const [first, ...others] = await Promise.all(caches.map((cache) => cache.read([3, 1])));
    for (const other of others) assert.deepEqual(other, first);
    await Promise.all(caches.map((cache) => cache.close()));
    assert.equal(readdirSync(folder).length, 1);
  });

  it("a maker that is interrupted leaves nothing, and the next one makes it", async () => {
    const folder = testFolder();
    const stopped = newSession();
    stopped.interrupt();
    await assert.rejects(openFeatures(folder, settings(), newModel(), network, stopped), Interrupted);
    assert.deepEqual(readdirSync(folder), []);
    await (await openFeatures(folder, settings(), newModel(), network, newSession())).close();
  });

  it("a dead maker's lock is taken over, and what it left half made goes", async () => {
    const folder = testFolder();
    const file = `features-${await featureKey(settings())}.bin`;
    writeFileSync(join(folder, `${file}.lock`), "a dead one 3");
    writeFileSync(join(folder, `${file}.another.partial`), "half");
    await (await openFeatures(folder, settings(), newModel(), network, newSession())).close();
    assert.deepEqual(readdirSync(folder), [file]);
  });
});

describe("a damaged cache is made again, with a warning", () => {
  /** A sound cache: its folder, its file, and all of its records. */
  async function sound() {
    const folder = testFolder();
    const cache = await openFeatures(folder, settings(), newModel(), network, newSession());
    const records = await cache.read([0, 1, 2, 3, 4, 5]);
    await cache.close();
    const file = join(folder, readdirSync(folder)[0]!);
    return { folder, file, bytes: readFileSync(file), records };
  }
  const noting = () => {
    const notes: string[] = [];
    const session = newSession();
    session.onNote = (level, sentence) => notes.push(`${level}: ${sentence}`);
    return { session, notes };
  };

  it("a file that was cut short, as a whole", async () => {
    const { folder, file, bytes } = await sound();
    truncateSync(file, 1000);
    const { session, notes } = noting();
    await (await openFeatures(folder, settings(), newModel(), network, session)).close();
    assert.match(
      notes.join(),
      /^warn: \S+features-\w+\.bin: is 1000 bytes where \d+ are expected, and is made again$/,
    );
    assert.ok(readFileSync(file).equals(bytes));
    assert.deepEqual(readdirSync(folder).length, 1);
  });

  it("a changed byte anywhere, in its record, whose place in the file is mended", async () => {
    const { folder, file, bytes, records } = await sound();
    const length = bytes.length / 6;
    // Features of both nodes, labels, and the checksum itself.
    for (const place of [5, length + length - 1400, 3 * length - 20, 4 * length - 1]) {
      const changed = Buffer.from(bytes);
      changed[place]! ^= 64;
      writeFileSync(file, changed);
      const { session, notes } = noting();
      const live = liveTensors();
      const model = newModel();
      const cache = await openFeatures(folder, settings(), model, network, session);
      for (let i = 0; i < 2; i++) assert.deepEqual(await cache.read([0, 1, 2, 3, 4, 5]), records);
      await cache.close();
      model.dispose();
      assert.equal(liveTensors(), live, "every tensor is freed");
      assert.equal(notes.length, 1);
      const record = Math.floor(place / length);
      assert.ok(notes[0]!.endsWith(`record ${record} is damaged; such records are computed again`), notes[0]);
      assert.ok(readFileSync(file).equals(bytes));
    }
  });

  it("all of it, in one warning", async () => {
    const { folder, file, bytes, records } = await sound();
    writeFileSync(file, Buffer.alloc(bytes.length));
    const { session, notes } = noting();
    const cache = await openFeatures(folder, settings(), newModel(), network, session);
    assert.deepEqual(await cache.read([0, 1, 2, 3, 4, 5]), records);
    await cache.close();
    assert.equal(notes.length, 1);
    assert.ok(readFileSync(file).equals(bytes));
  });

  it("and where the folder cannot be used, each record is computed as it is read", async () => {
    const { records } = await sound();
    const folder = join(testFolder(), "file");
    writeFileSync(folder, "no folder");
    const { session, notes } = noting();
    const cache = await openFeatures(folder, settings(), newModel(), network, session);
    assert.deepEqual(await cache.read([0, 1, 2, 3, 4, 5]), records);
    await cache.close();
    assert.match(
      notes.join(),
      /^warn: SEGNAS_CACHE: \S+ cannot be used \(EEXIST[^)]*\), so features are computed at each use/,
    );
  });
});
