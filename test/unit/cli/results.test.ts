import assert from "node:assert/strict";
import { test } from "node:test";
import { resultDocument, resultText } from "../../../cli/results.ts";
import { textTable } from "../../../cli/table.ts";
import { searchOf } from "../web/fixtures.ts";

test("a table's columns line up", () => {
  const columns = [
    { title: "Trial", align: "left" },
    { title: "Reward", align: "right" },
  ] as const;
  assert.deepEqual(
    textTable(columns, [
      ["a", "0.5"],
      ["search-12", "12.25"],
    ]),
    ["Trial      Reward", "a             0.5", "search-12   12.25"],
  );
});

test("the result shows the ten best, what failed and why, and the report", () => {
  const text = resultText(searchOf(30), "/tmp/report.html");
  assert.match(text, /^city: 30 trials of 30 ended, 27 succeeded, 3 failed\n/);
  assert.equal(text.split("\n").filter((line) => /^ +\d+ {2}city-/.test(line)).length, 10);
  assert.match(text, /\nand 17 more\n/);
  assert.match(text, /city-5: the loss stopped being a finite number: The loss was NaN at step 12/);
  assert.match(text, /\nReport: \/tmp\/report\.html$/);
});

test("what is over a constraint is told apart from what failed, and what was deleted has no parameters", () => {
  const search = searchOf(6);
  const rejected = { ...search.trials[0]!, outcome: "Rejected" as const, message: "it has 9 parameters" };
  const trials = [
    rejected,
    ...search.trials.slice(1, 4),
    { name: "city-4", index: 4, outcome: "Deleted" as const },
  ];
  const text = resultText({ ...search, trials });
  assert.match(text, /^city: 5 trials of 6 ended, 3 succeeded, 0 failed, 1 over a constraint, 1 deleted\n/);
  assert.match(
    text,
    /\nFailed:\n {2}city-4: it was deleted by hand\n\nOver a constraint, so not trained:\n {2}city-0: it has 9 parameters$/,
  );
  const document = resultDocument({ ...search, trials });
  assert.deepEqual(
    [document.failures, document.rejected].map((list) => list.map(({ name }) => name)),
    [["city-4"], ["city-0"]],
  );
});

test("what was taken over from another search is told beside its own trials", () => {
  const takenOver = { search: "town", trials: 9, best: { name: "town-3", reward: 0.5 } };
  const text = resultText(searchOf(3, { takenOver }));
  assert.match(
    text,
    /^city: 3 trials .*\nBefore that, 9 trials taken over of town, best 0\.500 \(town-3\)\n\nRank/,
  );
});

test("a search without a result has no table", () => {
  const text = resultText(searchOf(0, { maxTrials: 4 }), "r.html");
  assert.equal(text, "city: 0 trials of 4 ended, 0 succeeded, 0 failed\n\nReport: r.html");
});

test("the document ranks by reward and counts everything once", () => {
  const document = JSON.parse(JSON.stringify(resultDocument(searchOf(30), "r.html")));
  assert.deepEqual(Object.keys(document), [
    "name",
    "state",
    "maxTrials",
    "counts",
    "best",
    "trials",
    "failures",
    "rejected",
    "report",
  ]);
  assert.deepEqual(document.counts, {
    succeeded: 27,
    failed: 3,
    rejected: 0,
    deleted: 0,
    running: 0,
    pending: 0,
    settled: 30,
  });
  const rewards = document.trials.map((trial: { reward: number }) => trial.reward);
  assert.deepEqual(
    rewards,
    rewards.toSorted((a: number, b: number) => b - a),
  );
  assert.equal(document.best.name, document.trials[0].name);
  assert.equal(document.trials[0].architecture.blocks.length, 7);
  assert.equal(document.trials[0].genotype[1].length, 7);
  assert.deepEqual(
    document.failures.map((failure: { index: number; cause: string }) => [failure.index, failure.cause]),
    [
      [5, "NonFiniteLoss"],
      [14, "NonFiniteLoss"],
      [23, "NonFiniteLoss"],
    ],
  );
});
