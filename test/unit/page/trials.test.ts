// What the browser makes of trials: series for charts, and the rows that a filter lets through.
import assert from "node:assert/strict";
import { test } from "node:test";
import { roundSizes, tickLabels } from "@segnas/operator/web/page/client/ticks.ts";
import {
  chosenRows,
  hasChosen,
  operationSeries,
  rewardSeries,
  secondsLeft,
  sizeSeries,
  type Trials,
} from "@segnas/operator/web/page/client/trials.ts";
import fc from "fast-check";

type Row = { reward: number | null; parameters: number; seconds: number; operations: number | null };
const OUTCOMES = ["Succeeded", "Failed", "Rejected", "Deleted", "Running", "Pending"] as const;

/** Trials settled in some order; one without a reward has failed. */
function trialsOf(rows: Row[], order = rows.map((_, i) => i)): Trials {
  const column = <T>(value: (row: Row) => T): T[] => order.map((i) => value(rows[i]!));
  return {
    uid: "u",
    search: "s",
    outcomes: [...OUTCOMES],
    operations: ["a", "b", "c", "d", "e", "f"],
    settled: rows.length,
    updates: { update: [], entropy: [], baseline: [], entry: [] },
    rows: {
      index: order,
      outcome: column(({ reward }) => (reward === null ? 1 : 0)),
      reward: column(({ reward }) => reward),
      meanIoU: column(() => null),
      meanAccuracy: column(() => null),
      parameters: column(({ parameters }) => parameters),
      macs: column(() => 1),
      seconds: column(({ seconds }) => seconds),
      operations: column(({ operations }) => operations),
      words: Object.fromEntries(
        order.flatMap((i, row) => (rows[i]!.reward === null ? [[row, "broken"]] : [])),
      ),
    },
  };
}

const row = fc.record({
  reward: fc.option(fc.integer({ min: 0, max: 20 }).map((n) => n / 20)),
  parameters: fc.integer({ min: 1, max: 9 }),
  seconds: fc.integer({ min: 1, max: 100 }),
  operations: fc.integer({ min: 0, max: 6 ** 6 - 1 }),
});
const searches = fc.array(row, { maxLength: 60 }).chain((rows) =>
  fc
    .shuffledSubarray(
      rows.map((_, i) => i),
      { minLength: rows.length },
    )
    .map((order) => ({ rows, order, trials: trialsOf(rows, order) })),
);

test("rewards are in the order of indices, the best so far never falls, a failure has a cross", () => {
  fc.assert(
    fc.property(searches, ({ rows, trials }) => {
      const { index, reward, best, failed, mean } = rewardSeries(trials);
      assert.deepEqual(
        index,
        rows.map((_, i) => i),
      );
      assert.deepEqual(
        reward,
        rows.map((it) => it.reward),
      );
      let top: number | null = null;
      for (const [i, it] of rows.entries()) {
        if (it.reward !== null) top = Math.max(top ?? 0, it.reward);
        assert.equal(best[i], top);
        assert.equal(failed[i] === null, it.reward !== null);
        assert.equal(mean[i] === null, it.reward === null);
      }
    }),
  );
});

test("no trial has both more reward and no more parameters than one on the front", () => {
  fc.assert(
    fc.property(searches, ({ trials }) => {
      const { parameters, reward, front } = sizeSeries(trials);
      for (const [i, on] of front.entries()) {
        const isBeaten = reward.some(
          (it, j) => it! >= reward[i]! && parameters[j]! <= parameters[i]! && j < i,
        );
        assert.equal(on === null, isBeaten);
      }
    }),
  );
});

test("the shares of the operations are of one whole, at the last trial too", () => {
  fc.assert(
    fc.property(searches, ({ rows, trials }) => {
      const { index, shares, width } = operationSeries(trials);
      if (rows.length >= width) assert.equal(index.at(-1), rows.length - 1);
      for (const [i] of index.entries()) {
        const sum = shares.reduce((total, share) => total + share[i]!, 0);
        assert.ok(Math.abs(sum - 1) < 1e-9);
      }
    }),
  );
});

