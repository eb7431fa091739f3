import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import { LANDSCAPES, landscape } from "../../bench/policy/landscapes.ts";

const draw = (index: number) => {
  const own = random(1, "decisions", index);
  return DECISIONS.map(({ choices }) => own.integer(choices));
};
const SAMPLES = Array.from({ length: 300 }, (_, index) => draw(index));
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const near = (value: number, wanted: number, by: number) =>
  assert.ok(Math.abs(value - wanted) < by, `${value}, not ${wanted} ± ${by}`);

describe("landscapes of the policies' contest", () => {
  for (const name of LANDSCAPES) {
    it(`${name}: a seed draws one landscape, scaled as it says`, () => {
      const { reward } = landscape(name, 3);
      const rewards = SAMPLES.map(reward);
      assert.deepEqual(SAMPLES.map(landscape(name, 3).reward), rewards);
      const other = SAMPLES.map(landscape(name, 4).reward);
      if (name === "real") assert.deepEqual(other, rewards);
      else assert.notDeepEqual(other, rewards);
      const alive = rewards.filter((value) => value !== 0);
      near(mean(alive), name === "real" ? 0.36 : 0.35, 0.015);
      const deviation = Math.sqrt(mean(alive.map((value) => (value - mean(alive)) ** 2)));
      if (name !== "real") near(deviation, 0.045, 0.01);
      const failed = 1 - alive.length / rewards.length;
      near(failed, { constrained: 0.35, failing: 0.25 }[name as string] ?? 0, 0.08);
    });
  }

  it("sparse: eight decisions count", () => {
    const { reward } = landscape("sparse", 3);
    const counts = DECISIONS.filter(({ choices }, decision) =>
      Array.from({ length: choices }, (_, choice) => SAMPLES[0]!.with(decision, choice)).some(
        (changed) => reward(changed) !== reward(SAMPLES[0]!),
      ),
    );
    assert.equal(counts.length, 8);
  });

  it("deceptive: five times three worst choices together are better than the three best", () => {
    const { reward } = landscape("deceptive", 3);
    const choicesOf = (decisions: number[], decision: number) =>
      Array.from({ length: DECISIONS[decision]!.choices }, (_, choice) => decisions.with(decision, choice));
    const byReward = (one: number[], other: number[]) => reward(one) - reward(other);
    // One at a time the decisions lead away from the traps.
    let top = SAMPLES[0]!;
    for (const [decision] of DECISIONS.entries()) top = choicesOf(top, decision).sort(byReward).at(-1)!;
    const worst = DECISIONS.map((_, decision) => choicesOf(top, decision).sort(byReward)[0]![decision]!);
    const trapped: number[][] = [];
    for (let one = 0; one < worst.length; one++)
      for (let two = one + 1; two < worst.length; two++)
        for (let three = two + 1; three < worst.length; three++) {
          const fallen = top.with(one, worst[one]!).with(two, worst[two]!).with(three, worst[three]!);
          if (reward(fallen) > reward(top)) trapped.push([one, two, three]);
        }
    assert.equal(trapped.length, 5);
    assert.equal(new Set(trapped.flat()).size, 15);
  });
});
