import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf, totalSeconds, warningsOf } from "../../../cli/estimate.ts";
import { planText } from "../../../cli/plan.ts";
import { admit } from "../../../operator/api/validate.ts";

const search = (spec: object) =>
  admit("ArchitectureSearch", {
    apiVersion: "segnas.dev/v1alpha1",
    kind: "ArchitectureSearch",
    metadata: { name: "small" },
    spec: { maxTrials: 25, dataset: { format: "Shapes" }, ...spec },
  });
const limits = (limits: object) => ({
  trialTemplate: { spec: { containers: [{ name: "trainer", resources: { limits } }] } },
});

test("the plan counts updates and samples the space, the same for the same seed", () => {
  const { plan } = planOf(search({}));
  assert.equal(plan.policyUpdates, 2);
  assert.equal(plan.space.encodings, "173939110768450260172800");
  const { smallest, tenth, median, ninetieth, largest } = plan.space.parameters;
  assert.ok(smallest < tenth && tenth < median && median < ninetieth && ninetieth < largest);
  assert.deepEqual(planOf(search({})).plan, plan);
});

test("the whole time is the features' and the rounds of trials", () => {
  const { plan } = planOf(search({ parallelism: 4 }));
  const measured = [
    { secondsPerTrial: 10, secondsForFeatures: 5 },
    { secondsPerTrial: 30, secondsForFeatures: 4 },
  ];
  assert.equal(totalSeconds(plan, measured), 5 + 7 * 20);
  assert.equal(totalSeconds(plan, [{}]), undefined);
});

test("warnings name what is too small", () => {
  const warn = (spec: object, measured = [{ secondsPerTrial: 100, residentBytes: 2 ** 31 }]) => {
    const object = search(spec);
    return warningsOf(object, planOf(object).plan, measured, 4);
  };
  assert.deepEqual(warn(limits({ memory: "3Gi", cpu: 2 })), []);
  assert.match(
    warn(limits({ memory: "1Gi" }))[0]!,
    /^a trial used 2\.0 GiB, more than the trainer's memory limit of 1\.0 GiB/,
  );
  assert.match(
    warn({ parallelism: 5 })[0]!,
    /5 trials of 1 cpu at a time need more than this machine's 4 cores/,
  );
  assert.match(
    warn({ training: { timeLimitSeconds: 60 } })[0]!,
    /1 min 40 s, more than training\.timeLimitSeconds \(1 min\)/,
  );
  assert.match(
    warn({ maxTrials: 9 })[0]!,
    /^the policy never learns: 9 trials will not fill a batch of 10 \(policy\.batchSize\)/,
  );
});

test("the text leaves out what was not measured", () => {
  const object = search({});
  const { plan } = planOf(object);
  const bare = planText(object, plan, { measured: [], seconds: undefined, warnings: [] });
  assert.doesNotMatch(bare, /undefined|NaN|Median trial|Whole search/);
  const measured = [
    {
      trainingImages: 180,
      heldOutImages: 20,
      secondsPerTrial: 61,
      residentBytes: 2 ** 30,
      training: { stage0: { epochs: 5 } },
    },
  ];
  const full = planText(object, plan, { measured, seconds: 3600, warnings: ["mind this"] });
  assert.match(full, /Images +180 to train on, 20 held out\n/);
  assert.match(full, /Median trial +about 1 min 1 s, 1\.0 GiB\n/);
  assert.match(full, /Training +stage0 epochs 5\n/);
  assert.match(full, /Whole search +about 1 h\n\nWarning: mind this$/);
  assert.doesNotMatch(full, /undefined|NaN/);
});
