// The parameters of the recurrent policy: one flat Float64Array (what the optimiser, the clipping and the state
// see) and named views into it (what the network sees). A gradient has the same layout.
import { HEADS } from "@segnas/searchspace/decisions.ts";
import type { Random } from "@segnas/searchspace/random.ts";

/** Units of each of the two LSTM layers, and the size of the start vector and of an embedding. */
export const UNITS = 100;
/** Gates of a layer: four of each unit, in the order input, forget, cell, output. */
export const GATES = 4 * UNITS;
/** What a layer reads: its input, then its own output of the step before. */
export const READS = 2 * UNITS;
export const LAYERS = 2;

export interface LayerParameters {
  /** [GATES, READS]: the input weights in columns 0 to 99, the recurrent ones in columns 100 to 199. */
  weights: Float64Array;
  /** [GATES] each. They do the same, but the published form has both, which doubles the step of their sum. */
  inputBias: Float64Array;
  recurrentBias: Float64Array;
}

export interface HeadParameters {
  /** [choices, UNITS] */
  weights: Float64Array;
  /** [choices] */
  bias: Float64Array;
  /** [choices, UNITS], the input that follows a choice; empty where decisions are not fed back. */
  embedding: Float64Array;
}

export interface Parameters {
  /** All of them, in a row. */
  values: Float64Array;
  start: Float64Array;
  layers: LayerParameters[];
  /** As HEADS of searchspace/decisions.ts. */
  heads: HeadParameters[];
  feedDecisions: boolean;
}

/** How many parameters the policy has: 170,588, or 179,388 where decisions are fed back. */
export function parameterCount(feedDecisions: boolean): number {
  const headRow = UNITS + 1 + (feedDecisions ? UNITS : 0);
  const choices = HEADS.reduce((sum, head) => sum + head.choices, 0);
  return UNITS + LAYERS * (GATES * READS + 2 * GATES) + choices * headRow;
}

/** Named views into a flat array (zeros if none is given). Throws where its length is not parameterCount. */
export function parametersOf(
  feedDecisions: boolean,
  values: Float64Array = new Float64Array(parameterCount(feedDecisions)),
): Parameters {
  const count = parameterCount(feedDecisions);
  if (values.length !== count) {
    throw new Error(`the policy has ${count} parameters, but its state holds ${values.length}`);
  }
  let at = 0;
  const take = (length: number) => {
    at += length;
    return values.subarray(at - length, at);
  };
  const start = take(UNITS);
  const layers = Array.from({ length: LAYERS }, () => ({
    weights: take(GATES * READS),
    inputBias: take(GATES),
    recurrentBias: take(GATES),
  }));
  const heads = HEADS.map(({ choices }) => ({
    weights: take(choices * UNITS),
    bias: take(choices),
    embedding: take(feedDecisions ? choices * UNITS : 0),
  }));
  return { values, start, layers, heads, feedDecisions };
}

/** The published start: every parameter uniform in (-0.1, 0.1). */
export function initialParameters(feedDecisions: boolean, random: Random): Parameters {
  const parameters = parametersOf(feedDecisions);
  const { values } = parameters;
  for (let at = 0; at < values.length; at++) values[at] = 0.2 * random.uniform() - 0.1;
  return parameters;
}
