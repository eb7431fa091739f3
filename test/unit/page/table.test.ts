// Trials by columns: whatever the pieces that they come in, and joined again by the browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { joined, type Trials } from "@segnas/operator/web/page/client/trials.ts";
import { emptyTable, extendTable, type TrialTable, trialsDocument } from "@segnas/operator/web/page/table.ts";
import { OPERATIONS } from "@segnas/searchspace/architecture.ts";
import { sampleUniform, toDecisions } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import fc from "fast-check";
import { makeSearch, makeTrial } from "../controllers/objects.ts";
import { ledgers, succeeded } from "../ledger/entries.ts";

const decisions = toDecisions(sampleUniform(random(5)));
const search = makeSearch();
const real = (entries: LedgerEntry[]): LedgerEntry[] =>
  entries.map((entry) => (entry.outcome === "Deleted" ? entry : { ...entry, decisions }));
const tableOf = (entries: LedgerEntry[]): TrialTable => {
  const table = emptyTable();
  extendTable(table, entries);
  return table;
};
const view = (trials: CandidateTrial[] = []) => ({ search, trials, policy: [], isLive: true });
const all = (table: TrialTable, trials = [makeTrial(99)]) => trialsDocument(view(trials), table, 0);
/** As the browser has it. */
const sent = <T>(document: T): T => JSON.parse(JSON.stringify(document));

test("a ledger that is looked at in pieces gives what it gives at once", () => {
  fc.assert(
    fc.property(ledgers, fc.integer({ min: 1, max: 7 }), (entries, atMost) => {
      const table = emptyTable();
      while (!extendTable(table, real(entries), atMost));
      assert.deepEqual(table, tableOf(real(entries)));
    }),
  );
});

test("what is asked for since n and joined to what was known is the whole", () => {
  fc.assert(
    fc.property(ledgers, fc.nat(40), (entries, n) => {
      const before = real(entries.slice(0, n));
      const known = joined(undefined, sent(all(tableOf(before)))) as Trials;
      const table = tableOf(real(entries));
      const told = sent(trialsDocument(view([makeTrial(98)]), table, known.settled));
      assert.deepEqual(joined(known, told), joined(undefined, sent(all(table, [makeTrial(98)]))));
    }),
  );
});

test("what does not fit what is known is not joined to it", () => {
  const table = tableOf(real([succeeded(0), succeeded(1)]));
  const known = joined(undefined, all(table));
  const told = trialsDocument(view(), table, 1);
  assert.equal(joined(undefined, told), undefined);
  assert.equal(joined(known, told), undefined);
  const fitting = trialsDocument(view(), table, 2);
  assert.equal(joined(known, { ...fitting, uid: "of another search" }), undefined);
  assert.notEqual(joined(known, fitting), undefined);
});

test("what a search that has stopped left unfinished waits for it to go on", () => {
  const attempts = [{ number: 0, job: "j", startTime: "2026-03-01T00:00:00Z" }];
  const trials = [makeTrial(3, { attempts })];
  const told = (isLive: boolean) => {
    const { open, outcomes } = trialsDocument({ ...view(trials), isLive }, emptyTable(), 0);
    return [outcomes[open.outcome[0]!], open.words[0]];
  };
  assert.deepEqual(told(true), ["Running", undefined]);
  assert.deepEqual(told(false), ["Pending", "waits for the search to go on"]);
});

test("a row says in words what its numbers do not", () => {
  const entries: LedgerEntry[] = [
    succeeded(0, { decisions, reward: 1 / 3 }),
    succeeded(1, { decisions, outcome: "Failed", cause: "OutOfMemory", message: "2 GiB were too little" }),
    succeeded(2, { decisions, duplicateOf: "s-0" }),
    succeeded(3, { decisions, stopped: true }),
    { number: 4, index: 4, trial: "s-4", outcome: "Deleted" },
  ];
  const { rows, open, operations } = all(tableOf(entries));
  assert.equal(rows.reward[0], 0.333333);
  assert.deepEqual(rows.words, {
    1: "it ran out of memory: 2 GiB were too little",
    2: "the same network as s-0",
    3: "stopped by the gate",
    4: "it was deleted by hand",
  });
  assert.deepEqual(open.words, { 0: "waits for its first attempt" });
  assert.deepEqual(rows.parameters.at(-1), null);
  const code = rows.operations[0]!.toString(operations.length).padStart(6, "0");
  const chosen = [0, 1, 3, 4, 6, 7].map((choice) => decisions[choice]);
  assert.deepEqual([...code].map(Number), chosen);
  assert.deepEqual(operations, [...OPERATIONS]);
});

test("trials taken over from another search are counted, and are no rows", () => {
  const entries = [
    succeeded(0, { decisions, index: -1, source: "other" }),
    succeeded(1, { decisions, index: 0 }),
  ];
  const table = tableOf(entries);
  assert.deepEqual([table.imported, table.rows.index], [1, [0]]);
});
