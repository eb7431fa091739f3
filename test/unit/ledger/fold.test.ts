// Laws of the fold over the ledger.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type LedgerEntry, readEntry, type SettledEntry, writeEntry } from "@segnas/operator/ledger/entry.ts";
import { EMPTY, fold, type SearchState, versionAfter } from "@segnas/operator/ledger/fold.ts";
import fc from "fast-check";
import { ledgers, succeeded } from "./entries.ts";

const gate = { decay: 0.9, tolerance: 0.9, biasCorrection: true };
const settings = { batchSize: 3, failureReward: -1, policyLag: 6, gate };
const foldAll = (entries: LedgerEntry[], from = EMPTY): SearchState =>
  entries.reduce((state, entry) => fold(settings, state, entry), from);
const scored = (entries: LedgerEntry[]) =>
  entries.filter(
    (entry): entry is SettledEntry => entry.outcome === "Succeeded" && Number.isFinite(entry.reward),
  );
const isEligible = ({ outcome }: LedgerEntry) => outcome !== "Infrastructure" && outcome !== "Deleted";

test("folding a beginning, kept as JSON, and then the rest gives what folding all gives", () => {
  fc.assert(
    fc.property(ledgers, fc.nat(40), (entries, at) => {
      const kept = JSON.parse(JSON.stringify(foldAll(entries.slice(0, at))));
      assert.deepEqual(foldAll(entries.slice(at), kept), foldAll(entries));
    }),
  );
});

test("counts, batches and tail account for every entry", () => {
  fc.assert(
    fc.property(ledgers, (entries) => {
      const state = foldAll(entries);
      const { Succeeded, Failed, Rejected, Infrastructure, Deleted } = state.outcomes;
      assert.equal(state.entries, entries.length);
      assert.equal(Succeeded + Failed + Rejected + Infrastructure + Deleted, entries.length);
      const eligible = entries.filter(isEligible);
      assert.equal(state.policyUpdates, Math.floor(eligible.length / 3));
      const left = eligible.slice(state.policyUpdates * 3).map(({ index }) => index);
      assert.deepEqual(
        state.tail.map(({ index }) => index),
        left,
      );
      assert.equal(
        state.batch !== null,
        left.length === 0 && entries.length > 0 && isEligible(entries.at(-1)!),
      );
      assert.ok(state.tail.every(({ reward }) => Number.isFinite(reward)));
    }),
  );
});

test("what is taken over teaches, ranks and feeds the gate as if it were its own, and counts nowhere", () => {
  fc.assert(
    fc.property(ledgers, (all) => {
      const own = all.filter(isEligible).map((entry, number) => ({ ...entry, number }) as SettledEntry);
      const { outcomes, reused, stopped, gpuSeconds, imported, ...taken } = foldAll(
        own.map((entry) => ({ ...entry, source: "other" })),
      );
      const {
        outcomes: _,
        reused: __,
        stopped: ___,
        gpuSeconds: ____,
        imported: none,
        ...made
      } = foldAll(own);
      assert.deepEqual([none, imported], [0, own.length]);
      assert.deepEqual([outcomes, reused, stopped, gpuSeconds], [EMPTY.outcomes, 0, 0, 0]);
      const named = ({ top, paretoFront, ...rest }: typeof made, source: string | null) => ({
        ...rest,
        ranks: [top, paretoFront].map((ranked) => ranked.map((it) => ({ ...it, source }))),
      });
      assert.deepEqual(named(taken, null), named(made, null));
    }),
  );
});

test("the Pareto front is what no other trial beats, and the top the best ten; no reward but a finite one counts", () => {
  fc.assert(
    fc.property(ledgers, (entries) => {
      const state = foldAll(entries);
      const all = scored(entries);
      const better = (a: SettledEntry, b: SettledEntry) =>
        a.parameters <= b.parameters &&
        a.reward! >= b.reward! &&
        (a.parameters < b.parameters || a.reward! > b.reward! || a.index < b.index);
      const front = all.filter((entry) => !all.some((other) => better(other, entry)));
      assert.deepEqual(
        state.paretoFront.map(({ index }) => index).sort(),
        front.map(({ index }) => index).sort(),
      );
      const rewards = all.map(({ reward }) => reward!).sort((a, b) => b - a);
      assert.deepEqual(
        state.top.map(({ reward }) => reward),
        rewards.slice(0, 10),
      );
    }),
  );
});

test("counts, top, front and time do not depend on the order of entries", () => {
  const order = ledgers.chain((entries) =>
    fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
  );
  fc.assert(
    fc.property(order, ([entries, shuffled]) => {
      const other = foldAll(shuffled.map((entry, number) => ({ ...entry, number })));
      const { outcomes, top, paretoFront, gpuSeconds } = foldAll(entries);
      assert.deepEqual(
        { outcomes, top, paretoFront, gpuSeconds },
        {
          outcomes: other.outcomes,
          top: other.top,
          paretoFront: other.paretoFront,
          gpuSeconds: other.gpuSeconds,
        },
      );
    }),
  );
});

test("the version after n entries is what the fold of n entries has", () => {
  fc.assert(
    fc.property(ledgers, fc.nat(6), (entries, back) => {
      const n = Math.max(0, entries.length - back);
      const { policyUpdates } = foldAll(entries.slice(0, n));
      assert.equal(versionAfter(settings, foldAll(entries), n), policyUpdates);
    }),
  );
  assert.throws(() => versionAfter(settings, foldAll([succeeded(0)]), 2), /not known/);
});

test("a batch is told once, with the failure reward where there is no finite one", () => {
  const failed = succeeded(1, { outcome: "Failed", reward: Number.NaN });
  const full = foldAll([succeeded(0), failed, succeeded(2)]);
  assert.deepEqual(
    full.batch?.map(({ reward }) => reward),
    [0.5, -1, 0.5],
  );
  assert.equal(foldAll([succeeded(3, { outcome: "Infrastructure", reward: null })], full).batch, null);
});

test("three refusals in a row before the first success are told, with the sentence of the third", () => {
  const refused = (number: number) =>
    succeeded(number, {
      outcome: "Infrastructure",
      reward: null,
      cause: "InvalidConfiguration",
      message: `sentence ${number}`,
    });
  const failed = succeeded(2, { outcome: "Failed", reward: 0 });
  const third = { entry: 2, message: "sentence 2" };
  assert.deepEqual(foldAll([refused(0), refused(1), refused(2)]).refused, third);
  assert.equal(foldAll([refused(0), refused(1), failed, refused(3)]).refused, null);
  assert.equal(foldAll([succeeded(0), refused(1), refused(2), refused(3)]).refused, null);
  assert.deepEqual(foldAll([refused(0), refused(1), refused(2), succeeded(3)]).refused, third);
  const six = foldAll([0, 1, 2, 3, 4].map(refused));
  assert.deepEqual(six.refused, third);
  assert.deepEqual(fold(settings, six, refused(5)).refused, { entry: 5, message: "sentence 5" });
});

test("an entry comes back from its line as it was", () => {
  const number = { logProbability: -53.400322024757877, reward: 0.1 + 0.2 };
  assert.deepEqual(readEntry(writeEntry(succeeded(0, number))), succeeded(0, number));
});

test("an entry out of its turn is an error that names it", () => {
  assert.throws(() => foldAll([succeeded(1)]), /entry 1 \(s-1\) where 0 should be/);
});
