// The chart's values: what values.yaml says, its schema and the templates must speak of the same fields.
// The same goes for the names that chart and operator share. That the chart works is for the tests on a cluster, which
// have helm.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import { load } from "js-yaml";

const chart = new URL("../../../charts/segnas/", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, chart), "utf8");

interface Schema {
  properties?: Record<string, Schema>;
  $ref?: string;
  definitions?: Record<string, Schema>;
}
const schema = JSON.parse(read("values.schema.json")) as Schema;
const values = load(read("values.yaml")) as Record<string, unknown>;
const validate = new Ajv({ allErrors: true }).compile(schema);

/** The fields that the schema closes, as dotted paths: image.tag. */
function fieldsOf(schema: Schema, definitions: Record<string, Schema>, path = ""): string[] {
  const { properties } = schema.$ref ? definitions[schema.$ref.replace("#/definitions/", "")]! : schema;
  if (!properties) return [path];
  return Object.entries(properties).flatMap(([name, field]) =>
    fieldsOf(field, definitions, path ? `${path}.${name}` : name),
  );
}
// Helm itself hands `global` down to charts.
const fields = fieldsOf(schema, schema.definitions!).filter((field) => field !== "global");

const has = (path: string): boolean => {
  const at = path
    .split(".")
    .reduce<unknown>((value, name) => (value as Record<string, unknown>)?.[name], values);
  return at !== undefined;
};

test("the defaults are admitted, and a misspelt field is not", () => {
  assert.ok(validate(values), JSON.stringify(validate.errors));
  assert.ok(!validate({ ...values, replica: 1 }));
  assert.ok(!validate({ ...values, image: { repository: "x", tag: "1", version: "1" } }));
  assert.ok(!validate({ ...values, replicas: 3 }));
  assert.ok(!validate({ ...values, scope: "Everything" }));
});

test("runbooks are a URL, to which an alert's paragraph is added, or nothing", () => {
  const admits = (runbooks: string): boolean =>
    validate({ ...values, alerts: { enabled: true, labels: {}, runbooks } });
  for (const runbooks of ["", "https://example.org/runbooks.md", "http://wiki/segnas/?page=runbooks"])
    assert.ok(admits(runbooks), runbooks);
  for (const runbooks of ["docs/runbooks.md", "/runbooks", "https://example.org/#runbooks", "https://a b"])
    assert.ok(!admits(runbooks), runbooks);
});

test("every field of the schema has its default in values.yaml", () => {
  assert.deepEqual(
    fields.filter((field) => !has(field)),
    [],
  );
});

test("templates read only fields that there are, and every field is read by one", () => {
  const templates = globSync("templates/**/*.*", { cwd: chart }).map(read).join("\n");
  const readFields = [...templates.matchAll(/\.Values\.([\w.]+)/g)].map(([, field]) => field!);
  assert.deepEqual(
    readFields.filter((field) => !has(field)),
    [],
  );
  const unread = fields.filter(
    (field) => !readFields.some((at) => field === at || field.startsWith(`${at}.`)),
  );
  assert.deepEqual(unread, []);
});

test("what the Deployment tells the operator is what the operator reads", () => {
  const [, env] = /\n {10}env:\n(.*?)\n {10}ports:/s.exec(read("templates/deployment.yaml"))!;
  const told = [...env!.matchAll(/- name: (\w+)/g)].map(([, name]) => name!);
  const settings = readFileSync(new URL("../../operator/settings.ts", chart), "utf8");
  const known = [...settings.matchAll(/\b(SEGNAS|POD)_[A-Z_]+\b/g)].map(([name]) => name);
  assert.deepEqual(told.toSorted(), [...new Set(known)].sort());
});

test("the Lease that the operator may write is the one that it holds", () => {
  const [, name] = /const LEASE = "([\w-]+)"/.exec(
    readFileSync(new URL("../../operator/operator.ts", chart), "utf8"),
  )!;
  assert.match(
    read("templates/rbac.yaml"),
    new RegExp(`resources: \\[leases\\]\\s+resourceNames: \\[${name}\\]`),
  );
});
