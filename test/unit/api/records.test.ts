// What the ledger writes against the CRD of SearchRecords: a field that the schema does not know would be dropped by
// an API server without a word, and a digest would fit no more.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Schema } from "@segnas/operator/api/crds.ts";
import { ruleCauses } from "@segnas/operator/api/rules.ts";
import { keyOf, type SearchRecord, type Store } from "@segnas/operator/api/store.ts";
import { unknownFields, violations } from "@segnas/operator/api/structural.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { appendEntry, openLedger, writeNotes } from "@segnas/operator/ledger/shards.ts";
import { writeSnapshot } from "@segnas/operator/ledger/snapshots.ts";
import { load } from "js-yaml";
import { memoryStore } from "../controllers/memory-store.ts";
import { makeSearch } from "../controllers/objects.ts";
import { succeeded } from "../ledger/entries.ts";

interface Crd {
  spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
}
const file = new URL("../../../crds/searchrecords.yaml", import.meta.url);
const schema = (load(readFileSync(file, "utf8")) as Crd).spec.versions[0]!.schema.openAPIV3Schema.properties
  .spec;

const causes = (spec: unknown, old?: unknown): string[] => [
  ...unknownFields(spec, schema),
  ...violations(spec, schema).map(({ cause }) => cause),
  ...ruleCauses(spec, old, schema, "spec"),
];

/** A store that refuses records as an API server does. */
function strict(): { store: Store; writes: { spec: SearchRecord["spec"]; old?: SearchRecord["spec"] }[] } {
  const store = memoryStore();
  const writes: ReturnType<typeof strict>["writes"] = [];
  const judge = async (write: "create" | "update", record: SearchRecord) => {
    const old = write === "update" ? (await store.get("SearchRecord", keyOf(record)))?.spec : undefined;
    writes.push({ spec: record.spec, ...(old && { old }) });
    assert.deepEqual(causes(record.spec, old), []);
    return store[write]<"SearchRecord">(record);
  };
  return {
    store: { ...store, create: judge.bind(null, "create"), update: judge.bind(null, "update") } as Store,
    writes,
  };
}

/** With all that is optional. */
type Whole<T> = T extends (infer Item)[]
  ? Whole<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Whole<T[Key]> }
    : T;

test("the schema knows every field that the ledger's types have, and requires all but the optional ones", () => {
  const [digest, format] = ["x".repeat(43), { ledger: 1, algorithm: 1, segnas: "0.1.0" }];
  const imports = { search: "other", entries: 9, digest, count: 5 };
  // A type that gets another field does not compile here until it is added, and then the schema is asked for it.
  const whole: Whole<SearchRecord["spec"]> = {
    search: "s",
    shard: {
      ...{ number: 0, format, epoch: 1, holder: "x", made: 0, reserved: 0, forgiven: 0, imports },
      ...{ sealed: false, entries: [{ entry: "{}", digest }], digest },
    },
    snapshot: { format, entries: 1, ledger: digest, chunks: [digest], digest, uids: ["uid"] },
    chunk: { entries: 1, number: 0, data: "AAAA" },
  };
  assert.deepEqual(unknownFields(whole, schema), []);
  assert.deepEqual(violations(whole, schema), []);
  const optional = ["imports", "uids"];
  for (const part of ["shard", "snapshot", "chunk"] as const)
    assert.deepEqual(
      schema.properties![part]!.required!.toSorted(),
      Object.keys(whole[part])
        .filter((name) => !optional.includes(name))
        .sort(),
    );
});

test("the schema admits all that the ledger writes, and keeps what is never to change", async () => {
  const search = makeSearch();
  const { store, writes } = strict();
  let ledger = await openLedger(store, search, "one", false);
  const imports = { search: "other", entries: 9, digest: "x".repeat(43), count: 5 };
  ledger = await writeNotes(store, ledger, { imports });
  let state = EMPTY;
  const settings = { batchSize: 3, failureReward: -1, policyLag: 6, gate: undefined };
  for (let n = 0; n < 120; n++) {
    const entry = succeeded(n, { message: "x".repeat(700) });
    ledger = await appendEntry(store, search, ledger, entry, n + 1);
    state = fold(settings, state, ledger.entries[n]!);
  }
  await openLedger(store, search, "two", false);
  const policy = new Uint8Array(1_200_000);
  await writeSnapshot(store, search, ledger, { state, updates: [], policy });
  const kinds = writes.map(({ spec, old }) => `${old ? "update" : "create"} ${Object.keys(spec)[1]}`);
  assert.deepEqual([...new Set(kinds)], ["create shard", "update shard", "create chunk", "create snapshot"]);
  assert.ok(writes.some(({ spec }) => spec.shard?.sealed));

  const chunk = writes.find(({ spec }) => spec.chunk)!.spec;
  const shard = writes.find(({ spec }) => spec.shard?.sealed)!.spec;
  const object = 'Invalid value: "object":';
  const one = `spec: ${object} must have exactly one of shard, snapshot and chunk`;
  assert.deepEqual(causes({ search: "s" }), [one]);
  assert.deepEqual(causes({ ...chunk, ...shard }), [one]);
  assert.deepEqual(causes(shard, chunk), [
    `spec: ${object} a record stays what it is: shard, snapshot or chunk`,
  ]);
  const other = { ...chunk, search: "other" };
  assert.deepEqual(causes(other, chunk), ['spec.search: Invalid value: "string": search is immutable']);
  const changed = { ...chunk, chunk: { ...chunk.chunk!, data: "AAAA" } };
  assert.deepEqual(causes(changed, chunk), [`spec.chunk: ${object} chunk is immutable`]);
  const reopened = { ...shard, shard: { ...shard.shard!, sealed: false } };
  assert.deepEqual(causes(reopened, shard), [`spec.shard: ${object} a sealed shard is immutable`]);
});
