// Trials at the edges of what may be asked for: each ends with a finite reward, or says why not.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { liveTensors } from "@segnas/trainer/tensorflow/runtime.ts";
import { parseTrial } from "@segnas/trainer/training/configuration.ts";
import { Session } from "@segnas/trainer/training/session.ts";
import { runTrial } from "@segnas/trainer/training/trial.ts";
import { testFolder } from "../unit/trainer/folder.ts";
import { type Picture, trialOf, writeDataset } from "./trainer-fixtures.ts";

const folder = testFolder();

/** Trains in this process; checks that the reward is sound, that nothing leaks and no half-made file is left. */
async function train(trial: object) {
  const before = liveTensors();
  const session = new Session("t", undefined);
  const cache = join(folder, "cache");
  const surroundings = { cache, artifacts: undefined, checkpointSeconds: 0 };
  const result = await runTrial(parseTrial(JSON.stringify(trial)), surroundings, session);
  assert.equal(liveTensors(), before, "every tensor is freed");
  const figures = [
    result.reward,
    ...Object.values(result.metrics),
    ...result.slots.map(({ reward }) => reward),
  ];
  for (const figure of figures) assert.ok(figure >= 0 && figure <= 1, `${figures}`);
  assert.equal(result.reward, result.slots.at(-1)!.reward);
  assert.deepEqual(
    readdirSync(cache).filter(
      (name) => !/^(features|encoder|frequencies)-[0-9a-f]{32}\.(bin|safetensors|json)$/.test(name),
    ),
    [],
  );
  return { ...result, session };
}
const places = ({ slots }: { slots: { stage: number; epoch: number }[] }) =>
  slots.map(({ stage, epoch }) => `${stage}.${epoch}`);
const folderOf = (name: string, pictures: Picture[], classes: number) => ({
  dataset: {
    format: "Folder",
    path: writeDataset(join(folder, name), pictures),
    classes,
    ignoreLabel: 255,
    heldOut: "0.2",
  },
});
const times = (n: number, picture: (i: number) => Picture) => Array.from({ length: n }, (_, i) => picture(i));
const halves = (y: number) => (y < 16 ? 0 : 1);

describe("data", () => {
  it("odd image sizes, of two classes", async () => {
    const pictures = times(10, () => ({ height: 33, width: 47, label: halves }));
    const trial = trialOf({ crop: { height: 33, width: 47 } }, folderOf("odd", pictures, 2));
    assert.deepEqual(places(await train(trial)), ["0.1", "1.1"]);
  });

  it("images of different sizes, smaller and larger than the crop", async () => {
    const pictures = times(10, (i) => ({ height: 20 + 9 * i, width: 90 - 7 * i, label: halves }));
    await train(trialOf({}, folderOf("sizes", pictures, 2)));
  });

  it("a crop larger than every image, and a larger one for validation", async () => {
    const pictures = times(10, () => ({ height: 12, width: 17, label: (y: number) => (y < 6 ? 0 : 1) }));
    const larger = { crop: { height: 64, width: 72 }, validationCrop: { height: 96, width: 64 } };
    await train(trialOf(larger, folderOf("small", pictures, 2)));
  });

  it("images of one pixel", async () => {
    const pictures = times(10, (i) => ({ height: 1, width: 1, label: () => i % 2 }));
    await train(trialOf({}, folderOf("pixel", pictures, 2)));
  });

  it("classes that never occur", async () => {
    const pictures = times(10, () => ({ height: 32, width: 40, label: halves }));
    await train(trialOf({}, folderOf("absent", pictures, 254)));
  });

  it("images that are all void, some of them", async () => {
    const pictures = times(10, (i) => ({ height: 32, width: 40, label: i % 2 ? halves : () => 255 }));
    await train(trialOf({}, folderOf("void", pictures, 2)));
  });

  it("images that are all void, all of them: the loss and the reward are 0", async () => {
    const pictures = times(10, () => ({ height: 32, width: 40, label: () => 255 }));
    const { reward, metrics, session } = await train(trialOf({}, folderOf("nothing", pictures, 2)));
    assert.equal(reward, 0);
    assert.deepEqual(metrics, { meanIoU: 0, meanAccuracy: 0, frequencyWeightedIoU: 0 });
    assert.equal(session.progress.loss, 0);
  });
});

