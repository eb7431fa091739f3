// Whole trials through main.ts: what they leave, that they repeat to the bit, and what they share.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { openDataset, parseDataset } from "@segnas/trainer/data/dataset.ts";
import { readSafetensors } from "@segnas/trainer/model/safetensors.ts";
import type { TrialResult } from "@segnas/trainer/training/trial.ts";
import { decode } from "fast-png";
import { testFolder } from "../unit/trainer/folder.ts";
import { freePort, progressOf, run, start, type TrainerEnd, trialOf } from "./trainer-fixtures.ts";

const folder = testFolder();
const trial = trialOf();
const artifact = (name: string, ...path: string[]) => join(folder, name, "artifacts", ...path);
interface Times {
  seconds: number;
  stageSeconds: Record<string, number>;
}

/** What a result says beside its times, which alone may differ. */
const succeeded = (end: TrainerEnd): TrialResult => {
  assert.equal(end.code, 0, end.stderr);
  const { outcome, seconds, stageSeconds, ...rest } = end.result as unknown as TrialResult &
    Times & {
      outcome: string;
    };
  assert.equal(outcome, "Succeeded");
  assert.ok(seconds > 0 && stageSeconds.Setup! > 0);
  return rest;
};
const features = (cache: string) => readdirSync(cache).filter((name) => name.startsWith("features-"));

