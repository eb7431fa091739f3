// What each algorithm learns from in an update.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Experience } from "@segnas/operator/policy/policy.ts";
import { minibatchesOf } from "@segnas/operator/policy/rows.ts";
import { type GradientSettings, resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { initialState } from "@segnas/operator/policy/state.ts";
import { DECISIONS } from "@segnas/searchspace/decisions.ts";

/** Trials that differ in their first decisions and have these rewards. */
const trials = (first: number, rewards: number[]): Experience[] =>
  rewards.map((reward, i) => {
    const decisions = DECISIONS.map(() => 0)
      .with(0, (first + i) % 6)
      .with(1, Math.floor((first + i) / 6));
    return { index: first + i, decisions, logProbability: -50, reward };
  });

test("a priority queue learns the best so far alike in every pass", () => {
  const settings = resolvePolicy({ name: "priorityQueue", queueSize: 2, epochs: 3 }) as GradientSettings;
  const state = initialState(settings, 1);
  const [one, two] = [trials(0, [0.3, 0.1]), trials(2, [0.2, 0.4])];
  minibatchesOf(settings, 1, state, one);
  const minibatches = minibatchesOf(settings, 1, state, two);
  const best = [two[1]!, one[0]!].map(({ decisions }) => ({ decisions, logProbability: 0, advantage: 1 }));
  assert.deepEqual(minibatches, [best, best, best]);
  assert.equal(state.baseline, 0.3);
});

test("path consistency learns an update's own trials and a new draw of earlier ones in every step", () => {
  const settings = resolvePolicy({
    name: "pathConsistency",
    replay: 3,
    epochs: 20,
    sharpness: "50",
  }) as GradientSettings;
  const state = initialState(settings, 1);
  const earlier = trials(0, [0, 0.1, 0.2, 0.3, 0.4, 0.5]);
  const own = trials(6, [0.6, 0.7]);
  assert.equal(minibatchesOf(settings, 1, state, earlier)[0]!.length, 6);
  const minibatches = minibatchesOf(settings, 1, state, own);
  const drawn = new Set<string>();
  for (const minibatch of minibatches) {
    assert.equal(minibatch.length, 5);
    assert.deepEqual(
      minibatch.slice(-2).map(({ decisions }) => decisions),
      own.map(({ decisions }) => decisions),
    );
    for (const row of minibatch.slice(0, 3)) drawn.add(String(row.decisions));
    assert.equal(new Set(minibatch.map(({ decisions }) => String(decisions))).size, 5, "each once");
  }
  assert.equal(drawn.size, 6);
  // The best of eight trials: the odds of its rank are 15 to 1; the power is 50 * 8 / 100.
  assert.ok(Math.abs(minibatches[0]!.at(-1)!.advantage - 4 * Math.log(15)) < 1e-12);
});