describe("training", () => {
  it("stage 0 alone", async () => {
    assert.deepEqual(places(await train(trialOf({ stage1: { epochs: 0 } }))), ["0.1"]);
  });
  it("stage 1 alone, which needs no features", async () => {
    const result = await train(trialOf({ stage0: { epochs: 0 }, stage1: { epochs: 2 } }));
    assert.deepEqual(places(result), ["1.1", "1.2"]);
  });
  it("a stage without epochs may have a batch larger than the data set", async () => {
    await train(trialOf({ stage0: { epochs: 0, batchSize: 1000 } }));
  });
  it("batches of 3, two views, no statistics", async () => {
    const three = { batchSize: 3 };
    await train(trialOf({ stage0: { ...three, views: 2 }, stage1: three, statisticsBatches: 0 }));
  });
  it("a batch as large as the views, and the data set", async () => {
    await train(trialOf({ stage0: { views: 2, batchSize: 32 }, stage1: { batchSize: 16 } }));
  });
  it("the loss at full size", async () => {
    await train(trialOf({ loss: "FullSize" }));
  });
  it("each learning rate schedule", async () => {
    for (const schedule of [
      { type: "Polynomial", power: "2" },
      { type: "Step", stepEpochs: 1, gamma: "0" },
      { type: "OneCycle" },
    ])
      await train(trialOf({ stage0: { epochs: 2, schedule }, stage1: { epochs: 1, schedule } }));
  });
  it("class weights: balanced, given, and 0 for a class", async () => {
    const given = { type: "Given", weights: ["1", "2", "0.5", "0", "1e-3", "9"] };
    for (const classWeights of [{ type: "Balanced" }, given]) await train(trialOf({ classWeights }));
  });
  it("validation in tiles, of the middle too", async () => {
    const validationTile = { height: 32, width: 32 };
    await train(trialOf({ validationTile }));
    await train(trialOf({ validationTile, validationCrop: { height: 56, width: 40 } }));
  });
  it("images of another longer side, and averages that take the weights' place", async () => {
    await train(trialOf({ longerSide: 33, crop: { height: 32, width: 32 } }));
    const plain = await train(trialOf({ stage0: { epochs: 2 } }));
    const copied = await train(trialOf({ stage0: { epochs: 2 }, copyAverages: true }));
    assert.notEqual(copied.reward, plain.reward);
    const once = trialOf({ stage1: { epochs: 0 }, statisticsBatches: 0 });
    const last = { ...once, training: { ...once.training, copyAverages: true } };
    // What is validated after one epoch is the average either way.
    assert.equal((await train(last)).reward, (await train(once)).reward);
  });
  it("a validation crop", async () => {
    await train(trialOf({ validationCrop: { height: 32, width: 32 } }));
  });
  it("fewer images for stage 0 than there are", async () => {
    await train(trialOf({ maxTrainingImages: 5 }));
  });
  it("more statistics than a pass has batches", async () => {
    const { session } = await train(trialOf({ statisticsBatches: 9 }));
    assert.ok(session.progress.step <= session.progress.steps);
  });
  it("without augmentation, and with scales far apart", async () => {
    await train(trialOf({ augmentation: { minScale: "1", maxScale: "1", flip: false } }));
    await train(trialOf({ augmentation: { minScale: "0.01", maxScale: "8" } }));
  });
  it("the reward is mean IoU where asked for", async () => {
    const { reward, metrics } = await train(trialOf({}, { objective: { metric: "MeanIoU" } }));
    assert.equal(reward, metrics.meanIoU);
  });
});

describe("architectures", () => {
  const block = (inputs: number[], template: number, repeats: number, stride: number) => [
    ...inputs,
    template,
    repeats,
    stride,
  ];
  const seven = (make: (b: number) => number[]) => Array.from({ length: 7 }, (_, b) => make(b));
  const separable = [
    [0, 1, 0],
    [2, 4, 1],
    [5, 3, 0],
  ];

  for (const [what, genotype] of [
    ["all blocks on node 0", [separable, seven((b) => block([0, 0], b % 3, 0, 0))]],
    [
      "each block on the one before, four times, striding to one pixel",
      [separable, seven((b) => block([b + 1, b + 1], b % 3, 3, b < 3 ? 1 : 0))],
    ],
    [
      "only skips, summed",
      [
        [
          [5, 5, 0],
          [5, 5, 0],
          [5, 5, 0],
        ],
        seven((b) => block([b, b + 1], 0, 0, b < 3 ? 1 : 0)),
      ],
    ],
    [
      "only pools, joined",
      [
        [
          [2, 3, 1],
          [3, 2, 1],
          [2, 2, 1],
        ],
        seven((b) => block([0, 1], b % 3, 1, b < 3 ? 1 : 0)),
      ],
    ],
    [
      "only dilated convolutions",
      [
        [
          [4, 4, 1],
          [4, 4, 0],
          [4, 4, 1],
        ],
        seven((b) => block([0, b + 1], b % 3, 2, b < 3 ? 1 : 0)),
      ],
    ],
    ["arch1", "arch1"],
  ] as [string, unknown][])
    it(what, async () => {
      const few = { batchSize: 8 };
      await train(trialOf({ stage0: few, stage1: few, statisticsBatches: 1 }, { architecture: genotype }));
    });

  it("the published settings: 64 channels, two separable convolutions in a row", async () => {
    await train(trialOf({}, { space: { aggregateChannels: 64, separableRepeats: 2 } }));
  });
});
