// What the dashboards make of what Prometheus knows, by Prometheus's own promtool.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SearchCondition } from "@segnas/operator/api/conditions.ts";
import { overview } from "@segnas/operator/metrics/dashboards/overview.ts";
import { run } from "../../cluster/machine.ts";
import { noPrometheus } from "../../prometheus.ts";

interface Table {
  title: string;
  targets: { refId: string; expr: string }[];
  transformations: { options: { renameByName?: Record<string, string> } }[];
  fieldConfig: {
    overrides: { matcher: { options: string }; properties: { id: string; value: unknown }[] }[];
  };
}
const table = overview.panels!.find(({ title }) => title === "Searches") as unknown as Table;

/** The query of a column, with every search chosen. */
function queryOf(column: string): string {
  const names = table.transformations.flatMap(({ options }) => Object.entries(options.renameByName ?? {}));
  const [value] = names.find(([, title]) => title === column)!;
  const { expr } = table.targets.find(({ refId }) => value === `Value #${refId}`)!;
  return expr.replaceAll(/\$(namespace|search)/g, ".*");
}

function propertyOf(column: string, property: string): unknown {
  const { properties } = table.fieldConfig.overrides.find(({ matcher }) => matcher.options === column)!;
  return properties.find(({ id }) => id === property)?.value;
}

/** Proves what an expression gives after `minutes`, where these series have had these values all the time. */
function prove(
  expr: string,
  minutes: number,
  series: Record<string, number>,
  expected: Record<string, number>,
) {
  const folder = mkdtempSync(join(tmpdir(), "segnas-dashboards-"));
  try {
    const file = join(folder, "test.yaml");
    const input_series = Object.entries(series).map(([series, value]) => ({ series, values: `${value}x60` }));
    const exp_samples = Object.entries(expected).map(([labels, value]) => ({ labels, value }));
    const promql_expr_test = [{ expr, eval_time: `${minutes}m`, exp_samples }];
    writeFileSync(file, JSON.stringify({ tests: [{ interval: "1m", input_series, promql_expr_test }] }));
    run("promtool", ["test", "rules", file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const skip = noPrometheus() ?? false;

test("the overview says in a word how a search stands", { skip }, () => {
  const searches: Record<string, SearchCondition[]> = {
    "not going on": [],
    "going on": ["Progressing"],
    stalled: ["Progressing", "Stalled"],
    suspended: ["Suspended"],
    complete: ["Complete"],
    failed: ["Failed"],
  };
  const [{ options }] = propertyOf("State", "mappings") as [{ options: Record<string, { text: string }> }];
  const words = Object.values(options).map(({ text }) => text);
  assert.deepEqual(words.toSorted(), Object.keys(searches).toSorted());
  const series: Record<string, number> = {};
  const expected: Record<string, number> = {};
  for (const [i, [word, held]] of Object.entries(searches).entries()) {
    for (const type of Object.values(SearchCondition))
      series[`segnas_search_condition{type="${type}", namespace="a", search="s-${i}"}`] = held.includes(type)
        ? 1
        : 0;
    expected[`{namespace="a", search="s-${i}"}`] = words.indexOf(word);
    assert.equal(options[words.indexOf(word)]!.text, word);
  }
  prove(queryOf("State"), 1, series, expected);
});

test("the overview says how much is left of spec.budget.activeDeadlineSeconds", { skip }, () => {
  assert.equal(propertyOf("Time left", "unit"), "s");
  const deadline = (search: string) =>
    `segnas_search_deadline_timestamp_seconds{namespace="a", search="${search}"}`;
  prove(
    queryOf("Time left"),
    10,
    { [deadline("long")]: 4200, [deadline("over")]: 300 },
    { '{namespace="a", search="long"}': 3600, '{namespace="a", search="over"}': 0 },
  );
});
