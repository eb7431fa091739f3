// What spec.policy means, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PolicySpec, resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { UserError } from "@segnas/searchspace/errors.ts";

test("the published preset is the paper's", () => {
  assert.deepEqual(resolvePolicy({ name: "ppo", preset: "published" }), {
    name: "ppo",
    batchSize: 1,
    epochs: 1,
    learningRate: 1e-4,
    clip: 0.1,
    gradientClip: 2,
    entropyCoefficient: 0,
    baselineDecay: 0.95,
    feedDecisions: false,
    scaleAdvantages: false,
    ring: 100,
  });
});

test("fields override the preset's, decimal strings become numbers", () => {
  const spec: PolicySpec = {
    name: "ppo",
    clip: "0.3",
    learningRate: "5e-3",
    batchSize: 4,
    feedDecisions: false,
  };
  assert.deepEqual(resolvePolicy(spec), {
    ...resolvePolicy({ name: "ppo" }),
    clip: 0.3,
    learningRate: 0.005,
    batchSize: 4,
    feedDecisions: false,
  });
  assert.deepEqual(resolvePolicy(), resolvePolicy({ name: "pathConsistency", preset: "default" }));
  assert.deepEqual(
    resolvePolicy({ preset: "published" }),
    resolvePolicy({ name: "ppo", preset: "published" }),
  );
});

const refused: [spec: PolicySpec, message: RegExp][] = [
  [{ name: "reinforce", clip: "0.2" }, /^spec\.policy\.clip: not used by the policy reinforce/],
  [{ name: "reinforce", epochs: 2 }, /^spec\.policy\.epochs: not used/],
  [{ name: "random", learningRate: "0.1" }, /^spec\.policy\.learningRate: not used by the policy random/],
  [{ name: "random", feedDecisions: false }, /^spec\.policy\.feedDecisions: not used/],
  [{ name: "priorityQueue", clip: "0.2" }, /^spec\.policy\.clip: not used by the policy priorityQueue/],
  [{ name: "priorityQueue", baselineDecay: "0.9" }, /not used by .*; remove it, or .* to ppo or reinforce$/],
  [{ name: "evolution", epochs: 2 }, /^spec\.policy\.epochs: not used by the policy evolution/],
  [
    { name: "pathConsistency", queueSize: 5 },
    /^spec\.policy\.queueSize: not used by the policy pathConsistency; .* to priorityQueue$/,
  ],
  [{ name: "reinforce", population: 5 }, /^spec\.policy\.population: .* to evolution$/],
  [
    { name: "pathConsistency", preset: "published" },
    /published form knows no policy pathConsistency; .* to ppo or reinforce$/,
  ],
  [
    { name: "evolution", preset: "published" },
    /^spec\.policy\.preset: the published form knows no policy evolution/,
  ],
  [{ name: "pathConsistency", sharpness: "0" }, /^spec\.policy\.sharpness: "0" is out of range/],
  [{ name: "pathConsistency", entropyCoefficient: "0.1" }, /^spec\.policy\.entropyCoefficient: not used/],
  [{ name: "priorityQueue", replay: 5 }, /^spec\.policy\.replay: .* to pathConsistency$/],
  [{ name: "evolution", sampleSize: 0 }, /^spec\.policy\.sampleSize: 0 is out of range/],
  [{ name: "priorityQueue", queueSize: 0 }, /^spec\.policy\.queueSize: 0 is out of range/],
  [{ name: "ppo", clip: "0" }, /^spec\.policy\.clip: "0" is out of range; write a decimal between 0 and 1/],
  [{ name: "ppo", clip: "1.5" }, /^spec\.policy\.clip: /],
  [{ name: "ppo", clip: "a lot" }, /^spec\.policy\.clip: "a lot" is out of range/],
  [{ name: "ppo", learningRate: "0" }, /^spec\.policy\.learningRate: /],
  [{ name: "ppo", gradientClip: "-1" }, /^spec\.policy\.gradientClip: /],
  [{ name: "ppo", entropyCoefficient: "-0.1" }, /^spec\.policy\.entropyCoefficient: /],
  [{ name: "ppo", baselineDecay: "1" }, /^spec\.policy\.baselineDecay: /],
  [{ batchSize: 0 }, /^spec\.policy\.batchSize: 0 is out of range; write a whole number of at least 1/],
  [{ epochs: 1.5 }, /^spec\.policy\.epochs: /],
];
for (const [spec, message] of refused) {
  test(`refused: ${JSON.stringify(spec)}`, () => {
    assert.throws(
      () => resolvePolicy(spec),
      (error) => error instanceof UserError && message.test(error.message),
    );
  });
}
