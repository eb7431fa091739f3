// All that the recurrent policy knows, and its form as bytes: what a snapshot keeps.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import { type Adam, newAdam } from "./optimizer.ts";
import { initialParameters, type Parameters, parameterCount, parametersOf } from "./parameters.ts";
import type { Model } from "./queue.ts";
import type { GradientSettings } from "./settings.ts";
import type { Row } from "./step.ts";

/** Of the bytes and of the algorithm that goes on from them. Raise it when either changes. */
const FORMAT = 3;

/** Trials that path consistency keeps at most: at 10,000 the state is twice as large as without. */
export const MEMORY = 10_000;

const ALGORITHMS = ["ppo", "reinforce", "priorityQueue", "pathConsistency"] as const;
const HEADER = 6;
const ROW = DECISIONS.length + 2;
const MODEL = DECISIONS.length + 1;
const EMPTY_ROW: Row = { decisions: DECISIONS.map(() => 0), logProbability: 0, advantage: 0 };

export interface RecurrentState {
  parameters: Parameters;
  adam: Adam;
  policyUpdates: number;
  /** The exponential mean of rewards; undefined before the first. */
  baseline: number | undefined;
  /** The last rows, the oldest first; see PpoSettings.ring. */
  ring: Row[];
  /** Trials that are learned from again: the best so far, best first (priorityQueue); the last (pathConsistency). */
  kept: Model[];
}

/** What the policy of this seed knows before its first update. */
export function initialState(settings: GradientSettings, seed: number): RecurrentState {
  const parameters = initialParameters(settings.feedDecisions, random(seed, "policy"));
  const ring = new Array<Row>(ringSize(settings)).fill(EMPTY_ROW);
  const adam = newAdam(parameters.values.length);
  return { parameters, adam, policyUpdates: 0, baseline: undefined, ring, kept: [] };
}

/**
 * Little-endian float64 numbers: format, algorithm, updates, Adam's steps, baseline, how many trials are kept; then
 * parameters, Adam's two means, the ring's rows (44 decisions, log-probability, advantage) and the
 * trials kept (44 decisions, reward). Equal states give equal bytes.
 */
export function encodeState({ name }: GradientSettings, state: RecurrentState): Uint8Array {
  const { parameters, adam, policyUpdates, baseline, ring, kept } = state;
  const count = parameters.values.length;
  const rows = HEADER + 3 * count;
  const models = rows + ROW * ring.length;
  const numbers = new Float64Array(models + MODEL * kept.length);
  numbers.set([FORMAT, ALGORITHMS.indexOf(name), policyUpdates, adam.steps, baseline ?? 0, kept.length]);
  numbers.set(parameters.values, HEADER);
  numbers.set(adam.first, HEADER + count);
  numbers.set(adam.second, HEADER + 2 * count);
  for (const [index, { decisions, logProbability, advantage }] of ring.entries()) {
    numbers.set([...decisions, logProbability, advantage], rows + ROW * index);
  }
  for (const [index, { decisions, reward }] of kept.entries()) {
    numbers.set([...decisions, reward], models + MODEL * index);
  }
  return new Uint8Array(numbers.buffer);
}

/** The state of these bytes, which are left alone. Throws Error where they are not a state of this kind of policy. */
export function decodeState(settings: GradientSettings, bytes: Uint8Array): RecurrentState {
  const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const numbers = new Float64Array(buffer, byteOffset, Math.floor(bytes.length / 8));
  const [format, algorithm, policyUpdates, steps, baseline, keptCount] = numbers as unknown as number[];
  const count = parameterCount(settings.feedDecisions);
  const rows = HEADER + 3 * count;
  const models = rows + ROW * ringSize(settings);
  const foreign = new Error(`the policy state is not one of ${settings.name} with these settings`);
  if (!Number.isSafeInteger(format) || algorithm !== ALGORITHMS.indexOf(settings.name)) throw foreign;
  if (format !== FORMAT) {
    throw new Error(`the policy state has format ${format}; this program continues format ${FORMAT}`);
  }
  if (keptCount! > mostKept(settings) || bytes.length !== 8 * (models + MODEL * keptCount!)) throw foreign;
  const take = (part: number) => numbers.slice(HEADER + part * count, HEADER + (part + 1) * count);
  return {
    parameters: parametersOf(settings.feedDecisions, take(0)),
    adam: { first: take(1), second: take(2), steps: steps! },
    policyUpdates: policyUpdates!,
    baseline: policyUpdates === 0 ? undefined : baseline!,
    ring: Array.from({ length: ringSize(settings) }, (_, index) => {
      const row = [...numbers.subarray(rows + ROW * index, rows + ROW * (index + 1))];
      const [logProbability, advantage] = row.splice(DECISIONS.length) as [number, number];
      return { decisions: row, logProbability, advantage };
    }),
    kept: Array.from({ length: keptCount! }, (_, index) => {
      const model = [...numbers.subarray(models + MODEL * index, models + MODEL * (index + 1))];
      return { reward: model.pop()!, decisions: model };
    }),
  };
}

function mostKept(settings: GradientSettings): number {
  if (settings.name === "priorityQueue") return settings.queueSize;
  return settings.name === "pathConsistency" ? MEMORY : 0;
}

function ringSize(settings: GradientSettings): number {
  return settings.name === "ppo" ? settings.ring : 0;
}
