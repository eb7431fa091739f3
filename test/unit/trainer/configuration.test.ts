// SEGNAS_TRIAL: what the preset fills in, and the sentence for each wrong input.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UserError } from "@segnas/searchspace/errors.ts";
import { PRESETS, parseTraining, parseTrial } from "@segnas/trainer/training/configuration.ts";

const trial = { name: "t-0", seed: 1, architecture: "arch0", dataset: { format: "Shapes" } };
const parse = (value: object) => parseTrial(JSON.stringify(value));

test("what is not written is the preset's", () => {
  const parsed = parse(trial);
  assert.deepEqual(parsed.training, PRESETS.paper);
  assert.deepEqual(parsed.space, { aggregateChannels: 48, separableRepeats: 1 });
  assert.equal(parsed.metric, "GeometricMean");
  assert.equal(parsed.searchSeed, 1, "alone, a trial is its own search");
  assert.equal(parse({ ...trial, searchSeed: 9 }).searchSeed, 9);
});

test("the preset holds the paper's figures", () => {
  const { stage0, stage1, crop, maxTrainingImages, statisticsBatches } = PRESETS.paper;
  assert.deepEqual(crop, { height: 321, width: 321 });
  assert.equal(maxTrainingImages, 1000);
  assert.equal(statisticsBatches, 50);
  assert.deepEqual(
    [stage0.epochs, stage0.batchSize, stage0.learningRate, stage0.polyakDecay, stage0.gradientClip],
    [5, 32, 7e-3, 0.9, 3],
  );
  assert.deepEqual(
    [stage1.epochs, stage1.encoderLearningRate, stage1.decoderLearningRate, stage1.weightDecay],
    [5, 5e-4, 2e-3, 1e-5],
  );
  assert.equal(stage1.polyakDecay, 0.99);
});

test("the presets for less memory and less time change batches, crop and epochs, and nothing else of the paper's", () => {
  const { paper, gpu8GB, cpu } = PRESETS;
  assert.deepEqual(parseTraining({ preset: "gpu8GB" }), gpu8GB);
  assert.deepEqual(parseTraining({ preset: "cpu" }), cpu);
  const batches = { stage0: { batchSize: 32 }, stage1: { batchSize: 16 } };
  const over = (preset: typeof paper, change: typeof batches) => ({
    ...preset,
    stage0: { ...preset.stage0, ...change.stage0 },
    stage1: { ...preset.stage1, ...change.stage1 },
  });
  assert.deepEqual(over(gpu8GB, batches), paper);
  const { crop, maxTrainingImages, statisticsBatches } = paper;
  const like = over(cpu, { stage0: batches.stage0, stage1: { ...batches.stage1, epochs: 5 } as never });
  assert.deepEqual({ ...like, crop, maxTrainingImages, statisticsBatches }, paper);
  for (const preset of [gpu8GB, cpu]) {
    assert.ok(preset.stage0.batchSize < 32 && preset.stage1.batchSize < 16);
    assert.ok(preset.crop.height <= 321 && preset.stage1.epochs <= 5);
  }
});

test("schedules, tiles, class weights, and what else the paper's preset leaves out", () => {
  const { paper } = PRESETS;
  assert.deepEqual(
    parseTraining({
      longerSide: 1024,
      copyAverages: true,
      validationTile: { height: 256, width: 512 },
      stage0: { schedule: { type: "Polynomial" } },
      stage1: { schedule: { type: "Step", stepEpochs: 2, gamma: "0.5" } },
      classWeights: { type: "Given", weights: ["1", "0", "2.5e-1"] },
    }),
    {
      ...paper,
      longerSide: 1024,
      copyAverages: true,
      validationTile: { height: 256, width: 512 },
      stage0: { ...paper.stage0, schedule: { type: "Polynomial", power: 0.9 } },
      stage1: { ...paper.stage1, schedule: { type: "Step", stepEpochs: 2, gamma: 0.5 } },
      classWeights: { type: "Given", weights: [1, 0, 0.25] },
    },
  );
  for (const type of ["None", "Balanced"])
    assert.deepEqual(parseTraining({ classWeights: { type } }).classWeights, { type });
});

