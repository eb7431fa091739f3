// A trainer refused its configuration each time, but most architectures were over a constraint: each of those began the count
// anew, and the search failed after 19 refusals in place of three.
import assert from "node:assert/strict";
import { test } from "node:test";
import { settledEntry } from "@segnas/operator/controllers/architecturesearch/trial.ts";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { makeTrial } from "../unit/controllers/objects.ts";

const settings = { batchSize: 3, failureReward: 0, policyLag: 1, gate: undefined };
type Result = NonNullable<NonNullable<ReturnType<typeof makeTrial>["status"]>["result"]>;
const refused: Result = { outcome: "Failed", cause: "InvalidConfiguration", message: "no data" };
const rejected: Result = { outcome: "Rejected", reward: "0", message: "too large" };
const evicted: Result = { outcome: "Failed", cause: "Infrastructure", message: "evicted" };
const deleted: Result = { outcome: "Deleted" };
const reused: Result = { outcome: "Failed", reward: "0", duplicateOf: "s-0" };

const stateAfter = (results: Result[]) =>
  results
    .map((result, number): LedgerEntry => settledEntry(makeTrial(number, { result }), number)!)
    .reduce((state, entry) => fold(settings, state, entry), EMPTY);

test("three refusals are three, whatever settles between them without a trainer", () => {
  for (const other of [rejected, deleted, reused])
    assert.equal(stateAfter([refused, other, refused, other, other, refused]).refused?.entry, 5);
});

test("what a trainer has seen between them begins the count anew", () => {
  assert.equal(stateAfter([refused, refused, evicted, refused]).refused, null);
  assert.equal(stateAfter([refused, refused, evicted, refused]).refusals, 1);
});
