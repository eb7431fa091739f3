// Learning rates over a stage: each schedule's shape, and what people may write.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSchedule, rateFactor, type Schedule } from "@segnas/trainer/training/schedule.ts";
import fc from "fast-check";

const curve = (schedule: Schedule, epochs: number, steps: number): number[] =>
  Array.from({ length: epochs * steps }, (_, step) => rateFactor(schedule, step, epochs, steps));
const near = (found: number | undefined, wanted: number) =>
  assert.ok(Math.abs(found! - wanted) < 1e-12, `${found} is not ${wanted}`);
const oneCycle = (change: object = {}): Schedule => ({
  type: "OneCycle",
  warmUpShare: 0.3,
  divFactor: 25,
  finalDivFactor: 1e4,
  ...change,
});

test("constant is 1 at each step", () => {
  assert.deepEqual(curve({ type: "Constant" }, 2, 3), [1, 1, 1, 1, 1, 1]);
});

test("polynomial: (1 - step / all)^power", () => {
  assert.deepEqual(curve({ type: "Polynomial", power: 1 }, 2, 2), [1, 0.75, 0.5, 0.25]);
  near(rateFactor({ type: "Polynomial", power: 0.9 }, 30, 4, 10), 0.25 ** 0.9);
});

test("step: times gamma after each so many epochs", () => {
  const found = curve({ type: "Step", stepEpochs: 2, gamma: 0.1 }, 5, 2);
  for (const [step, wanted] of [1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01].entries())
    near(found[step], wanted);
});

test("one cycle: the values of its formula at its corners and half way between them", () => {
  // 100 steps: up to step 29, down to step 99.
  const found = curve(oneCycle(), 10, 10);
  near(found[0], 1 / 25);
  near(found[29], 1);
  near(found[99], 1 / 250_000);
  near(found[64], (1 + 1 / 250_000) / 2);
  near(rateFactor(oneCycle({ warmUpShare: 0.51 }), 25, 10, 10), (1 + 1 / 25) / 2);
});

test("one cycle rises to its peak, falls to its end, and never leaves (0, 1]", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      fc.double({ min: 1, max: 100, noNaN: true }),
      (epochs, steps, warmUpShare, divFactor) => {
        const found = curve(oneCycle({ warmUpShare, divFactor }), epochs, steps);
        const peak = found.indexOf(Math.max(...found));
        for (const [step, factor] of found.entries()) {
          assert.ok(factor > 0 && factor <= 1 + 1e-12);
          if (step === 0) continue;
          const rise = factor - found[step - 1]!;
          assert.ok(step <= peak ? rise >= -1e-12 : rise <= 1e-12, `${found}`);
        }
        near(found.at(-1), 1 / (divFactor * 1e4));
      },
    ),
  );
});

test("polynomial and step never rise, and stay above 0", () => {
  const schedules = fc.oneof(
    fc.record({
      type: fc.constant("Polynomial" as const),
      power: fc.double({ min: 0, max: 3, noNaN: true }),
    }),
    fc.record({
      type: fc.constant("Step" as const),
      stepEpochs: fc.integer({ min: 1, max: 9 }),
      gamma: fc.double({ min: 0.05, max: 1, noNaN: true }),
    }),
  );
  fc.assert(
    fc.property(
      schedules,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      (schedule, epochs, steps) => {
        const found = curve(schedule, epochs, steps);
        assert.equal(found[0], 1);
        for (const [step, factor] of found.entries())
          assert.ok(factor > 0 && factor <= (found[step - 1] ?? 1));
      },
    ),
  );
});

describe("as people write it", () => {
  const parse = (value: unknown) => parseSchedule(value, "training.stage1.schedule");

  test("with what is usual for the rest", () => {
    assert.deepEqual(parse({ type: "Constant" }), { type: "Constant" });
    assert.deepEqual(parse({ type: "Polynomial" }), { type: "Polynomial", power: 0.9 });
    assert.deepEqual(parse({ type: "Step", stepEpochs: 3 }), { type: "Step", stepEpochs: 3, gamma: 0.1 });
    assert.deepEqual(parse({ type: "OneCycle" }), oneCycle());
    assert.deepEqual(parse({ type: "OneCycle", divFactor: "10" }), oneCycle({ divFactor: 10 }));
  });

  for (const [value, sentence] of [
    [{}, "training.stage1.schedule.type: is missing"],
    [
      { type: "Cosine" },
      'training.stage1.schedule.type: "Cosine" is not known, write one of Constant, Polynomial',
    ],
    [{ type: "Step" }, "training.stage1.schedule.stepEpochs: is missing, write after how many"],
    [{ type: "Step", stepEpochs: 0 }, "training.stage1.schedule.stepEpochs: 0 is not allowed"],
    [
      { type: "Step", stepEpochs: 1, power: "1" },
      "training.stage1.schedule.power: is not for type Step, leave it out",
    ],
    [
      { type: "Polynomial", power: 0.9 },
      "training.stage1.schedule.power: 0.9 is not allowed, write a decimal string",
    ],
    [{ type: "OneCycle", warmUpShare: "1" }, "training.stage1.schedule.warmUpShare: 1 is not allowed"],
    [
      { type: "OneCycle", finalDivFactor: "0.5" },
      "training.stage1.schedule.finalDivFactor: 0.5 is not allowed",
    ],
    [{ type: "Constant", rate: 1 }, 'training.stage1.schedule: unknown field "rate"'],
  ] as [object, string][])
    test(`${JSON.stringify(value)} is refused`, () => {
      assert.throws(
        () => parse(value),
        (error: Error) => error.name === "UserError" && error.message.startsWith(sentence),
      );
    });
});
