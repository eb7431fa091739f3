// The verdicts of admit against those of a real API server, recorded in verdicts.json (how: record.ts), and how
// files are read.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { definitions, type Kind, type Schema } from "../../../operator/api/crds.ts";
import type { ArchitectureSearch } from "../../../operator/api/generated/architecturesearches.ts";
import { admit, judge, parseManifest } from "../../../operator/api/validate.ts";
import { UserError } from "../../../searchspace/errors.ts";

interface Verdict {
  name: string;
  manifest: { kind: Kind; spec: unknown };
  old?: { kind: Kind };
  accepted?: { spec: unknown; status?: unknown };
  refused?: string[];
}
const verdicts: Verdict[] = JSON.parse(readFileSync(new URL("verdicts.json", import.meta.url), "utf8"));

/** The API server adds this where types are wrong; it names nothing that a person could mend. */
const unchecked = /^<nil>: Invalid value: null: some validation rules were not checked/;

for (const { name, manifest, old, accepted, refused } of verdicts) {
  test(`as the API server: ${name}`, () => {
    const before = old && (judge(old.kind, old).admitted as object);
    const { admitted, causes } = judge(manifest.kind, manifest, before);
    // The server walks maps in any order.
    assert.deepEqual(causes.toSorted(), (refused ?? []).filter((cause) => !unchecked.test(cause)).sort());
    if (accepted) {
      const { spec, status } = admitted as { spec: unknown; status?: unknown };
      assert.deepEqual({ spec, ...(status !== undefined && { status }) }, accepted);
    }
  });
}

test("every rule of the schemas has refused something", () => {
  const messages = (schema: Schema): string[] => [
    ...(schema["x-kubernetes-validations"] ?? []).map(({ message }) => message),
    ...Object.values(schema.properties ?? {}).flatMap(messages),
  ];
  const causes = verdicts.flatMap(({ refused }) => refused ?? []);
  const unseen = Object.values(definitions)
    .flatMap(({ schema }) => messages(schema))
    .filter((message) => !causes.some((cause) => cause.endsWith(message)));
  assert.deepEqual(unseen, []);
});

const manifest = (spec: object) => ({
  apiVersion: "segnas.dev/v1alpha1",
  kind: "ArchitectureSearch",
  metadata: { name: "demo" },
  spec: { maxTrials: 10, dataset: { format: "Shapes" }, ...spec },
});
const refusal = (message: string) => (error: unknown) => {
  assert.ok(error instanceof UserError);
  assert.equal(error.message, message);
  return true;
};

test("an admitted object is admitted again as it is, and left alone", () => {
  const given = manifest({ policy: { name: "random" } });
  const copy = structuredClone(given);
  const search = admit("ArchitectureSearch", given);
  assert.deepEqual(given, copy);
  assert.deepEqual(admit("ArchitectureSearch", search), search);
  assert.deepEqual(admit("ArchitectureSearch", search, search), search);
});

test("an update keeps the status that was there", () => {
  const old: ArchitectureSearch = { ...admit("ArchitectureSearch", manifest({})), status: { entries: 3 } };
  const update = { ...manifest({ maxTrials: 5 }), status: { entries: 9 } };
  assert.deepEqual(admit("ArchitectureSearch", update, old).status, { entries: 3 });
});

test("one cause is said in one line, several in a list", () => {
  assert.throws(
    () => admit("ArchitectureSearch", manifest({ maxTrials: 0 })),
    refusal(
      'The ArchitectureSearch "demo" is invalid: spec.maxTrials: Invalid value: 0: spec.maxTrials in body should be greater than or equal to 1',
    ),
  );
  assert.throws(
    () => admit("ArchitectureSearch", manifest({ a: 1, b: 1 })),
    refusal('The ArchitectureSearch "demo" is invalid: \n* unknown field "spec.a"\n* unknown field "spec.b"'),
  );
});

test("a real number without quotes gets a hint", () => {
  assert.throws(
    () => admit("ArchitectureSearch", manifest({ policy: { learningRate: 0.001 } })),
    /"number" \(write it in quotes\)$/,
  );
});

test("what is no object of the kind is refused", () => {
  const mistakes: [unknown, RegExp][] = [
    [undefined, /must be an object with apiVersion, kind, metadata and spec/],
    [[], /must be an object/],
    [{}, /apiVersion: Required value: must be segnas.dev\/v1alpha1/],
    [
      { ...manifest({}), apiVersion: "segnas.dev/v1" },
      /apiVersion: Invalid value: "segnas.dev\/v1": must be/,
    ],
    [{ ...manifest({}), kind: "Job" }, /kind: Invalid value: "Job": must be ArchitectureSearch/],
    [{ ...manifest({}), metadata: { name: 5 } }, /metadata.name in body must be of type string: "integer"/],
    [{ ...manifest({}), metadata: "demo" }, /metadata in body must be of type object: "string"/],
  ];
  for (const [object, message] of mistakes)
    assert.throws(() => admit("ArchitectureSearch", object), { name: "UserError", message });
});

test("a manifest is read as kubectl reads it", () => {
  const text =
    "kind: ArchitectureSearch\nspec: {suspend: yes, maxTrials: 010, seed: 1_000, when: 2026-01-01}\n";
  assert.deepEqual(parseManifest(text, "a.yaml"), {
    kind: "ArchitectureSearch",
    spec: { suspend: true, maxTrials: 8, seed: 1000, when: "2026-01-01" },
  });
  assert.deepEqual(parseManifest('{"kind": "ArchitectureSearch"}', "a.json"), { kind: "ArchitectureSearch" });
});

test("other objects in the file are passed over", () => {
  assert.deepEqual(parseManifest("---\nkind: ConfigMap\n---\nkind: ArchitectureSearch\n---\n", "a.yaml"), {
    kind: "ArchitectureSearch",
  });
});

test("a file that cannot be used is refused in one sentence", () => {
  const files: [string, string][] = [
    ["", "a.yaml is empty: it must hold an ArchitectureSearch"],
    ["# later\n", "a.yaml is empty: it must hold an ArchitectureSearch"],
    ["spec:\n  a: b: c\n", "a.yaml:2:7: not valid YAML: bad indentation of a mapping entry"],
    ["a: 1\na: 2\n", "a.yaml:2:1: not valid YAML: duplicated mapping key"],
    ["kind: Job\n---\n5\n", "a.yaml holds no object of kind ArchitectureSearch, but: Job, no kind"],
    [
      "kind: ArchitectureSearch\n---\nkind: ArchitectureSearch\n",
      "a.yaml holds 2 objects of kind ArchitectureSearch: it must hold one",
    ],
  ];
  for (const [text, message] of files) assert.throws(() => parseManifest(text, "a.yaml"), refusal(message));
});
