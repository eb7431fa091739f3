// Laws of every policy: what it proposes, what it learns, and going on from a state.
import assert from "node:assert/strict";
import { test } from "node:test";
import { forward, newTape } from "@segnas/operator/policy/network.ts";
import { createPolicy, type Experience, type Policy } from "@segnas/operator/policy/policy.ts";
import { type PolicySettings, type PpoSettings, resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { decodeState } from "@segnas/operator/policy/state.ts";
import { scoreRow } from "@segnas/operator/policy/step.ts";
import { DECISIONS, SPACE_SIZE } from "@segnas/searchspace/decisions.ts";
import fc from "fast-check";
import { runTrials } from "./landscape.ts";

const published = resolvePolicy({ name: "ppo", preset: "published" }) as PpoSettings;
const fed = resolvePolicy({ name: "ppo", epochs: 2 }) as PpoSettings;
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function experience(policy: Policy, index: number, reward: number): Experience {
  return { index, ...policy.propose(index), reward };
}

/** A policy that is no longer close to uniform. */
function learned(settings: PpoSettings, seed: number): Policy {
  const policy = createPolicy({ ...settings, ring: 0, learningRate: 0.02 }, seed);
  for (let update = 0; update < 4; update++) {
    policy.learn([0, 1, 2].map((i) => experience(policy, 3 * update + i, [0.1, 0.9, 0.4][i]!)));
  }
  return policy;
}

const kinds: PolicySettings[] = [
  { ...published, ring: 3 },
  fed,
  resolvePolicy({ name: "reinforce" }),
  resolvePolicy({ name: "priorityQueue", epochs: 2, queueSize: 2 }),
  resolvePolicy({ name: "pathConsistency", epochs: 2, replay: 1 }),
  resolvePolicy({ name: "evolution", population: 3, sampleSize: 2 }),
  resolvePolicy({ name: "random" }),
];

for (const settings of kinds) {
  test(`a proposal's score is its own log-probability, to the bit: ${settings.name}`, () => {
    const fresh = createPolicy(settings, 5);
    const policy = createPolicy(settings, 5);
    const trials = [0, 1, 2, 3].map((index) => experience(policy, index, [0.2, 0.8, 0.5, 0.9][index]!));
    policy.learn(trials);
    for (const now of [fresh, policy]) {
      for (const index of [0, 7]) {
        for (const draw of [0, 1]) {
          const { decisions, logProbability } = now.propose(index, draw);
          assert.equal(now.score(decisions), logProbability);
          now.propose(index + 1);
          assert.equal(now.score(decisions), logProbability, "asked again after another proposal");
        }
      }
      for (const { decisions } of trials) assert.ok(Number.isFinite(now.score(decisions)));
    }
  });

  test(`draws of one trial differ, draw 0 is the proposal: ${settings.name}`, () => {
    const policy = createPolicy(settings, 5);
    policy.learn([0, 1, 2, 3].map((index) => experience(policy, index, [0.2, 0.8, 0.5, 0.9][index]!)));
    const draws = [0, 1, 2].map((draw) => policy.propose(7, draw));
    assert.deepEqual(policy.propose(7), draws[0]);
    assert.deepEqual(createPolicy(settings, 5, policy.state()).propose(7, 2), draws[2]);
    assert.equal(new Set(draws.map(({ decisions }) => decisions.join())).size, 3);
  });
}

test("a state goes on bit for bit", () => {
  const rewards = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 2 });
  const law = fc.property(
    fc.constantFrom(...kinds),
    fc.nat(1000),
    fc.array(rewards, { maxLength: 1 }),
    rewards,
    (settings, seed, earlier, later) => {
      const policy = createPolicy(settings, seed);
      for (const batch of earlier) policy.learn(batch.map((reward, i) => experience(policy, i, reward)));
      // A Buffer at an odd place, as one that was read from a file or a socket may be.
      const state = Buffer.concat([Buffer.from("?"), policy.state()]).subarray(1);
      const copy = createPolicy(settings, seed, state);
      const batch = later.map((reward, i) => experience(policy, 10 + i, reward));
      assert.deepEqual(copy.propose(10), policy.propose(10));
      assert.deepEqual(copy.learn(batch), policy.learn(batch));
      assert.ok(Buffer.from(copy.state()).equals(policy.state()), "the states differ");
      assert.deepEqual(copy.probabilities(), policy.probabilities());
    },
  );
  fc.assert(law, { seed: 1, numRuns: 9, examples: kinds.map((kind) => [kind, 1, [[0.5, 0]], [1]]) });
});

test("a state of another kind of policy is refused", () => {
  const state = createPolicy(fed, 1).state();
  assert.throws(() => createPolicy(published, 1, state), /not one of ppo with these settings/);
  assert.throws(() => createPolicy(resolvePolicy({ name: "reinforce" }), 1, state), /not one of reinforce/);
  assert.throws(() => createPolicy(fed, 1, state.subarray(1)), /not one of ppo/);
  assert.throws(() => createPolicy(resolvePolicy({ name: "random" }), 1, state), /not one of random/);
  assert.throws(() => createPolicy(resolvePolicy({ name: "evolution" }), 1, state), /not one of evolution/);
  const older = Float64Array.from(new Float64Array(state.buffer), (value, at) => (at === 0 ? 1 : value));
  assert.throws(() => createPolicy(fed, 1, new Uint8Array(older.buffer)), /has format 1; .* format 3/);
});

