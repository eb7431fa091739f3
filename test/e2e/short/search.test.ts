// A search from YAML to Complete: what its ledger, its weights and its samples say agrees, and it asks little of the
// API server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "js-yaml";
import { isAudited, requestsOf, writesOf } from "../audit.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

/** design.md: "at most 12 API writes a trial". */
const MOST_WRITES = 12;
/** What a search takes whatever its length: its first and last words, its ledger's beginning, the policy's updates. */
const OWN_WRITES = 20;

interface Definition {
  spec: { versions: { additionalPrinterColumns: { name: string; priority?: number }[] }[] };
}

/** The columns that kubectl promises, all of them with -o wide. */
function columnsOf(file: string, wide: boolean): string[] {
  const path = new URL(`../../../crds/${file}.yaml`, import.meta.url);
  const [version] = (load(readFileSync(path, "utf8")) as Definition).spec.versions;
  const columns = version!.additionalPrinterColumns.filter(({ priority = 0 }) => wide || priority === 0);
  return ["name", ...columns.map(({ name }) => name)].map((name) => name.toUpperCase());
}

/** What `kubectl get` shows of a kind: the names of its columns, and by the name of each object what stands in them. */
async function shown(space: Space, kind: string, ...options: string[]) {
  const [head, ...rows] = (await space.kubectl("get", kind, ...options)).trimEnd().split("\n");
  const places = [...head!.matchAll(/\S+/g)].map(({ 0: name, index }) => ({ name, index }));
  const cells = rows.map((row) =>
    Object.fromEntries(
      places.map(({ name, index }, i) => [name, row.slice(index, places[i + 1]?.index).trim()]),
    ),
  );
  return {
    columns: places.map(({ name }) => name),
    of: Object.fromEntries(cells.map((row) => [row.NAME!, row])) as Record<string, Record<string, string>>,
  };
}

const AGE = /^\d+[smh](\d+s)?$/;

test("a search runs from YAML to Complete", async (context) => {
  const space = await createSpace(context);
  await space.operator();
  const maxTrials = 12;
  const start = performance.now();
  await space.apply(pretendSearch("first", { maxTrials }, { misdeeds: { 5: [65] } }));
  // Throws where kubectl does not return 0.
  await space.kubectl("wait", "--for=condition=Complete", "archsearch/first", "--timeout=120s");
  const { status } = await space.condition("first", "Complete");
  const seconds = (performance.now() - start) / 1000;
  assert.equal(status?.entries, maxTrials);
  assert.equal(status?.trials?.succeeded, maxTrials - 1);
  assert.equal(status?.trials?.failed, 1);
  assert.equal(status?.policyUpdates, 2);
  assert.deepEqual(await space.findings("first"), []);
  // Their results are in the ledger: nothing of them stays but the trials.
  await space.until("the Jobs to go", async () => (await space.list("Job")).length === 0);
  await space.until("the pods to go", async () => (await space.list("Pod")).length === 0);
  assert.equal((await space.trials("first")).length, maxTrials);
  context.diagnostic(`${maxTrials} trials in ${seconds.toFixed(1)} s`);

  if (!isAudited()) return context.diagnostic("requests are not counted: the audit log is not here");
  const counts = await requestsOf(`system:serviceaccount:${space.namespace}:segnas`);
  const writes = writesOf(counts);
  context.diagnostic(`${(writes / maxTrials).toFixed(1)} writes a trial: ${JSON.stringify(counts)}`);
  assert.ok(writes <= MOST_WRITES * maxTrials + OWN_WRITES, `${writes} writes, ${maxTrials} trials`);
});

test("kubectl get answers whether a search is going, how good it is, how much is left and what it costs", async (context) => {
  const space = await createSpace(context);
  await space.operator();
  const pretence = { seconds: [1, 1] as [number, number], misdeeds: { 1: [65 as const] }, held: true };
  await space.apply(pretendSearch("watched", { maxTrials: 3, parallelism: 2 }, pretence));
  await space.training("watched-0");
  // The first that trains tells its search, which counts it a moment later.
  const begun = await space.until("kubectl to show that a trial trains", async () => {
    const row = (await shown(space, "archsearch")).of.watched!;
    return row.RUNNING !== "0" && row.RUNNING !== "" && row;
  });
  assert.equal(begun.STATE, "Searching");
  assert.equal(begun.OF, "3");
  const early = (await shown(space, "candidatetrial")).of["watched-0"]!;
  assert.equal(early.STATE, "Running");
  assert.equal(early.REWARD, "");
  await space.release("watched-0", "watched-2");
  await space.kubectl("wait", "--for=condition=Complete", "archsearch/watched", "--timeout=120s");

  const { status } = await space.get("watched");
  const { reward, meanIoU, trial, parameters } = status!.best!;
  const searches = await shown(space, "archsearch");
  assert.deepEqual(searches.columns, columnsOf("architecturesearches", false));
  const { AGE: age, ...row } = searches.of.watched!;
  assert.match(age!, AGE);
  const isOver = {
    ...{ NAME: "watched", STATE: "MaxTrialsReached", SETTLED: "3", OF: "3", RUNNING: "0", FAILED: "1" },
    ...{ BEST: reward, MIOU: meanIoU, "GPU-SECONDS": status!.gpuSeconds },
  };
  assert.deepEqual(row, isOver);
  // Two trained for a second at least.
  assert.ok(Number(row["GPU-SECONDS"]) >= 2, row["GPU-SECONDS"]);
  const wide = await shown(space, "archsearch", "-o", "wide");
  assert.deepEqual(wide.columns, columnsOf("architecturesearches", true));
  const { AGE: _, ...wideRow } = wide.of.watched!;
  const more = {
    "BEST-TRIAL": trial,
    PARAMETERS: String(parameters),
    UPDATES: String(status!.policyUpdates),
  };
  assert.deepEqual(wideRow, { ...isOver, ...more });

  const short = await shown(space, "candidatetrial");
  const all = await shown(space, "candidatetrial", "-o", "wide");
  assert.deepEqual(short.columns, columnsOf("candidatetrials", false));
  assert.deepEqual(all.columns, columnsOf("candidatetrials", true));
  for (const { metadata, spec, status } of await space.trials("watched")) {
    const result = status!.result!;
    const { AGE: age, STAGE: _, ...row } = short.of[metadata.name]!;
    assert.match(age!, AGE);
    const failed = result.outcome === "Failed";
    const ended = {
      ...{ NAME: metadata.name, STATE: failed ? "NonFiniteLoss" : "Succeeded" },
      ...{ REWARD: result.reward ?? "", MIOU: result.metrics?.meanIoU ?? "" },
      ...{ PARAMETERS: String(spec.parameters), "GPU-SECONDS": result.gpuSeconds },
    };
    assert.deepEqual(row, ended);
    const { AGE: _age, STAGE: _stage, ...wideRow } = all.of[metadata.name]!;
    const more = { SEARCH: "watched", INDEX: String(spec.index), MACS: String(spec.macs) };
    assert.deepEqual(wideRow, { ...ended, ...more, CAUSE: result.cause ?? "" });
  }
  assert.deepEqual(Object.keys(all.of), ["watched-0", "watched-1", "watched-2"]);
  assert.equal(all.of["watched-1"]!.CAUSE, "NonFiniteLoss");
});
