// The published form's figures: test/golden/policy.json, float64, to 1e-9.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CHOICES, FIRST_CHOICE, forward } from "@segnas/operator/policy/network.ts";
import { newAdam } from "@segnas/operator/policy/optimizer.ts";
import { type Parameters, parameterCount, parametersOf } from "@segnas/operator/policy/parameters.ts";
import { type Row, scoreRow, takeStep, tapeFor } from "@segnas/operator/policy/step.ts";
import { PUBLISHED } from "@segnas/searchspace/architecture.ts";
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import golden from "../../golden/policy.json" with { type: "json" };

const TOLERANCE = 1e-9;
const arch0 = PUBLISHED.arch0!.flat(2);
const arch1 = PUBLISHED.arch1!.flat(2);
const architectures: Record<string, number[]> = { arch0, arch1 };

/** The golden README's filling of every tensor by role and index. */
function fill(i: number, j: number, k: number, l: number): number {
  const x = Math.sin(12.9898 * i + 78.233 * j + 37.719 * k + 9.151 * l + 1) * 43758.5453;
  return 0.1 * (2 * (x - Math.floor(x)) - 1);
}

function goldenParameters(): Parameters {
  const parameters = parametersOf(false);
  const { start, layers, heads } = parameters;
  for (let j = 0; j < 100; j++) start[j] = fill(j, 0, 0, 16);
  for (const [l, { weights, inputBias, recurrentBias }] of layers.entries()) {
    for (let row = 0; row < 400; row++) {
      for (let column = 0; column < 100; column++) {
        weights[row * 200 + column] = fill(row, column, l, 10);
        weights[row * 200 + 100 + column] = fill(row, column, l, 11);
      }
      inputBias[row] = fill(row, 0, l, 12);
      recurrentBias[row] = fill(row, 0, l, 13);
    }
  }
  for (const [k, { weights, bias }] of heads.entries()) {
    for (let out = 0; out < bias.length; out++) {
      for (let column = 0; column < 100; column++) weights[out * 100 + column] = fill(out, column, k, 14);
      bias[out] = fill(out, 0, k, 15);
    }
  }
  return parameters;
}

function score(parameters: Parameters, decisions: number[]) {
  const tape = tapeFor(1);
  forward(parameters, tape, (_, decision) => decisions[decision]!);
  const distributions = DECISIONS.map((_, decision) =>
    Array.from(
      tape.logProbabilities.subarray(FIRST_CHOICE[decision]!, FIRST_CHOICE[decision + 1] ?? CHOICES),
      Math.exp,
    ),
  );
  return { ...scoreRow(tape, 0, decisions), distributions };
}

function close(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= TOLERANCE, `${what}: ${actual}, expected ${expected}`);
}

function closeDistributions(actual: number[][], expected: number[][]): void {
  assert.deepEqual(
    actual.map(({ length }) => length),
    expected.map(({ length }) => length),
  );
  for (const [decision, distribution] of expected.entries()) {
    for (const [choice, p] of distribution.entries())
      close(actual[decision]![choice]!, p, `decision ${decision}`);
  }
}

test("the published form has 170,588 parameters beside its unused embedding of 600", () => {
  assert.equal(parameterCount(false), 171_188 - 600);
});

test("distributions, entropy and log-probabilities", () => {
  const parameters = goldenParameters();
  closeDistributions(score(parameters, arch0).distributions, golden.distributions);
  for (const name of ["arch0", "arch1"] as const) {
    const { entropy, logProbability } = score(parameters, architectures[name]!);
    close(entropy, golden[name].entropy, `${name} entropy`);
    close(logProbability, golden[name].logProbability, `${name} log-probability`);
  }
});

test("three PPO minibatches", () => {
  const { learningRate, gradientClip, clip, entropyCoefficient, steps } = golden.ppo;
  const settings = { name: "ppo", learningRate, gradientClip, clip, entropyCoefficient } as const;
  const parameters = goldenParameters();
  const adam = newAdam(parameters.values.length);
  for (const step of steps) {
    const rows: Row[] = step.rows.map(({ architecture, behaviourLogProbability, advantage }) => ({
      decisions: architectures[architecture]!,
      logProbability: behaviourLogProbability,
      advantage,
    }));
    const { loss, gradientNorm } = takeStep(parameters, adam, settings, rows);
    close(loss, step.loss, "loss");
    close(gradientNorm, step.gradientNorm, "gradient norm");
    close(score(parameters, arch0).logProbability, step.arch0, "arch0");
    close(score(parameters, arch1).logProbability, step.arch1, "arch1");
    close(score(parameters, arch1).entropy, step.entropy, "entropy");
  }
});

test("one REINFORCE step", () => {
  const { learningRate, gradientClip, entropyCoefficient, advantage, architecture, after } = golden.reinforce;
  const settings = { name: "reinforce", learningRate, gradientClip, entropyCoefficient } as const;
  const parameters = goldenParameters();
  const row = { decisions: architectures[architecture]!, logProbability: 0, advantage };
  const { loss, gradientNorm } = takeStep(parameters, newAdam(parameters.values.length), settings, [row]);
  close(loss, golden.reinforce.loss, "loss");
  close(gradientNorm, golden.reinforce.gradientNorm, "gradient norm");
  closeDistributions(score(parameters, arch0).distributions, after.distributions);
});
