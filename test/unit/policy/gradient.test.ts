// The hand-written gradient against finite differences of the loss, written out here a second time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { forward, newTape } from "@segnas/operator/policy/network.ts";
import { initialParameters, type Parameters } from "@segnas/operator/policy/parameters.ts";
import { type Loss, lossAndGradient, type Row, scoreRow, tapeFor } from "@segnas/operator/policy/step.ts";
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";

const STEP = 1e-4;
const ENTROPY = 0.03;
const CLIP = 0.1;

/** Three rows: one within the clip, one clipped (its gradient is 0), one beyond it where the loss still counts. */
function makeRows(parameters: Parameters): Row[] {
  const draw = random(5, "rows");
  const behaviour = [-0.03, -0.4, -0.4];
  const advantages = [0.7, 0.5, -0.6];
  const decisions = behaviour.map(() => DECISIONS.map(({ choices }) => draw.integer(choices)));
  const tape = newTape(3);
  forward(parameters, tape, (row, decision) => decisions[row]![decision]!);
  return decisions.map((own, row) => ({
    decisions: own,
    logProbability: scoreRow(tape, row, own).logProbability + behaviour[row]!,
    advantage: advantages[row]!,
  }));
}

function lossOf(parameters: Parameters, loss: Loss, rows: Row[], tape = newTape(rows.length)): number {
  forward(parameters, tape, (row, decision) => rows[row]!.decisions[decision]!);
  const scores = rows.map((row, index) => scoreRow(tape, index, row.decisions));
  const gaps = rows.map((row, index) => scores[index]!.logProbability - row.advantage);
  const meanGap = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const losses = rows.map((row, index) => {
    const { logProbability, entropy } = scores[index]!;
    if (loss.name === "pathConsistency") return (gaps[index]! - meanGap) ** 2 / 2;
    const ratio = Math.exp(logProbability - row.logProbability);
    const within = Math.max(1 - CLIP, Math.min(1 + CLIP, ratio));
    const gain =
      loss.name === "ppo"
        ? Math.min(ratio * row.advantage, within * row.advantage)
        : logProbability * row.advantage;
    return -gain - ENTROPY * entropy;
  });
  return losses.reduce((sum, value) => sum + value, 0) / rows.length;
}

/** Tensors by role: those of the heads, which are many, together. */
function tensors({ start, layers, heads }: Parameters): Record<string, Float64Array[]> {
  return {
    start: [start],
    weights0: [layers[0]!.weights],
    weights1: [layers[1]!.weights],
    inputBias0: [layers[0]!.inputBias],
    inputBias1: [layers[1]!.inputBias],
    recurrentBias0: [layers[0]!.recurrentBias],
    recurrentBias1: [layers[1]!.recurrentBias],
    headWeights: heads.map(({ weights }) => weights),
    headBiases: heads.map(({ bias }) => bias),
    embeddings: heads.map(({ embedding }) => embedding).filter(({ length }) => length > 0),
  };
}

const cases: [feedDecisions: boolean, Loss][] = [
  [false, { name: "ppo", clip: CLIP, entropyCoefficient: ENTROPY }],
  [true, { name: "ppo", clip: CLIP, entropyCoefficient: ENTROPY }],
  [false, { name: "reinforce", entropyCoefficient: ENTROPY }],
  [true, { name: "reinforce", entropyCoefficient: ENTROPY }],
  [true, { name: "priorityQueue", entropyCoefficient: ENTROPY }],
  [false, { name: "pathConsistency" }],
  [true, { name: "pathConsistency" }],
];

for (const [feedDecisions, loss] of cases) {
  test(`gradient of ${loss.name}, decisions ${feedDecisions ? "" : "not "}fed back`, () => {
    const parameters = initialParameters(feedDecisions, random(3, "gradient"));
    // Larger weights than at the start, so that nothing is nearly linear or nearly 0.
    for (let at = 0; at < parameters.values.length; at++) parameters.values[at]! *= 2;
    const rows = makeRows(parameters);
    const { loss: value, gradient } = lossAndGradient(parameters, loss, rows);
    const tape = newTape(rows.length);
    assert.ok(Math.abs(value - lossOf(parameters, loss, rows, tape)) < 1e-12);
    const slopes = tensors(gradient);
    const draw = random(4, "direction");
    for (const [name, group] of Object.entries(tensors(parameters))) {
      // Along a direction of six parameters of each tensor: a slope that is wrong in one of them shows.
      const direction = group.flatMap((tensor, index) =>
        Array.from({ length: 6 }, () => ({ index, at: draw.integer(tensor.length), by: draw.normal() })),
      );
      const before = parameters.values.slice();
      const moved = (sign: number) => {
        parameters.values.set(before);
        for (const { index, at, by } of direction) group[index]![at]! += sign * STEP * by;
        return lossOf(parameters, loss, rows, tape);
      };
      const difference = (moved(1) - moved(-1)) / (2 * STEP);
      parameters.values.set(before);
      const slope = direction.reduce((sum, { index, at, by }) => sum + by * slopes[name]![index]![at]!, 0);
      const error = Math.abs(slope - difference);
      assert.ok(
        error <= 1e-8 + 1e-5 * Math.abs(difference),
        `${name}: ${slope}, by differences ${difference}`,
      );
    }
  });
}

for (const [feedDecisions, loss] of cases.filter(([fed]) => fed)) {
  test(`rows run in turns where they are many: the same rows fifty times, ${loss.name}`, () => {
    const parameters = initialParameters(feedDecisions, random(3, "gradient"));
    const rows = makeRows(parameters);
    const few = lossAndGradient(parameters, loss, rows);
    const expected = few.gradient.values.slice();
    const many = lossAndGradient(parameters, loss, new Array<Row[]>(50).fill(rows).flat());
    // The largest tape is the one that stays.
    assert.ok(tapeFor(2).decisions.length < 150 * DECISIONS.length, "a tape for all of them, 0.7 MB each");
    assert.ok(Math.abs(many.loss - few.loss) < 1e-12);
    for (const [at, slope] of many.gradient.values.entries())
      assert.ok(Math.abs(slope - expected[at]!) < 1e-12, `parameter ${at}: ${slope}, ${expected[at]} of few`);
  });
}
