// All that the recurrent policy knows, and its form as bytes: what a snapshot keeps.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import { type Adam, newAdam } from "./optimizer.ts";
import { initialParameters, type Parameters, parameterCount, parametersOf } from "./parameters.ts";
import type { PpoSettings, ReinforceSettings } from "./settings.ts";
import type { Row } from "./step.ts";

/** Of the bytes and of the algorithm that goes on from them. Raise it when either changes. */
const FORMAT = 1;

const ALGORITHMS = ["ppo", "reinforce"] as const;
const HEADER = 5;
const ROW = DECISIONS.length + 2;
const EMPTY_ROW: Row = { decisions: DECISIONS.map(() => 0), logProbability: 0, advantage: 0 };

export interface RecurrentState {
  parameters: Parameters;
  adam: Adam;
  policyUpdates: number;
  /** The exponential mean of rewards; undefined before the first. */
  baseline: number | undefined;
  /** The last rows, the oldest first; see PpoSettings.ring. */
  ring: Row[];
}

type Settings = PpoSettings | ReinforceSettings;

/** What the policy of this seed knows before its first update. */
export function initialState(settings: Settings, seed: number): RecurrentState {
  const parameters = initialParameters(settings.feedDecisions, random(seed, "policy"));
  const ring = new Array<Row>(ringSize(settings)).fill(EMPTY_ROW);
  return { parameters, adam: newAdam(parameters.values.length), policyUpdates: 0, baseline: undefined, ring };
}

/**
 * Little-endian float64 numbers: format, algorithm, updates, Adam's steps, baseline; then parameters, Adam's two
 * means, and the ring's rows (44 decisions, log-probability, advantage). Equal states give equal bytes.
 */
export function encodeState({ name }: Settings, state: RecurrentState): Uint8Array {
  const { parameters, adam, policyUpdates, baseline, ring } = state;
  const count = parameters.values.length;
  const numbers = new Float64Array(HEADER + 3 * count + ROW * ring.length);
  numbers.set([FORMAT, ALGORITHMS.indexOf(name), policyUpdates, adam.steps, baseline ?? 0]);
  numbers.set(parameters.values, HEADER);
  numbers.set(adam.first, HEADER + count);
  numbers.set(adam.second, HEADER + 2 * count);
  for (const [index, { decisions, logProbability, advantage }] of ring.entries()) {
    numbers.set([...decisions, logProbability, advantage], HEADER + 3 * count + ROW * index);
  }
  return new Uint8Array(numbers.buffer);
}

/** The state of these bytes, which are copied. Throws Error where they are not a state of this kind of policy. */
export function decodeState(settings: Settings, bytes: Uint8Array): RecurrentState {
  const count = parameterCount(settings.feedDecisions);
  const rows = ringSize(settings);
  const numbers = new Float64Array(new Uint8Array(bytes).buffer, 0, Math.floor(bytes.length / 8));
  const [format, algorithm, policyUpdates, steps, baseline] = numbers as unknown as number[];
  if (
    bytes.length !== 8 * (HEADER + 3 * count + ROW * rows) ||
    algorithm !== ALGORITHMS.indexOf(settings.name)
  ) {
    throw new Error(`the policy state is not one of ${settings.name} with these settings`);
  }
  if (format !== FORMAT) {
    throw new Error(`the policy state has format ${format}; this program continues format ${FORMAT}`);
  }
  const take = (part: number) => numbers.slice(HEADER + part * count, HEADER + (part + 1) * count);
  return {
    parameters: parametersOf(settings.feedDecisions, take(0)),
    adam: { first: take(1), second: take(2), steps: steps! },
    policyUpdates: policyUpdates!,
    baseline: policyUpdates === 0 ? undefined : baseline!,
    ring: Array.from({ length: rows }, (_, index) => {
      const row = [...numbers.subarray(HEADER + 3 * count + ROW * index).subarray(0, ROW)];
      const [logProbability, advantage] = row.splice(DECISIONS.length) as [number, number];
      return { decisions: row, logProbability, advantage };
    }),
  };
}

function ringSize(settings: Settings): number {
  return settings.name === "ppo" ? settings.ring : 0;
}
