// What spec.policy means, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PolicySpec, resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { UserError } from "@segnas/searchspace/errors.ts";

test("the published preset is the paper's", () => {
  assert.deepEqual(resolvePolicy({ preset: "published" }), {
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
  const spec: PolicySpec = { clip: "0.3", learningRate: "5e-3", batchSize: 4, feedDecisions: false };
  assert.deepEqual(resolvePolicy(spec), {
    ...resolvePolicy({}),
    clip: 0.3,
    learningRate: 0.005,
    batchSize: 4,
    feedDecisions: false,
  });
  assert.deepEqual(resolvePolicy(), resolvePolicy({ name: "ppo", preset: "default" }));
});

const refused: [spec: PolicySpec, message: RegExp][] = [
  [{ name: "reinforce", clip: "0.2" }, /^spec\.policy\.clip: not used by the policy reinforce/],
  [{ name: "reinforce", epochs: 2 }, /^spec\.policy\.epochs: not used/],
  [{ name: "random", learningRate: "0.1" }, /^spec\.policy\.learningRate: not used by the policy random/],
  [{ name: "random", feedDecisions: false }, /^spec\.policy\.feedDecisions: not used/],
  [{ clip: "0" }, /^spec\.policy\.clip: "0" is out of range; write a decimal between 0 and 1/],
  [{ clip: "1.5" }, /^spec\.policy\.clip: /],
  [{ clip: "a lot" }, /^spec\.policy\.clip: "a lot" is out of range/],
  [{ learningRate: "0" }, /^spec\.policy\.learningRate: /],
  [{ gradientClip: "-1" }, /^spec\.policy\.gradientClip: /],
  [{ entropyCoefficient: "-0.1" }, /^spec\.policy\.entropyCoefficient: /],
  [{ baselineDecay: "1" }, /^spec\.policy\.baselineDecay: /],
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
