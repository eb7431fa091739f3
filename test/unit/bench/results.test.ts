// What is trained for docs/results, and what its report makes of the runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { canonicalForm } from "@segnas/searchspace/canonical.ts";
import { random } from "@segnas/searchspace/random.ts";
import { parseTrial } from "@segnas/trainer/training/configuration.ts";
import { readSearch } from "../../../cli/manifest.ts";
import { architectureOf, DRAWN, isSame, LONG_EPOCHS, PLAN, type Run } from "../../bench/results/plan.ts";
import { chart, tables } from "../../bench/results/report.ts";
import { trialOf } from "../../bench/results/run.ts";

const settings = { classes: 11, aggregateChannels: 48, separableRepeats: 1 };
const file = fileURLToPath(new URL("../../../examples/camvid.yaml", import.meta.url));

test("the plan trains each thing once, and the drawn networks are twenty different ones", () => {
  for (const [i, one] of PLAN.entries())
    assert.equal(
      PLAN.findIndex((other) => isSame(other, one)),
      i,
    );
  const forms = DRAWN.map((name) => JSON.stringify(canonicalForm(architectureOf(name), settings)));
  assert.equal(new Set(forms).size, 20);
  for (const name of DRAWN) {
    const own = PLAN.filter(({ architecture, encoder }) => architecture === name && encoder === "Imported");
    assert.deepEqual(own.map(({ budget }) => budget).sort(), ["long", "short", "shortDecay9"]);
    const [long, ...shorts] = own.sort((a, b) => a.budget.localeCompare(b.budget));
    assert.deepEqual(
      shorts.map(({ seed }) => seed === long!.seed),
      [false, false],
    );
  }
});

test("trials are the example's, a long one with more epochs of stage 1; one alone averages as the example does", async () => {
  const search = await readSearch({ file, dataset: "/data" });
  const trial = (change: object) =>
    parseTrial(
      JSON.stringify(
        trialOf(search, {
          ...{ architecture: "arch0", encoder: "Imported", budget: "short", seed: 3, ...change },
        }),
      ),
    );
  const short = trial({});
  assert.deepEqual([short.seed, short.searchSeed, short.dataset.path], [3, search.spec.seed, "/data"]);
  assert.deepEqual(
    [short.training.stage0.epochs, short.training.stage1.epochs, short.training.crop],
    [2, 1, { height: 112, width: 112 }],
  );
  const { training } = short;
  assert.deepEqual(trial({ budget: "long" }).training, {
    ...training,
    stage1: { ...training.stage1, epochs: LONG_EPOCHS },
  });
  assert.equal(training.stage1.polyakDecay, 0.99);
  assert.deepEqual(trial({ budget: "shortDecay9" }).training, {
    ...training,
    stage1: { ...training.stage1, polyakDecay: Number(search.spec.training?.stage1?.polyakDecay) },
  });
  assert.deepEqual(trial({ encoder: "WarmUp" }).training, {
    ...training,
    encoder: { source: "WarmUp", warmUpEpochs: 5 },
  });
});

/** Runs of the plan whose rewards are a network's worth, growing with the epochs, and so much noise. */
function pretend(noise: number): Run[] {
  return PLAN.map((one) => {
    const worth = random(1, one.architecture).uniform() / 10;
    const slot = (stage: number, epoch: number) => {
      const wrong = noise * random(one.seed, one.architecture, stage, epoch).normal();
      const reward = 0.3 + worth + 0.02 * (stage * 2 + epoch) + wrong;
      return { stage, epoch, reward, meanIoU: reward / 2 };
    };
    const epochs = one.budget === "long" ? LONG_EPOCHS : 1;
    const slots = [slot(0, 2), ...Array.from({ length: epochs }, (_, i) => slot(1, i + 1))];
    return { ...one, slots, reward: slots.at(-1)!.reward, parameters: 2e5, macs: 1e8, seconds: 20 };
  });
}

test("without noise the short training ranks as the long one, seeds make no difference, and the best is found", () => {
  const text = tables(pretend(0));
  assert.match(text, /search's reward \| 1\.00 \| 1\.00 to 1\.00 \| 1\.00 \| 1\.00 to 1\.00 \|/);
  assert.match(text, /arch1 \| the end \| 5 \| [.\d]+ \| 0\.0000 \|/);
  assert.match(text, /number 1 of 20/);
  // Ranked by what is the same for all.
  assert.match(text, /parameters \| NaN/);
});

test("noise shows as spread and as a lower correlation", () => {
  const text = tables(pretend(0.1));
  assert.doesNotMatch(text, /search's reward \| 1\.00/);
  assert.doesNotMatch(text, /arch1 \| the end \| 5 \| [.\d]+ \| 0\.0000/);
});

test("of an interrupted plan the report shows what there is", () => {
  assert.equal(tables([]), "");
  const some = pretend(0.01).slice(0, 6);
  assert.match(tables(some), /arch0 \| stage 0 \| 3 \|/);
  assert.doesNotMatch(tables(some), /rank|NaN/);
  assert.match(chart(some), /^<svg/);
});

test("the plot has a point for each network in each panel", () => {
  assert.equal(chart(pretend(0.01)).match(/<circle/g)?.length, 40);
});
