// The alert rules, by Prometheus's own promtool, and what they and the dashboards speak of.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { run } from "../../cluster/machine.ts";
import { noPrometheus } from "../../prometheus.ts";

const repository = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, repository), "utf8");

interface Rule {
  alert: string;
  expr: string;
  annotations: { summary: string; description: string; runbook_url?: string };
}
const { groups } = load(read("charts/segnas/alerts.yaml")) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap(({ rules }) => rules);

interface Tests {
  tests: { alert_rule_test: { alertname: string; exp_alerts?: object[] }[] }[];
}
const tests = (load(read("test/unit/metrics/alerts.promtool.yaml")) as Tests).tests.flatMap(
  ({ alert_rule_test }) => alert_rule_test,
);

const skip = noPrometheus() ?? false;

test("each alert comes when it should, and not before", { skip }, () => {
  const path = (file: string): string => fileURLToPath(new URL(file, repository));
  run("promtool", ["check", "rules", path("charts/segnas/alerts.yaml")]);
  run("promtool", ["test", "rules", path("test/unit/metrics/alerts.promtool.yaml")]);
});

test("each alert has a test in which it comes and one in which it does not, and a paragraph in the runbooks", () => {
  const runbooks = [...read("docs/runbooks.md").matchAll(/^## (\w+)$/gm)].map(([, name]) => name!);
  const names = [...new Set(rules.map(({ alert }) => alert))];
  assert.deepEqual(runbooks.toSorted(), names.toSorted());
  for (const { alert, annotations } of rules) {
    const own = tests.filter(({ alertname }) => alertname === alert);
    assert.ok(own.some(({ exp_alerts }) => exp_alerts) && own.some(({ exp_alerts }) => !exp_alerts), alert);
    assert.equal(annotations.description, `What to do: docs/runbooks.md of segnas, ${alert}.`);
    // Only who installs the chart knows a URL: a link that leads nowhere is not sent.
    assert.equal(annotations.runbook_url, undefined);
  }
});

test("alerts, dashboards and runbooks speak only of metrics that there are", () => {
  const there = new Set([...read("docs/metrics.md").matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name));
  const pages = globSync("charts/segnas/dashboards/*.json", { cwd: fileURLToPath(repository) });
  assert.equal(pages.length, 3);
  for (const file of ["charts/segnas/alerts.yaml", "docs/runbooks.md", ...pages]) {
    const named = read(file).matchAll(
      /\b(?:segnas_(?:search|watch|trainer|build)|controller_runtime|workqueue|rest_client|leader_election|process|nodejs)_\w+/g,
    );
    const names = [...named].map(([name]) =>
      there.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ""),
    );
    assert.ok(names.length > 0, file);
    assert.deepEqual(
      names.filter((name) => !there.has(name)),
      [],
      file,
    );
  }
});
