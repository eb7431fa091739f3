// How the trainer ends: its exit codes, what it says then, its progress, and its other modes.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { PRESETS, parseTraining } from "@segnas/trainer/training/configuration.ts";
import { testFolder } from "../unit/trainer/folder.ts";
import {
  freePort,
  progressOf,
  run,
  start,
  type TrainerEnd,
  trialOf,
  until,
  writeDataset,
} from "./trainer-fixtures.ts";

const folder = testFolder();
let runs = 0;
const newRun = () => join(folder, `run-${runs++}`);

const picture = { height: 40, width: 40, label: (y: number) => (y < 20 ? 0 : 1) };
const pictures = Array.from({ length: 10 }, () => picture);
const dataset = (path: string) => ({ format: "Folder", path, classes: 2, heldOut: "0.2" });
const good = writeDataset(join(folder, "good"), pictures);
const outside = writeDataset(
  join(folder, "outside"),
  pictures.map((it) => ({ ...it, label: (y: number) => (y < 30 ? 0 : 7) })),
);
const damaged = writeDataset(join(folder, "damaged"), pictures);
writeFileSync(join(damaged, "train", "images", "film_002.png"), "not a picture");
const garbage = join(folder, "garbage.safetensors");
writeFileSync(garbage, "no weights");

describe("a wrong configuration: exit 64, one sentence, and the same in the result", {
  concurrency: 2,
}, () => {
  const wrong: [what: string, trial: unknown, sentence: RegExp, env?: Record<string, string | undefined>][] =
    [
      ["SEGNAS_TRIAL missing", "", /^SEGNAS_TRIAL: is not set/, { SEGNAS_TRIAL: undefined }],
      ["SEGNAS_TRIAL not JSON", "{", /^SEGNAS_TRIAL: is not JSON/],
      [
        "a bad architecture",
        trialOf({}, { architecture: "arch9" }),
        /^"arch9" is not a published architecture/,
      ],
      [
        "a bad port",
        trialOf(),
        /^SEGNAS_PORT: "http" is not allowed, write a whole number from 0 to 65535$/m,
        { SEGNAS_PORT: "http" },
      ],
      [
        "a log level that there is not",
        trialOf(),
        /^SEGNAS_LOG_LEVEL: "loud" is not known, write one of error, warn, info, debug$/m,
        { SEGNAS_LOG_LEVEL: "loud" },
      ],
      [
        "no such folder",
        trialOf({}, { dataset: dataset(join(folder, "none")) }),
        /^dataset\.path: there is no folder .*none; write/,
      ],
      [
        "a label outside the classes",
        trialOf({}, { dataset: dataset(outside) }),
        /film_00\d\.png: label 7 at row 30, column 0 is not one of the 2 classes \(0 to 1\); if 7 means void/,
      ],
      [
        "a damaged image",
        trialOf({}, { dataset: dataset(damaged) }),
        /film_002\.png: is not an image that can be read/,
      ],
      [
        "a batch larger than the data set",
        trialOf({ stage1: { batchSize: 9 } }, { dataset: dataset(good) }),
        /^training\.stage1\.batchSize: 9 is more than its 8 training samples, write at most 8$/m,
      ],
      [
        "a warm-up's batch larger than the data set",
        trialOf(
          { stage1: { epochs: 0, batchSize: 9 }, encoder: { source: "WarmUp" } },
          { dataset: dataset(good) },
        ),
        /^training\.stage1\.batchSize: 9 is more than its 8/,
      ],
      [
        "a weight too few",
        trialOf({ classWeights: { type: "Given", weights: ["1"] } }, { dataset: dataset(good) }),
        /^training\.classWeights\.weights: has 1 for 2 classes, write one for each$/m,
      ],
      [
        "no epoch at all",
        trialOf({ stage0: { epochs: 0 }, stage1: { epochs: 0 } }),
        /^training\.stage0\.epochs: 0 in both stages trains nothing/,
      ],
      [
        "a missing encoder file",
        trialOf({ encoder: { source: "File", path: join(folder, "none.safetensors") } }),
        /none\.safetensors: cannot be read \(ENOENT\)/,
      ],
      [
        "an encoder file that is none",
        trialOf({ encoder: { source: "File", path: garbage } }),
        /garbage\.safetensors: is not a safetensors file/,
      ],
      [
        "no imported encoder",
        trialOf(),
        /none: cannot be read .* \(training\.encoder\.source Imported needs it: run `npm run setup`/,
        { SEGNAS_ENCODER: join(folder, "none") },
      ],
      [
        "a warm-up that blows up",
        trialOf({ encoder: { source: "WarmUp", warmUpEpochs: 1 }, stage1: { decoderLearningRate: "1e30" } }),
        /^training\.encoder\.source: the loss of the warm-up became (NaN|-?Infinity), write/,
      ],
    ];
  for (const [what, trial, sentence, env = {}] of wrong)
    it(what, async () => {
      const end = await run(trial, newRun(), { env });
      assert.equal(end.code, 64, end.stderr);
      assert.match(end.stderr, sentence);
      assert.equal(end.stderr.trim().split("\n").length, 1, end.stderr);
      const { seconds, ...rest } = end.result!;
      assert.ok((seconds as number) > 0);
      assert.deepEqual(rest, {
        outcome: "Failed",
        cause: "InvalidConfiguration",
        message: end.stderr.trim(),
      });
    });
});

describe("an architecture that cannot be trained: exit 65 with its cause", { concurrency: 2 }, () => {
  const untrainable = (end: TrainerEnd, cause: string, message: RegExp) => {
    assert.equal(end.code, 65, end.stderr);
    assert.deepEqual([end.result?.outcome, end.result?.cause], ["Failed", cause]);
    assert.match(end.result!.message as string, message);
    assert.equal(end.stderr.trim(), end.result!.message);
  };

  it("a loss that is not finite", async () => {
    const trial = trialOf({ stage0: { epochs: 3, learningRate: "1e30" } });
    untrainable(
      await run(trial, newRun()),
      "NonFiniteLoss",
      /^the loss became (NaN|-?Infinity) in stage 0, epoch \d/,
    );
  });

  it("weights that the last step broke, with no loss after it to tell", async () => {
    const trial = trialOf({ stage0: { batchSize: 16, learningRate: "1e39" }, statisticsBatches: 0 });
    untrainable(
      await run(trial, newRun()),
      "NonFiniteLoss",
      /^the weights are not finite after stage 0, epoch 1$/,
    );
  });

  it("the time limit", async () => {
    const trial = trialOf({ stage0: { epochs: 100_000 }, timeLimitSeconds: 1 });
    untrainable(await run(trial, newRun()), "TimeLimit", /^not done 1 s after its first training step$/);
  });
});

describe("a trial that is stopped: exit 75, soon, and no result", () => {
  const endless = trialOf({ stage0: { epochs: 100_000 } });

  it("by SIGTERM, after it has told its progress", async () => {
    const port = await freePort();
    const place = newRun();
    const { child, ended } = start(endless, place, { env: { SEGNAS_PORT: String(port) } });
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    const progress = await progressOf(port, ({ stage, epoch }) => stage === 0 && epoch > 2);
    assert.deepEqual(Object.keys(progress), [
      ...["name", "stage", "epoch", "epochs", "step", "steps", "loss", "losses", "meanIoU"],
      ...["imagesPerSecond", "beats"],
    ]);
    assert.deepEqual([progress.name, progress.epochs, progress.steps], ["t-0", 100_000, 4]);
    assert.ok(progress.loss! > 0);
    assert.ok(progress.step <= 4);

    const response = await get("/metrics");
    assert.match(response.headers.get("content-type")!, /^text\/plain/);
    const metrics = await response.text();
    const value = (name: string) =>
      Number(new RegExp(`^segnas_trainer_${name} (\\S+)$`, "m").exec(metrics)?.[1]);
    assert.ok(value("steps_total") > 8);
    assert.equal(value("images_total"), 4 * value("steps_total"));
    assert.ok(value("step_seconds_total") > 0 && value("loss") > 0 && value("epoch") > 2);
    assert.doesNotMatch(metrics, /^segnas_trainer_mean_iou /m, "there was no validation");
    const stage = (name: string) => value(`stage_seconds_total\\{stage="${name}"\\}`);
    assert.ok(stage("0") >= value("step_seconds_total") && stage("Setup") > 0);
    assert.equal((await get("/other")).status, 404);

    child.kill("SIGTERM");
    const { code, result, stderr } = await ended;
    assert.deepEqual([code, result, stderr], [75, undefined, ""]);
  });

  it("by SIGTERM while it starts", async () => {
    const { child, ended } = start(endless, newRun());
    // TensorFlow is being loaded: nothing of the trial has begun.
    const maps = () => readFile(`/proc/${child.pid}/maps`, "utf8");
    await until(async () => /libtensorflow/.test(await maps()) || undefined);
    child.kill("SIGTERM");
    const { code, result } = await ended;
    assert.deepEqual([code, result], [75, undefined]);
  });

  it("by the end of whoever started it", async () => {
    const port = await freePort();
    const { child, ended } = start(endless, newRun(), { env: { SEGNAS_PORT: String(port) } });
    await progressOf(port, ({ stage }) => stage === 0);
    child.disconnect();
    const { code, result } = await ended;
    assert.deepEqual([code, result], [75, undefined]);
  });
});

describe("what is not the trial's fault", { concurrency: 2 }, () => {
  const short = trialOf({ stage1: { epochs: 0 }, statisticsBatches: 0 });

  it("a result that cannot be written is an error, never a success", async () => {
    for (const path of ["/dev/full", join(folder, "none", "result.json")]) {
      const end = await run(short, newRun(), { env: { SEGNAS_RESULT: path } });
      assert.equal(end.code, 1, end.stderr);
      assert.match(end.stderr, /ENOSPC|ENOENT/);
    }
  });

  it("a port that is taken: it trains without", async () => {
    const server = createServer().listen(0);
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const end = await run(short, newRun(), { env: { SEGNAS_PORT: String(port) } });
    server.close();
    assert.equal(end.code, 0, end.stderr);
    assert.equal(end.result?.outcome, "Succeeded");
  });
});

describe("the other modes", { concurrency: 2 }, () => {
  const quiet = (place: string) => {
    assert.deepEqual(readdirSync(place), [], "nothing is left behind");
  };

  it("--check says nothing where all is well, and leaves nothing", async () => {
    const place = newRun();
    const end = await run(trialOf({}, { dataset: dataset(good) }), place, { mode: ["--check"] });
    assert.deepEqual([end.code, end.stdout, end.stderr], [0, "", ""]);
    quiet(place);
  });

  it("--check decodes images in the middle of the data set too", async () => {
    const place = newRun();
    const end = await run(trialOf({}, { dataset: dataset(damaged) }), place, { mode: ["--check"] });
    assert.equal(end.code, 64);
    assert.match(end.stderr, /film_002\.png: is not an image that can be read/);
  });

  it("--check finds a label outside the classes, and writes no result", async () => {
    const place = newRun();
    const end = await run(trialOf({}, { dataset: dataset(outside) }), place, { mode: ["--check"] });
    assert.equal(end.code, 64);
    assert.match(end.stderr, /^\S+: label 7 at row 30, column 0 is not one of the 2 classes [^\n]+\n$/);
    quiet(place);
  });

  it("--measure prints what a trial will cost as one line of JSON", async () => {
    const place = newRun();
    const trial = trialOf();
    const end = await run(trial, place, { mode: ["--measure"] });
    assert.equal(end.code, 0, end.stderr);
    const { secondsPerTrial, secondsForFeatures, residentBytes, ...rest } = JSON.parse(end.stdout);
    for (const number of [secondsPerTrial, secondsForFeatures]) assert.ok(number > 0 && number < 600);
    assert.ok(residentBytes > 1e8 && residentBytes < 1e11);
    const training = parseTraining(trial.training);
    // What is not set is absent in JSON.
    const said = JSON.parse(JSON.stringify(training));
    assert.deepEqual(rest, { trainingImages: 16, heldOutImages: 4, encoder: "nsfwjs", training: said });
    assert.deepEqual(training.augmentation, PRESETS.paper.augmentation);
    quiet(place);
  });

  it("neither waits for a warm-up", async () => {
    const warm = trialOf({ encoder: { source: "WarmUp", warmUpEpochs: 10_000 } });
    for (const mode of ["--check", "--measure"]) {
      const place = newRun();
      const end = await run(warm, place, { mode: [mode] });
      assert.equal(end.code, 0, end.stderr);
      quiet(place);
      if (mode === "--check") continue;
      const { encoder, secondsForFeatures } = JSON.parse(end.stdout);
      assert.equal(encoder, "10000 epochs of warm-up");
      assert.ok(secondsForFeatures > 10, `${secondsForFeatures} s for 40,000 steps`);
    }
  });

  it("an unknown mode is refused", async () => {
    const end = await run(trialOf(), newRun(), { mode: ["--train"] });
    assert.equal(end.code, 64);
    assert.equal(end.stderr, "--train: is not known, write --check, --measure, --latency or nothing\n");
  });
});