for (const settings of [published, fed]) {
  const form = `decisions ${settings.feedDecisions ? "" : "not "}fed back`;

  test(`decisions come with the probabilities that the policy states, ${form}`, () => {
    const own = { ...settings, ring: 0 };
    const policy = learned(own, 2);
    const { parameters } = decodeState(own, policy.state());
    const tape = newTape(1);
    const counts = DECISIONS.map(({ choices }) => new Array<number>(choices).fill(0));
    const surprises: number[] = [];
    const trials = 80;
    for (let index = 0; index < trials; index++) {
      const { decisions, logProbability } = policy.propose(index);
      for (const [decision, choice] of decisions.entries()) counts[decision]![choice]!++;
      if (settings.feedDecisions || index === 0) {
        forward(parameters, tape, (_, decision) => decisions[decision]!);
      }
      const score = scoreRow(tape, 0, decisions);
      assert.ok(Math.abs(score.logProbability - logProbability) < 1e-12, "the sum over its decisions");
      surprises.push(logProbability + score.entropy);
    }
    // The log-probability of what is drawn has mean -entropy, decision by decision, fed back or not.
    const deviation = Math.sqrt(mean(surprises.map((value) => value * value)));
    assert.ok(Math.abs(mean(surprises)) < (4 * deviation) / Math.sqrt(trials), `${mean(surprises)}`);
    // Fed back, only the first decision's distribution is the same in every sequence.
    const distributions = policy.probabilities().slice(0, settings.feedDecisions ? 1 : DECISIONS.length);
    for (const [decision, distribution] of distributions.entries()) {
      for (const [choice, p] of distribution.entries()) {
        const error = counts[decision]![choice]! / trials - p;
        assert.ok(
          Math.abs(error) <= (4.5 * Math.sqrt(p * (1 - p) * trials) + 2) / trials,
          `decision ${decision}: ${p}`,
        );
      }
    }
  });
}

test("a proposal depends on the seed, the index and the weights, not on what was asked before", () => {
  const one = createPolicy(fed, 1);
  const other = createPolicy(fed, 1);
  other.propose(3);
  other.probabilities();
  assert.deepEqual(one.propose(7), other.propose(7));
  assert.notDeepEqual(one.propose(7), one.propose(8));
  assert.notDeepEqual(one.propose(7), createPolicy(fed, 2).propose(7));
});

test("what a proposer says stays as it is while the policy learns", () => {
  const quick = { batchSize: 2, epochs: 1 };
  const kinds = [
    resolvePolicy({ name: "random" }),
    resolvePolicy({ name: "evolution", population: 2 }),
    resolvePolicy({ name: "ppo", ...quick }),
    resolvePolicy({ name: "pathConsistency", ...quick }),
  ];
  for (const settings of kinds) {
    const [policy, copy] = [createPolicy(settings, 1), createPolicy(settings, 1)];
    for (const index of [0, 2, 4]) {
      const proposer = policy.proposer();
      const batch = [experience(policy, index, 0.4), experience(policy, index + 1, 0.5)];
      policy.learn(batch);
      assert.deepEqual(proposer.propose(9, 1), copy.propose(9, 1));
      assert.equal(proposer.score(batch[0]!.decisions), copy.score(batch[0]!.decisions));
      assert.deepEqual(proposer.probabilities(), copy.probabilities());
      if (settings.name !== "random") assert.notDeepEqual(policy.probabilities(), proposer.probabilities());
      copy.learn(batch);
    }
  }
});

test("without fed-back decisions no distribution depends on what was chosen; with them the later ones do", () => {
  for (const settings of [published, fed]) {
    const { parameters } = decodeState(settings, createPolicy(settings, 1).state());
    const [tape, other] = [newTape(1), newTape(1)];
    forward(parameters, tape, () => 0);
    forward(parameters, other, (_, decision) => (decision === 10 ? 1 : 0));
    const differ = tape.logProbabilities.findIndex((value, at) => value !== other.logProbabilities[at]);
    const beforeEleven = DECISIONS.slice(0, 11).reduce((sum, { choices }) => sum + choices, 0);
    assert.equal(differ, settings.feedDecisions ? beforeEleven : -1);
  }
});

test("the published form's first update moves nothing, its second does", () => {
  const policy = createPolicy(published, 1);
  const before = policy.probabilities();
  const first = policy.learn([experience(policy, 0, 0.4)]);
  assert.deepEqual(policy.probabilities(), before);
  assert.deepEqual([first.policyUpdates, first.baseline, first.gradientNorm], [1, 0.4, 0]);
  const second = policy.learn([experience(policy, 1, 0.5)]);
  assert.notDeepEqual(policy.probabilities(), before);
  assert.ok(Math.abs(second.baseline - 0.405) < 1e-12);
});

test("the random policy is uniform", () => {
  const policy = createPolicy(resolvePolicy({ name: "random" }), 1);
  const { logProbability } = policy.propose(0);
  assert.ok(Math.abs(logProbability + Math.log(Number(SPACE_SIZE))) < 1e-9);
  assert.deepEqual(policy.probabilities()[2], [0.5, 0.5]);
  assert.equal(policy.learn([experience(policy, 0, 1)]).policyUpdates, 1);
});

test("a policy that learns beats chance within 100 trials", () => {
  const deviation = 0.045;
  const chance = mean(runTrials(createPolicy(resolvePolicy({ name: "random" }), 1), 10, 100, 1));
  // Decisions not fed back: the same learning at a tenth of the time.
  for (const [spec, gain] of [
    [{ name: "ppo", epochs: 4 }, 2],
    [{ name: "reinforce" }, 2],
    [{ name: "priorityQueue" }, 1.5],
    [{ name: "pathConsistency" }, 2],
  ] as const) {
    const settings = resolvePolicy({ ...spec, feedDecisions: false });
    const rewards = runTrials(createPolicy(settings, 1), settings.batchSize, 100, 1);
    const late = mean(rewards.slice(-30));
    assert.ok(late > chance + gain * deviation, `${spec.name}: ${late}, chance ${chance}`);
  }
});
