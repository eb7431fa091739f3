// What an update of the recurrent policy learns from, minibatch by minibatch: each algorithm's idea of it.
import { random } from "@segnas/searchspace/random.ts";
import type { Experience } from "./policy.ts";
import { admit, type Model, rankLogOdds } from "./queue.ts";
import type {
  GradientSettings,
  PathConsistencySettings,
  PpoSettings,
  PriorityQueueSettings,
  ReinforceSettings,
} from "./settings.ts";
import { MEMORY, type RecurrentState } from "./state.ts";
import type { Row } from "./step.ts";

/** Below this, advantages differ by rounding alone and are not divided by their deviation. */
const SMALLEST_DEVIATION = 1e-9;

/** Enters the batch into the state (baseline, ring, trials kept), and gives the rows of each step of the update. */
export function minibatchesOf(
  settings: GradientSettings,
  seed: number,
  state: RecurrentState,
  batch: readonly Experience[],
): Row[][] {
  switch (settings.name) {
    case "ppo": {
      const rows = advantageRows(settings, state, batch);
      return settings.ring === 0 ? repeated(rows, settings.epochs) : ringRows(settings, seed, state, rows);
    }
    case "reinforce":
      return [advantageRows(settings, state, batch)];
    case "priorityQueue":
      return repeated(queueRows(settings, state, batch), settings.epochs);
    case "pathConsistency":
      return replayRows(settings, seed, state, batch);
  }
}

const repeated = (rows: Row[], times: number): Row[][] => new Array<Row[]>(times).fill(rows);

const modelOf = ({ decisions, reward }: Experience): Model => ({ decisions: [...decisions], reward });

/** The batch's rows, each with its advantage over the baseline, which its own reward has moved already. */
function advantageRows(
  { baselineDecay: decay, scaleAdvantages }: PpoSettings | ReinforceSettings,
  state: RecurrentState,
  batch: readonly Experience[],
): Row[] {
  const rows = batch.map(({ decisions, logProbability, reward }) => {
    // The mean starts at the first reward, so the first advantage is 0.
    const baseline = decay * (state.baseline ?? reward) + (1 - decay) * reward;
    state.baseline = baseline;
    return { decisions: [...decisions], logProbability, advantage: reward - baseline };
  });
  if (!scaleAdvantages) return rows;
  const deviation = deviationOf(rows.map(({ advantage }) => advantage));
  if (deviation < SMALLEST_DEVIATION) return rows;
  return rows.map((row) => ({ ...row, advantage: row.advantage / deviation }));
}

/** Row by row over the ring, which the new rows have entered. */
function ringRows({ ring, epochs }: PpoSettings, seed: number, state: RecurrentState, rows: Row[]): Row[][] {
  state.ring = [...state.ring, ...rows].slice(-ring);
  return Array.from({ length: epochs }, (_, epoch) =>
    random(seed, "minibatches", state.policyUpdates, epoch)
      .shuffle(state.ring)
      .map((row) => [row]),
  ).flat();
}

/** The best trials so far, all as good as each other. */
function queueRows(
  { queueSize }: PriorityQueueSettings,
  state: RecurrentState,
  batch: readonly Experience[],
): Row[] {
  for (const trial of batch) state.kept = admit(state.kept, modelOf(trial), queueSize);
  state.baseline = state.kept.at(-1)!.reward;
  return state.kept.map(({ decisions }) => ({ decisions, logProbability: 0, advantage: 1 }));
}

/** For each step the batch and a draw of the trials before it, each with the log-odds of its rank among all. */
function replayRows(
  { epochs, sharpness, replay }: PathConsistencySettings,
  seed: number,
  state: RecurrentState,
  batch: readonly Experience[],
): Row[][] {
  state.kept = [...state.kept, ...batch.map(modelOf)].slice(-MEMORY);
  const rewards = state.kept.map(({ reward }) => reward);
  state.baseline = meanOf(rewards);
  const odds = rankLogOdds(rewards);
  const power = sharpness * evidence(rewards.length);
  const rows = state.kept.map(({ decisions }, index) => ({
    decisions,
    logProbability: 0,
    advantage: power * odds[index]!,
  }));
  const [earlier, own] = [rows.slice(0, -batch.length), rows.slice(-batch.length)];
  return Array.from({ length: epochs }, (_, step) => {
    if (earlier.length <= replay) return rows;
    const draw = random(seed, "replay", state.policyUpdates, step);
    return [...draw.shuffle(earlier).slice(0, replay), ...own];
  });
}

/** In proportion up to this many trials, as their root from then on: certainty grows no faster than that. */
const PROPORTIONAL = 300;

/** What so many trials are worth in units of a hundred. */
const evidence = (trials: number): number =>
  (Math.min(trials, PROPORTIONAL) * Math.sqrt(Math.max(1, trials / PROPORTIONAL))) / 100;

const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The population's. */
function deviationOf(values: number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
}