test("a filter lets through what it says, in order, and what has no value comes last", () => {
  const by = fc.record({
    column: fc.constantFrom("index", "reward", "parameters" as const),
    descending: fc.boolean(),
  });
  fc.assert(
    fc.property(searches, by, fc.option(fc.integer({ min: 0, max: 20 })), ({ trials }, order, least) => {
      const minReward = least === null ? undefined : least / 20;
      const rows = chosenRows(trials, { text: "", outcomes: new Set(), minReward }, order);
      const expected = trials.rows.reward.filter((it) => minReward === undefined || (it ?? -1) >= minReward);
      assert.equal(rows.length, expected.length);
      const values = rows.map((it) => trials.rows[order.column][it]!);
      const known = values.filter((it) => it !== null);
      assert.deepEqual(known, values.slice(0, known.length));
      assert.deepEqual(
        known,
        known.toSorted((a, b) => (order.descending ? b - a : a - b)),
      );
    }),
  );
});

test("a text is looked for in names and words, whatever its case", () => {
  const trials = trialsOf([
    { reward: 0.5, parameters: 1, seconds: 1, operations: 0 },
    { reward: null, parameters: 1, seconds: 1, operations: 0 },
  ]);
  const rows = (text: string) =>
    chosenRows(trials, { text, outcomes: new Set() }, { column: "index", descending: false });
  assert.deepEqual([rows("BROKEN"), rows("s-0"), rows(" "), rows("s-7")], [[1], [0], [0, 1], []]);
});

test("operations are drawn once there are more trials with an architecture than a window takes", () => {
  const taken = { reward: 0.5, parameters: 1, seconds: 1 };
  const trials = (known: number, unknown: number) =>
    trialsOf(
      Array.from({ length: known + unknown }, (_, i) => ({ ...taken, operations: i < known ? 0 : null })),
    );
  assert.deepEqual([hasChosen(trials(10, 20)), hasChosen(trials(11, 0))], [false, true]);
  assert.equal(operationSeries(trials(11, 0)).index.length, 2);
});

test("what is left is what the trials so far took", () => {
  const taken = { reward: 0.5, parameters: 1, operations: 0 };
  const trials = trialsOf([
    { ...taken, seconds: 10 },
    { ...taken, seconds: 20 },
  ]);
  assert.equal(secondsLeft(trials, 12, 5), 30);
  assert.equal(secondsLeft(trials, 1, 5), 0);
  assert.equal(secondsLeft(trialsOf([]), 12, 5), undefined);
});

test("ticks of sizes are round numbers, a few of them, wherever the networks lie", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 3, max: 8, noNaN: true }),
      fc.double({ min: 0.01, max: 4, noNaN: true }),
      (low, span) => {
        const ticks = roundSizes(low, low + span);
        assert.ok(ticks.length >= 1 && ticks.length <= 7, `${ticks.length} ticks`);
        for (const tick of ticks) {
          assert.ok(tick >= low - 1e-9 && tick <= low + span + 1e-9);
        }
      },
    ),
  );
});

test("no two ticks of an axis are written alike, and each as it is", () => {
  const steps = fc.tuple(fc.constantFrom(1, 2, 2.5, 5), fc.integer({ min: -12, max: 6 }));
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: -200, max: 5000 }),
      fc.integer({ min: 1, max: 12 }),
      (step, first, count) => {
        const apart = step[0] * 10 ** step[1];
        const ticks = Array.from({ length: count }, (_, i) => (first + i) * apart);
        const labels = tickLabels(ticks, apart);
        assert.equal(new Set(labels).size, count, labels.join());
        for (const [i, label] of labels.entries())
          assert.ok(Math.abs(Number(label) - ticks[i]!) < apart / 1000, `${label} for ${ticks[i]}`);
      },
    ),
  );
  assert.deepEqual(tickLabels([0.098, 0.1, 0.102], 0.002), ["0.098", "0.100", "0.102"]);
});
