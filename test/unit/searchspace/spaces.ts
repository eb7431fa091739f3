// What the tests of the search space draw from: random architectures, settings and sizes.
import { DECISIONS, fromDecisions } from "@segnas/searchspace/decisions.ts";
import fc from "fast-check";

export const decisions = fc.tuple(...DECISIONS.map(({ choices }) => fc.nat(choices - 1)));
export const architectures = decisions.map(fromDecisions);
export const settings = fc.record({
  classes: fc.integer({ min: 2, max: 40 }),
  aggregateChannels: fc.integer({ min: 1, max: 96 }),
  separableRepeats: fc.integer({ min: 1, max: 3 }),
});
export const sizes = fc.record({
  height: fc.integer({ min: 1, max: 2100 }),
  width: fc.integer({ min: 1, max: 2100 }),
});
