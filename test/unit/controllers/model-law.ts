// The law that a disturbed search comes to what an undisturbed one does.
import assert from "node:assert/strict";
import { isOriginal } from "@segnas/operator/controllers/architecturesearch/untrained.ts";
import { verifySearch } from "@segnas/operator/controllers/architecturesearch/verify.ts";
import { isImported } from "@segnas/operator/ledger/entry.ts";
import { readLedger } from "@segnas/operator/ledger/shards.ts";
import type { PolicyClient, PolicyStart } from "@segnas/operator/policy/client.ts";
import { random } from "@segnas/searchspace/random.ts";
import fc from "fast-check";
import { createModel, type Step } from "./model.ts";
import { sourceEntries } from "./sources.ts";

export interface LawSettings {
  rewardOrder: "Index" | "Completion";
  startPolicy: (start: PolicyStart) => PolicyClient;
  runs: number;
  maxTrials: number;
  policy?: object;
  /** How many entries the ledger of another search has that it begins with. */
  sourced?: number;
  /** fast-check's own: which runs, and from which one on (as it prints a failure). */
  replay?: { seed: number; path?: string };
}

/** From one number: shrinking a thousand steps one by one takes hours and tells nothing. */
function stepsOf(seed: number, maxTrials: number): Step[] {
  const draw = random(seed, "steps");
  const length = maxTrials * (20 + draw.integer(100));
  return Array.from({ length }, () => [draw.integer(10_000), draw.integer(100)]);
}

export const assertUndisturbed = ({
  rewardOrder,
  startPolicy,
  runs,
  maxTrials,
  policy,
  sourced = 0,
  replay,
}: LawSettings) =>
  fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(2),
      async (seed, parallelism, deletions) => {
        // A few of the architectures are over it.
        const objective = { failureReward: "-1", constraints: { maxParameters: 1_500_000 } };
        const spec = {
          ...{ rewardOrder, maxTrials, parallelism, policyLag: 4, retries: 1, objective },
          policy: { name: "ppo", batchSize: 2, ...policy },
          ...(sourced > 0 && { startingPoints: { search: "first" } }),
        };
        const source = { spec: { objective }, entries: sourceEntries(sourced, { objective }) };
        const settings = { spec, startPolicy, snapshotEvery: 3, ...(sourced > 0 && { source }) };
        const model = await createModel(settings);
        await model.disturb(stepsOf(seed, maxTrials), deletions);
        const disturbed = await model.finish();
        assert.deepEqual(model.faults, []);
        assert.equal(disturbed.search.status?.conditions?.[0]?.type, "Complete");
        assert.deepEqual(
          disturbed.entries.flatMap((entry) => (isImported(entry) ? [] : entry.index)).sort((a, b) => a - b),
          Array.from({ length: maxTrials }, (_, index) => index),
        );
        // From its newest snapshot, and from the records alone.
        assert.deepEqual((await model.finish()).outcome, disturbed.outcome);
        assert.deepEqual((await readLedger(model.store, disturbed.search)).entries, disturbed.entries);
        const deleted = disturbed.entries.flatMap(({ outcome, index }) =>
          outcome === "Deleted" ? [index] : [],
        );
        for (const trial of model.made) {
          const { index, decisions } = trial.spec;
          const others = model.made.filter(({ spec }) => spec.index === index);
          for (const { spec } of others) assert.deepEqual(spec.decisions, decisions);
        }
        const trained = disturbed.entries.filter(isOriginal).map(({ network }) => network);
        assert.equal(new Set(trained).size, trained.length, "a network was trained twice");
        const { findings, samples } = await verifySearch(model.store, disturbed.search, startPolicy);
        assert.deepEqual(findings, []);
        assert.ok(samples >= maxTrials - deleted.length);
        if (rewardOrder === "Completion") return;
        const undisturbed = await (await createModel(settings)).finish(deleted);
        assert.deepEqual(disturbed.entries, undisturbed.entries);
        assert.deepEqual(disturbed.outcome, undisturbed.outcome);
      },
    ),
    { numRuns: runs, endOnFailure: true, ...replay },
  );