describe("one trial, four times", () => {
  const shared = join(folder, "first", "cache");
  let first: TrialResult;
  let times: Times;
  let made: { ino: number; mtimeMs: number };
  const cacheFile = () => {
    const files = features(shared);
    assert.equal(files.length, 1, `${files}`);
    const { ino, mtimeMs } = statSync(join(shared, files[0]!));
    return { ino, mtimeMs };
  };
  before(async () => {
    const end = await run(trial, join(folder, "first"));
    first = succeeded(end);
    times = end.result as unknown as Times;
    made = cacheFile();
  });

  it("gives a result with all that the contract says", () => {
    const network = expand(
      parseArchitecture("arch0"),
      { ...trial.space, classes: 6 },
      trial.training.crop as never,
    );
    const { reward, metrics, slots, parameters, macs, ...rest } = first;
    assert.deepEqual(rest, {});
    assert.equal(parameters, countParameters(network).total);
    assert.equal(macs, countMacs(network).total);
    const places = slots.map(({ stage, epoch }) => [stage, epoch]);
    assert.deepEqual(places, [
      [0, 1],
      [1, 1],
    ]);
    const last = slots.at(-1)!;
    assert.equal(reward, last.reward);
    const { meanIoU, meanAccuracy, frequencyWeightedIoU } = metrics;
    assert.equal(meanIoU, last.meanIoU);
    assert.equal(reward, Math.cbrt(meanIoU * meanAccuracy * frequencyWeightedIoU));
    assert.ok(reward > 0 && reward < 1);
  });

  // That no time is left out: test/unit/trainer/session.test.ts, with a clock of its own.
  it("tells how long each stage took, to a tenth of a second: no more together than the whole", () => {
    const { seconds, stageSeconds } = times;
    assert.deepEqual(Object.keys(stageSeconds).sort(), ["0", "1", "Features", "Setup", "Validation"]);
    const taken = Object.values(stageSeconds);
    for (const one of taken) assert.equal(one, Number(one.toFixed(1)));
    const all = taken.reduce((sum, one) => sum + one, 0);
    // Each may be rounded up by half a tenth.
    assert.ok(all <= seconds + 0.05 * taken.length + 1e-9, `${all} s of ${seconds} s`);
  });

  it("leaves a prediction of each held-out image, from which the reported mean IoU follows", async () => {
    const { heldOut } = await openDataset(parseDataset(trial.dataset), trial.searchSeed);
    assert.deepEqual(heldOut.names, ["shapes_16", "shapes_17", "shapes_18", "shapes_19"]);
    const predictions = readdirSync(artifact("first", "predictions")).sort();
    assert.deepEqual(
      predictions,
      heldOut.names.map((name) => `${name}.png`),
    );
    // For each class the pixels in both, and in either.
    const both = new Map<number, number>();
    const either = new Map<number, number>();
    const more = (counts: Map<number, number>, c: number) => counts.set(c, (counts.get(c) ?? 0) + 1);
    for (const [i, file] of predictions.entries()) {
      const { label, height, width } = await heldOut.read(i);
      const png = decode(readFileSync(artifact("first", "predictions", file)));
      assert.deepEqual([png.height, png.width, png.channels, png.depth], [height, width, 1, 8]);
      for (const [p, truth] of label.entries()) {
        const predicted = png.data[p]!;
        more(either, truth);
        if (predicted === truth) more(both, truth);
        else more(either, predicted);
      }
    }
    const all = [...either].map(([c, pixels]) => (both.get(c) ?? 0) / pixels);
    const wanted = all.reduce((sum, iou) => sum + iou, 0) / all.length;
    const { meanIoU } = first.metrics;
    assert.ok(Math.abs(meanIoU - wanted) < 1e-12, `reported ${meanIoU}, recomputed ${wanted}`);
  });

  it("leaves its curve, pictures and weights", async () => {
    const curve = readFileSync(artifact("first", "curve.jsonl"), "utf8").trim().split("\n");
    const points = curve.map((line) => JSON.parse(line));
    assert.deepEqual(
      points.map(({ stage, epoch, reward, meanIoU }) => ({ stage, epoch, reward, meanIoU })),
      first.slots,
    );
    for (const { loss, iou } of points) {
      assert.ok(loss > 0);
      assert.equal(iou.length, 6);
    }
    const pictures = readdirSync(artifact("first", "pictures"));
    for (const kind of ["image", "truth", "prediction"])
      assert.equal(pictures.filter((name) => name.endsWith(`-${kind}.png`)).length, 4);
    const classes = JSON.parse(readFileSync(artifact("first", "pictures", "classes.json"), "utf8"));
    assert.equal(new Set(classes.map(({ color }: { color: string }) => color)).size, 6);
    const { metadata, tensors } = await readSafetensors(artifact("first", "weights.safetensors"));
    assert.deepEqual(JSON.parse(metadata.architecture!), parseArchitecture("arch0"));
    assert.deepEqual(JSON.parse(metadata.settings!), { ...trial.space, classes: 6 });
    assert.equal(JSON.parse(metadata.classNames!).length, 6);
    const learned = [...tensors].filter(([name]) => !/\.(mean|variance)$/.test(name));
    assert.equal(
      learned.reduce((sum, [, { values }]) => sum + values.length, 0),
      first.parameters,
    );
  });

  const files = ["weights.safetensors", "curve.jsonl", join("predictions", "shapes_16.png")];
  const alike = (name: string) =>
    files.map((file) => readFileSync(artifact(name, file)).equals(readFileSync(artifact("first", file))));

  it("again on the same cache: the cache is only read, and all is the same to the byte", async () => {
    const end = await run(trial, join(folder, "second"), { env: { SEGNAS_CACHE: shared } });
    assert.deepEqual(succeeded(end), first);
    assert.deepEqual(alike("second"), [true, true, true]);
    assert.deepEqual(cacheFile(), made);
  });

  it("again without a cache: the same, to the byte", async () => {
    assert.deepEqual(succeeded(await run(trial, join(folder, "third"))), first);
    assert.deepEqual(alike("third"), [true, true, true]);
  });

  it("with another seed it differs, and shares the search's features", async () => {
    const other = { ...trial, seed: 2 };
    const end = await run(other, join(folder, "fourth"), { env: { SEGNAS_CACHE: shared } });
    assert.notEqual(succeeded(end).reward, first.reward);
    assert.deepEqual(cacheFile(), made);
  });

  it("asked to stop while another makes the cache, it stops soon with 75 and without a result", async () => {
    const waiting = join(folder, "waiting");
    const [file] = features(shared);
    const port = await freePort();
    // The other one's lock, as it stands in the folder.
    mkdirSync(join(waiting, "cache"), { recursive: true });
    writeFileSync(join(waiting, "cache", `${file}.lock`), "another 1");
    const { child, ended } = start(trial, waiting, { env: { SEGNAS_PORT: `${port}` } });
    await progressOf(port, ({ stage }) => stage === "Features");
    child.kill("SIGTERM");
    const { code, result } = await ended;
    assert.deepEqual([code, result], [75, undefined]);
    assert.deepEqual(features(join(waiting, "cache")), [`${file}.lock`]);
  });
});

