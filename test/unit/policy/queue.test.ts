// The queue of the best trials so far.
import assert from "node:assert/strict";
import { test } from "node:test";
import { admit, type Model, rankLogOdds } from "@segnas/operator/policy/queue.ts";
import fc from "fast-check";

/** Few architectures and few rewards, so that both repeat. */
const models = fc.array(
  fc.record({ decisions: fc.tuple(fc.nat(2), fc.nat(1)), reward: fc.integer({ min: 0, max: 4 }) }),
);

test("a queue holds each architecture's best reward, the best so many, earlier ones first", () => {
  const law = fc.property(models, fc.integer({ min: 1, max: 5 }), (trials, size) => {
    const queue = trials.reduce<Model[]>((best, trial) => admit(best, trial, size), []);
    const best = new Map<string, Model>();
    for (const trial of trials) {
      const known = best.get(String(trial.decisions));
      if (known !== undefined && known.reward >= trial.reward) continue;
      best.delete(String(trial.decisions));
      best.set(String(trial.decisions), trial);
    }
    const wanted = [...best.values()].sort((a, b) => b.reward - a.reward).slice(0, size);
    assert.deepEqual(queue, wanted);
  });
  fc.assert(law, { seed: 1 });
});

test("the log-odds of ranks: of equal rewards equal, of the middle 0, whatever the rewards are", () => {
  const third = Math.log(1 / 5);
  const wanted = [-third, third, 0];
  for (const rewards of [
    [3, 1, 2],
    [0.9, 0, 0.1],
  ]) {
    for (const [index, odds] of rankLogOdds(rewards).entries())
      assert.ok(Math.abs(odds - wanted[index]!) < 1e-12);
  }
  assert.deepEqual(rankLogOdds([0, 0, 0]), [0, 0, 0]);
  const [low, high] = [Math.log(0.25 / 0.75), Math.log(0.75 / 0.25)];
  assert.deepEqual(rankLogOdds([0, 0, 1, 1]), [low, low, high, high]);
});
