// Regularised evolution: who may be a parent, what a child is, and how likely.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPolicy, type Experience, type Policy } from "@segnas/operator/policy/policy.ts";
import { resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { runTrials } from "./landscape.ts";

const settings = resolvePolicy({ name: "evolution", population: 4, sampleSize: 2 });

/** Trials 0, 1, ... with these rewards, learned one by one. */
function population(policy: Policy, rewards: number[]): Experience[] {
  const trials = rewards.map((reward, index) => ({ index, ...policy.propose(index), reward }));
  for (const trial of trials) policy.learn([trial]);
  return trials;
}

const changes = (a: readonly number[], b: readonly number[]) =>
  a.filter((choice, decision) => choice !== b[decision]).length;

test("a child differs in one decision from one of the last trials, more often from a better one", () => {
  const policy = createPolicy(settings, 1);
  const trials = population(policy, [0.9, 0.1, 0.4, 0.2, 0.3]);
  const children = trials.map(() => 0);
  for (let index = 5; index < 405; index++) {
    const { decisions } = policy.propose(index);
    children[trials.findIndex((trial) => changes(trial.decisions, decisions) === 1)]!++;
  }
  // Trial 0, the best, is too old; the others win a contest of two with 1, 7, 3 and 5 chances in 16.
  for (const [trial, chances] of [0, 1, 7, 3, 5].entries()) {
    const [mean, deviation] = [25 * chances, Math.sqrt(25 * chances * (1 - chances / 16))];
    assert.ok(Math.abs(children[trial]! - mean) <= 4 * deviation, `trial ${trial}: ${children[trial]}`);
  }
});

test("the probability of a child counts every parent that is one mutation away", () => {
  const policy = createPolicy(settings, 1);
  const parent = DECISIONS.map(() => 0);
  const sibling = parent.with(2, 1);
  const trial = { index: 0, logProbability: 0, reward: 0.5 };
  policy.learn([
    { ...trial, decisions: parent },
    { ...trial, decisions: sibling, reward: 0.4 },
  ]);
  for (let index = 4; index < 24; index++) {
    const { decisions, logProbability } = policy.propose(index);
    const expected = [parent, sibling].reduce((sum, from, rank) => {
      const changed = decisions.flatMap((choice, decision) => (choice === from[decision] ? [] : [decision]));
      if (changed.length !== 1) return sum;
      return sum + [0.75, 0.25][rank]! / 40 / (DECISIONS[changed[0]!]!.choices - 1);
    }, 0);
    assert.ok(Math.abs(Math.exp(logProbability) - expected) < 1e-15, `trial ${index}`);
  }
});

test("the distributions are those of the proposals", () => {
  const policy = createPolicy(settings, 1);
  assert.deepEqual(policy.probabilities()[2], [0.5, 0.5]);
  population(policy, [0.9, 0.1, 0.4, 0.2]);
  const trials = 400;
  const counts = DECISIONS.map(({ choices }) => new Array<number>(choices).fill(0));
  for (let index = 4; index < 4 + trials; index++) {
    for (const [decision, choice] of policy.propose(index).decisions.entries()) counts[decision]![choice]!++;
  }
  for (const [decision, distribution] of policy.probabilities().entries()) {
    for (const [choice, p] of distribution.entries()) {
      const error = counts[decision]![choice]! / trials - p;
      const bound = (4.5 * Math.sqrt(p * (1 - p) * trials) + 2) / trials;
      assert.ok(Math.abs(error) <= bound, `decision ${decision}, choice ${choice}: ${p}`);
    }
  }
});

test("with several trials in flight it proposes from those that have a reward", () => {
  const policy = createPolicy(settings, 1);
  const early = policy.propose(7);
  assert.equal(early.decisions.length, DECISIONS.length);
  const [first] = population(policy, [0.3]);
  const { decisions } = policy.propose(7);
  assert.equal(changes(decisions, first!.decisions), 1);
  // A trial of the first population is uniform, however late it is asked for.
  assert.deepEqual(policy.propose(2), createPolicy(settings, 1).propose(2));
});

test("what cannot be a child is scored as a uniform choice", () => {
  const policy = createPolicy(settings, 1);
  const uniform = policy.propose(0);
  assert.equal(policy.score(uniform.decisions), uniform.logProbability);
  const [first] = population(policy, [0.3]);
  assert.equal(policy.score(first!.decisions), uniform.logProbability);
  const child = first!.decisions.with(0, (first!.decisions[0]! + 1) % DECISIONS[0]!.choices);
  assert.equal(policy.score(child), Math.log(1 / 40 / (DECISIONS[0]!.choices - 1)));
});

test("evolution beats chance within 200 trials", () => {
  const rewards = runTrials(createPolicy(resolvePolicy({ name: "evolution" }), 1), 1, 200, 1);
  const late = rewards.slice(-30).reduce((sum, reward) => sum + reward, 0) / 30;
  assert.ok(late > 0.35 + 2 * 0.045, `${late}`);
});