test("one field changes only itself; reals are decimal strings", () => {
  const training = parseTraining({
    stage0: { learningRate: "0.01" },
    augmentation: { flip: false, maxScale: "1.5" },
    validationCrop: { height: 512, width: 1024 },
    encoder: { source: "WarmUp", warmUpEpochs: 3 },
    timeLimitSeconds: 60,
  });
  const paper = PRESETS.paper;
  assert.deepEqual(training, {
    ...paper,
    stage0: { ...paper.stage0, learningRate: 0.01 },
    augmentation: { ...paper.augmentation, flip: false, maxScale: 1.5 },
    validationCrop: { height: 512, width: 1024 },
    encoder: { source: "WarmUp", warmUpEpochs: 3 },
    timeLimitSeconds: 60,
  });
  assert.deepEqual(PRESETS.paper.stage0.learningRate, 7e-3, "the preset itself stays");
});

describe("a wrong input is refused in one sentence", () => {
  const training = (value: object) => ({ ...trial, training: value });
  const wrong: [what: string, value: object, sentence: string][] = [
    ["an unknown field", { ...trial, sede: 1 }, 'trial: unknown field "sede", write only name, seed,'],
    ["no name", { ...trial, name: "" }, 'name: "" is no name, write a text'],
    ["no seed", { name: "t", architecture: "arch0", dataset: {} }, "trial.seed: is missing, write it"],
    ["a negative seed", { ...trial, seed: -1 }, "seed: -1 is not allowed, write a whole number from 0 to"],
    [
      "an unknown architecture",
      { ...trial, architecture: "arch7" },
      '"arch7" is not a published architecture',
    ],
    [
      "a space out of range",
      { ...trial, space: { separableRepeats: 5 } },
      "space.separableRepeats: 5 is not",
    ],
    [
      "an unknown metric",
      { ...trial, objective: { metric: "mIoU" } },
      'objective.metric: "mIoU" is not known',
    ],
    ["an unknown format", { ...trial, dataset: { format: "VOC" } }, 'dataset.format: "VOC" is not known'],
    ["training as a list", { ...trial, training: [] }, "training: [] is not an object"],
    ["an unknown training field", training({ crops: 1 }), 'training: unknown field "crops"'],
    [
      "an unknown preset",
      training({ preset: "best" }),
      'training.preset: "best" is not known, write one of paper',
    ],
    [
      "a crop of 16",
      training({ crop: { height: 16, width: 64 } }),
      "training.crop.height: 16 is not allowed",
    ],
    ["a crop without width", training({ crop: { height: 64 } }), "training.crop.width: is missing"],
    [
      "a batch of 1",
      training({ stage1: { batchSize: 1 } }),
      "training.stage1.batchSize: 1 gives global pooling's",
    ],
    ["a batch of 0", training({ stage0: { batchSize: 0 } }), "training.stage0.batchSize: 0 is not allowed"],
    ["half an epoch", training({ stage0: { epochs: 0.5 } }), "training.stage0.epochs: 0.5 is not allowed"],
    ["no view", training({ stage0: { views: 0 } }), "training.stage0.views: 0 is not allowed"],
    ["another stage's field", training({ stage1: { views: 2 } }), 'training.stage1: unknown field "views"'],
    [
      "a real as a number",
      training({ stage0: { learningRate: 0.01 } }),
      'training.stage0.learningRate: 0.01 is not allowed, write a decimal string of 0 or more, like "0.01"',
    ],
    [
      "a negative real",
      training({ stage0: { weightDecay: "-1" } }),
      'training.stage0.weightDecay: "-1" is not',
    ],
    ["an endless real", training({ stage0: { weightDecay: "1e999" } }), "training.stage0.weightDecay: "],
    ["an empty real", training({ stage0: { weightDecay: "" } }), 'training.stage0.weightDecay: "" is not'],
    [
      "an average that runs away",
      training({ stage0: { polyakDecay: "1" } }),
      "training.stage0.polyakDecay: 1 is not allowed, write a decimal string below 1",
    ],
    [
      "scales the wrong way round",
      training({ augmentation: { minScale: "2", maxScale: "1" } }),
      "training.augmentation.minScale: 2 to 1 is no range of scales",
    ],
    ["a scale of 0", training({ augmentation: { minScale: "0" } }), "training.augmentation.minScale: 0 to 2"],
    [
      "flip as a text",
      training({ augmentation: { flip: "false" } }),
      'training.augmentation.flip: "false" is not allowed, write true or false',
    ],
    ["a file without path", training({ encoder: { source: "File" } }), "training.encoder.path: is missing"],
    [
      "an unknown source",
      training({ encoder: { source: "Web" } }),
      'training.encoder.source: "Web" is not known',
    ],
    [
      "no epoch of warm-up",
      training({ encoder: { source: "WarmUp", warmUpEpochs: 0 } }),
      "training.encoder.warmUpEpochs: 0 is not allowed",
    ],
    ["an unknown loss", training({ loss: "Dice" }), 'training.loss: "Dice" is not known'],
    [
      "a schedule that is none",
      training({ stage1: { schedule: { type: "Cosine" } } }),
      'training.stage1.schedule.type: "Cosine" is not known, write one of Constant',
    ],
    [
      "a schedule as text",
      training({ stage0: { schedule: "poly" } }),
      'training.stage0.schedule: "poly" is not',
    ],
    [
      "a tile of 8",
      training({ validationTile: { height: 8, width: 64 } }),
      "training.validationTile.height: 8 is",
    ],
    ["weights as a list", training({ classWeights: ["1"] }), 'training.classWeights: ["1"] is not an object'],
    [
      "weights for nothing",
      training({ classWeights: { type: "Balanced", weights: ["1"] } }),
      "training.classWeights.weights: is for type Given only, leave it out",
    ],
    [
      "no weights",
      training({ classWeights: { type: "Given" } }),
      "training.classWeights.weights: undefined is not a list, write a weight for each class",
    ],
    [
      "a weight as a number",
      training({ classWeights: { type: "Given", weights: ["1", 2] } }),
      "training.classWeights.weights[1]: 2 is not allowed, write a decimal string",
    ],
    [
      "weights of 0",
      training({ classWeights: { type: "Given", weights: ["0", "0"] } }),
      "training.classWeights.weights: are all 0, write one above 0",
    ],
    [
      "a side of 8",
      training({ longerSide: 8 }),
      "training.longerSide: 8 is not allowed, write a whole number",
    ],
    [
      "copies as a text",
      training({ copyAverages: "yes" }),
      'training.copyAverages: "yes" is not allowed, write true',
    ],
    ["no time at all", training({ timeLimitSeconds: 0 }), "training.timeLimitSeconds: 0 is not allowed"],
    ["half a batch", training({ statisticsBatches: 1.5 }), "training.statisticsBatches: 1.5 is not allowed"],
    ["no image", training({ maxTrainingImages: 0 }), "training.maxTrainingImages: 0 is not allowed"],
  ];
  for (const [what, value, sentence] of wrong)
    test(what, () => {
      assert.throws(
        () => parse(value),
        (error) => {
          assert.ok(error instanceof UserError, `${error}`);
          assert.ok(error.message.startsWith(sentence), error.message);
          assert.ok(!error.message.includes("\n"));
          return true;
        },
      );
    });

  for (const [what, text, sentence] of [
    ["nothing", undefined, /^SEGNAS_TRIAL: is not set/],
    ["an empty text", "", /^SEGNAS_TRIAL: is not set/],
    ["no JSON", "{name", /^SEGNAS_TRIAL: is not JSON \(/],
    ["null", "null", /^trial: null is not an object/],
  ] as const)
    test(what, () => {
      assert.throws(() => parseTrial(text), { name: "UserError", message: sentence });
    });
});