describe("the stage gate", { concurrency: 2 }, () => {
  const gated = (threshold: string, place: object = { stage: 0, epoch: 1 }) =>
    trialOf({ stage1: { epochs: 2 } }, { gate: [{ ...place, threshold }] });
  const placesOf = (slots: TrialResult["slots"]) => slots.map(({ stage, epoch }) => `${stage}/${epoch}`);

  it("ends a trial at a validation whose reward is not above the threshold, with its result and files", async () => {
    const end = await run(gated("1"), join(folder, "gate-0"));
    const { reward, metrics, slots, stopped } = succeeded(end);
    assert.equal(stopped, true);
    assert.deepEqual(placesOf(slots), ["0/1"]);
    assert.deepEqual([reward, metrics.meanIoU], [slots[0]!.reward, slots[0]!.meanIoU]);
    const left = readdirSync(artifact("gate-0")).sort();
    assert.deepEqual(left, ["curve.jsonl", "pictures", "predictions", "weights.safetensors"]);
  });

  it("ends it between epochs of stage 1, and leaves the weights that were judged", async () => {
    const [stopped, short] = await Promise.all([
      run(gated("1", { stage: 1, epoch: 1 }), join(folder, "gate-1")),
      run(trial, join(folder, "gate-short")),
    ]);
    // As a trial of one epoch less, to the byte.
    assert.deepEqual(succeeded(stopped), { ...succeeded(short), stopped: true });
    const weights = ["gate-1", "gate-short"].map((name) =>
      readFileSync(artifact(name, "weights.safetensors")),
    );
    assert.ok(weights[0]!.equals(weights[1]!));
  });

  it("lets a better one go on, and is not asked at the schedule's end", async () => {
    const results = await Promise.all([
      run(gated("-1"), join(folder, "gate-2")),
      run(gated("1", { stage: 1, epoch: 2 }), join(folder, "gate-3")),
    ]);
    for (const end of results) {
      const result = succeeded(end);
      assert.deepEqual(placesOf(result.slots), ["0/1", "1/1", "1/2"]);
      assert.ok(!("stopped" in result));
    }
  });
});

/** How often a file of this name came to be in a folder, while `work` runs. */
async function arrivals(cache: string, name: RegExp, work: () => Promise<void>): Promise<number> {
  let count = 0;
  const watcher = watch(cache, (event, file) => {
    if (event === "rename" && file && name.test(file)) count++;
  });
  await work();
  watcher.close();
  return count;
}

describe("two trials at once on an empty cache", () => {
  it("make the features once between them, and both succeed", async () => {
    const cache = testFolder();
    const both = [trial, { ...trial, name: "t-1", seed: 2, architecture: "arch1" }];
    const made = await arrivals(cache, /^features-[0-9a-f]+\.bin$/, async () => {
      const ends = await Promise.all(
        both.map((one) => run(one, join(folder, `both-${one.name}`), { env: { SEGNAS_CACHE: cache } })),
      );
      ends.map(succeeded);
    });
    assert.equal(made, 1);
    assert.match(`${readdirSync(cache)}`, /^features-[0-9a-f]+\.bin$/);
  });

  it("make the warm-up once between them, and learn from the same encoder", async () => {
    const cache = testFolder();
    const warm = trialOf({ encoder: { source: "WarmUp", warmUpEpochs: 1 }, stage1: { epochs: 0 } });
    const made = await arrivals(cache, /^encoder-[0-9a-f]+\.safetensors$/, async () => {
      const ends = await Promise.all(
        ["warm-0", "warm-1"].map((name) => run(warm, join(folder, name), { env: { SEGNAS_CACHE: cache } })),
      );
      assert.deepEqual(succeeded(ends[0]!), succeeded(ends[1]!));
    });
    assert.equal(made, 1);
    assert.equal(readdirSync(cache).length, 2, `${readdirSync(cache)}`);
  });
});
