import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, jsonLines } from "../../../cli/export.ts";
import { outputOf } from "../../../cli/report.ts";
import { toGenotype } from "../../../searchspace/architecture.ts";
import { searchOf } from "../web/fixtures.ts";

const { trials } = searchOf(6);
const deleted = { name: "city-6", index: 6, outcome: "Deleted" as const, message: 'a "word",\nand more' };

test("JSON Lines have an object for each trial", () => {
  const records = jsonLines([...trials, deleted])
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ index, outcome, reward }) => [index, outcome, reward]),
    [...trials.map(({ index, outcome, reward = null }) => [index, outcome, reward]), [6, "Deleted", null]],
  );
  assert.deepEqual(records[0].genotype, toGenotype(trials[0]!.architecture!));
  assert.deepEqual(Object.keys(records[6]), Object.keys(records[0]));
});

test("CSV has a row for each trial, and quotes what needs it", () => {
  const [titles, ...rows] = csv([trials[0]!, deleted]).split("\r\n");
  assert.match(titles!, /^index,trial,outcome,reward,meanIoU,.*,message,genotype$/);
  assert.match(rows[0]!, /^0,city-0,Succeeded,0\.\d+,.*,"\[\[\[.*\]\]\]"$/);
  assert.match(rows[1]!, /^6,city-6,Deleted,,,,,,,,false,,,"a ""word"",\nand more",$/);
  assert.deepEqual(rows.slice(2), [""]);
});

test("the output is a format, or a file that names one", () => {
  assert.deepEqual(outputOf("csv"), { format: "csv" });
  const tensorboard = "runs/events.out.tfevents.1";
  assert.deepEqual(outputOf(tensorboard), { format: "tfevents", file: tensorboard });
  assert.deepEqual(outputOf("a.b/Report.HTML"), { format: "html", file: "a.b/Report.HTML" });
  assert.throws(
    () => outputOf("report.pdf"),
    /^UserError: --output report\.pdf: write html, json, csv, jsonl or tfevents/,
  );
});
