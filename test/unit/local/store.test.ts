// The local store keeps the rules of the Kubernetes API.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import {
  AlreadyExistsError,
  ConflictError,
  controllerReference,
  keyOf,
  NotFoundError,
  type SearchRecord,
} from "@segnas/operator/api/store.ts";
import { quantity } from "@segnas/operator/controllers/candidatetrial/threads.ts";
import { openStore } from "@segnas/operator/local/store.ts";
import { memoryStore } from "../controllers/memory-store.ts";
import { makeJob, makeSearch, makeTrial } from "../controllers/objects.ts";
import { temporaryFolder, temporaryStore } from "./folder.ts";

const record = (name: string, labels: Record<string, string> = {}): SearchRecord => ({
  apiVersion: "segnas.dev/v1alpha1",
  kind: "SearchRecord",
  metadata: { name, labels },
  spec: { search: "s" },
});

/** The store of the tests' models keeps them too. */
for (const [kind, open] of [
  ["local", temporaryStore],
  ["memory", () => memoryStore()],
] as const) {
  test(`${kind}: create fills in what a store knows, and leaves a status out`, async (context) => {
    const store = open(context);
    const trial = await store.create<"CandidateTrial">(makeTrial(0, { entry: 3 }));
    assert.deepEqual(trial.metadata.uid, "uid-1");
    assert.equal(trial.metadata.generation, 1);
    assert.equal(trial.metadata.creationTimestamp, "2026-01-02T03:04:05Z");
    assert.equal(trial.status, undefined);
    assert.deepEqual(await store.get("CandidateTrial", keyOf(trial)), trial);
    await assert.rejects(store.create<"CandidateTrial">(makeTrial(0)), AlreadyExistsError);
  });

  test(`${kind}: a write from an older version is a conflict, one without any change is none`, async (context) => {
    const store = open(context);
    const first = await store.create<"SearchRecord">(record("a"));
    const second = await store.update<"SearchRecord">({ ...first, spec: { search: "t" } });
    await assert.rejects(store.update<"SearchRecord">(first), ConflictError);
    assert.deepEqual(await store.update<"SearchRecord">(second), second);
  });

  test(`${kind}: update leaves status, updateStatus leaves the rest; generation counts changes of spec`, async (context) => {
    const store = open(context);
    const made = await store.create<"ArchitectureSearch">(makeSearch());
    const spec = { ...made.spec, maxTrials: 5 };
    const withStatus = await store.updateStatus<"ArchitectureSearch">({
      ...made,
      spec,
      status: { entries: 2 },
    });
    assert.equal(withStatus.spec.maxTrials, 20);
    assert.equal(withStatus.metadata.generation, 1);
    const updated = await store.update<"ArchitectureSearch">({ ...withStatus, spec, status: { entries: 9 } });
    assert.equal(updated.status?.entries, 2);
    assert.equal(updated.metadata.generation, 2);
    const labelled = { ...updated, metadata: { ...updated.metadata, labels: { a: "b" } } };
    assert.equal((await store.update<"ArchitectureSearch">(labelled)).metadata.generation, 2);
  });

  test(`${kind}: delete takes what is owned with it, and only the object of that UID`, async (context) => {
    const store = open(context);
    const search = await store.create<"ArchitectureSearch">(makeSearch());
    const trial = makeTrial(0);
    trial.metadata = { ...trial.metadata, ownerReferences: [controllerReference(search)] };
    const made = await store.create<"CandidateTrial">(trial);
    const job = await store.create<"Job">(makeJob(search, made));
    await assert.rejects(store.delete("ArchitectureSearch", keyOf(search), { uid: "other" }), ConflictError);
    await store.delete("ArchitectureSearch", keyOf(search), { uid: search.metadata.uid! });
    assert.equal(await store.get("CandidateTrial", keyOf(made)), undefined);
    assert.equal(await store.get("Job", keyOf(job)), undefined);
    await assert.rejects(store.updateStatus<"CandidateTrial">(made), NotFoundError);
    await store.delete("ArchitectureSearch", keyOf(search), { uid: search.metadata.uid! });
  });

  test(`${kind}: list goes by kind, namespace and labels, in the order of names`, async (context) => {
    const store = open(context);
    for (const [name, label] of [
      ["b", "1"],
      ["c", "2"],
      ["a", "1"],
    ] as const) {
      await store.create<"SearchRecord">(record(name, { of: label }));
    }
    const names = async (namespace: string, labels?: Record<string, string>) =>
      (await store.list("SearchRecord", namespace, labels)).map(({ metadata }) => metadata.name);
    assert.deepEqual(await names("default"), ["a", "b", "c"]);
    assert.deepEqual(await names("default", { of: "1" }), ["a", "b"]);
    assert.deepEqual(await names("elsewhere"), []);
    assert.deepEqual(await store.list("Job", "default"), []);
  });

  test(`${kind}: a watch tells of every change in order, until it is ended`, async (context) => {
    const store = open(context);
    const seen: string[] = [];
    const unwatch = store.watch("SearchRecord", ({ type, object }) =>
      seen.push(`${type} ${object.spec.search}`),
    );
    const made = await store.create<"SearchRecord">(record("a"));
    await store.update<"SearchRecord">({ ...made, spec: { search: "t" } });
    await store.delete("SearchRecord", keyOf(made), { uid: made.metadata.uid! });
    await setImmediate();
    unwatch();
    await store.create<"SearchRecord">(record("b"));
    await setImmediate();
    assert.deepEqual(seen, ["ADDED s", "MODIFIED t", "DELETED t"]);
  });
}

