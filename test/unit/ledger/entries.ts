// Entries for tests: made by fast-check, or in a line.
import { type LedgerEntry, type SettledEntry, STAGES } from "@segnas/operator/ledger/entry.ts";
import fc from "fast-check";

/** A succeeded trial with some fields in place of the usual ones. */
export const succeeded = (number: number, fields: Partial<SettledEntry> = {}): SettledEntry => ({
  number,
  index: number,
  trial: `s-${number}`,
  outcome: "Succeeded",
  network: `network-${number}`,
  decisions: [number],
  policyVersion: 0,
  logProbability: -1,
  reward: 0.5,
  slots: [],
  stopped: false,
  metrics: { meanIoU: 0.5, meanAccuracy: 0.5, frequencyWeightedIoU: 0.5 },
  parameters: 100,
  macs: 1,
  gpuSeconds: 1,
  cause: null,
  message: null,
  duplicateOf: null,
  source: null,
  ...fields,
});

const reward = fc.oneof(
  fc.integer({ min: -4, max: 4 }).map((n) => n / 4),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, null),
);

const outcome = fc.record({
  outcome: fc.constantFrom("Succeeded", "Succeeded", "Failed", "Rejected", "Infrastructure", "Deleted"),
  reward,
  parameters: fc.integer({ min: 1, max: 6 }),
  gpuSeconds: fc.integer({ min: 0, max: 100 }),
  seconds: fc.option(fc.integer({ min: 0, max: 100 })),
});

/** A ledger of up to forty entries, in the order of indices. */
export const ledgers: fc.Arbitrary<LedgerEntry[]> = fc.array(outcome, { maxLength: 40 }).map((outcomes) =>
  outcomes.map(({ outcome, reward, seconds, ...fields }, number): LedgerEntry => {
    if (outcome === "Deleted") return { number, index: number, trial: `s-${number}`, outcome };
    return succeeded(number, {
      ...fields,
      ...(outcome === "Succeeded" &&
        seconds !== null && { stages: STAGES.map((stage, i) => ({ stage, seconds: seconds * i })) }),
      outcome: outcome as SettledEntry["outcome"],
      reward: outcome === "Infrastructure" ? null : reward,
    });
  }),
);