test("what was written is there when the folder is opened again, and only one may have it open", async (context) => {
  const folder = temporaryFolder(context);
  const store = openStore(folder);
  const made = await store.create<"SearchRecord">(record("a"));
  assert.throws(() => openStore(folder), { name: "UserError", message: /another process runs this search/ });
  store.close();
  const again = openStore(folder);
  assert.deepEqual(await again.get("SearchRecord", keyOf(made)), made);
  const next = await again.create<"SearchRecord">(record("b"));
  assert.ok(Number(next.metadata.resourceVersion) > Number(made.metadata.resourceVersion));
  again.close();
});

test("a folder that holds a damaged file, or another program's, is refused", (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, "objects.sqlite");
  writeFileSync(file, "no database, but long enough to be one".repeat(100));
  assert.throws(() => openStore(folder), { name: "UserError", message: /cannot be used.*not a database/ });
  rmSync(file);
  const foreign = new DatabaseSync(file);
  foreign.exec("CREATE TABLE objects (colour TEXT)");
  foreign.close();
  const before = readFileSync(file);
  assert.throws(() => openStore(folder), { name: "UserError", message: /another program's.*no such column/ });
  assert.deepEqual(readFileSync(file), before);
  rmSync(file);
  openStore(folder).close();
});

test("a folder whose first process was killed before it had made the tables can be used", (context) => {
  const folder = temporaryFolder(context);
  const database = new DatabaseSync(join(folder, "objects.sqlite"));
  database.exec("PRAGMA journal_mode = WAL");
  database.close();
  openStore(folder).close();
});

test("a row that was changed from outside is named", (context) => {
  const folder = temporaryFolder(context);
  const store = openStore(folder);
  store.create<"SearchRecord">(record("a"));
  store.create<"SearchRecord">(record("b"));
  assert.deepEqual(store.damage(), []);
  store.close();
  const database = new DatabaseSync(join(folder, "objects.sqlite"));
  database.exec(`UPDATE objects SET body = replace(body, '"s"', '"t"') WHERE name = 'b'`);
  database.close();
  const again = openStore(folder);
  assert.deepEqual(again.damage(), ["the record of SearchRecord b is not as it was written"]);
  again.close();
});

test("a folder that is removed under an open store is told, not written into nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "segnas-test-"));
  const store = openStore(folder);
  rmSync(folder, { recursive: true });
  await assert.rejects(store.create<"SearchRecord">(record("a")), {
    name: "UserError",
    message: /was removed/,
  });
  store.close();
});

test("quantities are read as Kubernetes means them", () => {
  const read = { "4Gi": 4 * 2 ** 30, "500m": 0.5, "2": 2, "1.5k": 1500, "1e3": 1000, "100Mi": 100 * 2 ** 20 };
  for (const [text, value] of Object.entries(read)) assert.equal(quantity(text), value);
  assert.equal(quantity(3), 3);
  assert.throws(() => quantity("4 gigs"), /"4 gigs" is not a quantity/);
});
