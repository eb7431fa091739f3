// What a search will do and cost, as far as it can be told beforehand. Pure.
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import type { planImports } from "@segnas/operator/controllers/architecturesearch/imports.ts";
import { proposedTrial } from "@segnas/operator/controllers/architecturesearch/trial.ts";
import { quantity } from "@segnas/operator/controllers/candidatetrial/threads.ts";
import { type PolicySettings, resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { bytes, counted, duration, real } from "@segnas/operator/web/format.ts";
import type { Architecture } from "@segnas/searchspace/architecture.ts";
import { SPACE_SIZE, sampleUniform, toDecisions } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import type { Measurement } from "./trainer.ts";

const SAMPLES = 200;

/** Smallest, tenth, median, ninetieth and largest of a sample. */
export interface Spread {
  smallest: number;
  tenth: number;
  median: number;
  ninetieth: number;
  largest: number;
}

/** What a search begins with of another one. */
export interface Beginning {
  search: string;
  /** Those that are taken over. */
  trials: number;
  /** Of those that succeeded. */
  best?: { trial: string; reward: number };
}

export interface Plan {
  name: string;
  trials: number;
  beginning?: Beginning;
  parallelism: number;
  policy: PolicySettings;
  policyUpdates: number;
  space: { encodings: string; sampled: number; parameters: Spread; macs: Spread };
}

/** What is to be taken over (see planImports), in short. */
export function beginningOf(planned: Awaited<ReturnType<typeof planImports>>): Beginning | undefined {
  if (!planned) return undefined;
  const { source, imports } = planned;
  const scored = imports.flatMap(({ trial, outcome, reward }) =>
    outcome === "Succeeded" && reward !== null ? { trial, reward } : [],
  );
  const [best] = scored.sort((a, b) => b.reward - a.reward);
  return { search: source.search.metadata.name, trials: imports.length, ...(best && { best }) };
}

export const beginningInWords = ({ search, trials, best }: Beginning): string =>
  `${counted(trials, "trial")} of ${search}${best ? `, the best of them ${best.trial} with reward ${real(best.reward)}` : ""}`;

/**
 * A plan on so many GPUs, a trial on each (undefined: on the CPU), and the two of its samples that are worth
 * measuring: the median in MACs and the ninetieth of a hundred.
 */
export function planOf(
  search: ArchitectureSearch,
  gpus?: number,
  beginning?: Beginning,
): { plan: Plan; samples: [CandidateTrial, CandidateTrial] } {
  const { metadata, spec } = search;
  const draw = random(spec.seed, "plan");
  const sampled = Array.from({ length: SAMPLES }, (_, i) => sampleTrial(search, i, sampleUniform(draw))).sort(
    (a, b) => a.spec.macs - b.spec.macs,
  );
  const policy = resolvePolicy(spec.policy);
  const plan: Plan = {
    name: metadata.name,
    trials: spec.maxTrials,
    ...(beginning && { beginning }),
    parallelism: Math.min(spec.parallelism, gpus ?? Infinity),
    policy,
    policyUpdates: Math.floor(((beginning?.trials ?? 0) + spec.maxTrials) / policy.batchSize),
    space: {
      encodings: String(SPACE_SIZE),
      sampled: SAMPLES,
      parameters: spread(sampled.map((sample) => sample.spec.parameters)),
      macs: spread(sampled.map((sample) => sample.spec.macs)),
    },
  };
  return { plan, samples: [at(sampled, 0.5), at(sampled, 0.9)] };
}

/** A trial of this search with an architecture that no policy proposed. */
export const sampleTrial = (
  search: ArchitectureSearch,
  index: number,
  architecture: Architecture,
): CandidateTrial =>
  proposedTrial(
    search,
    { index, entries: 0, policyVersion: 0, gate: [] },
    { decisions: toDecisions(architecture), logProbability: 0 },
  );

const at = <T>(sorted: T[], share: number): T => sorted[Math.floor(share * (sorted.length - 1))]!;

function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [smallest, tenth, median, ninetieth, largest] = [0, 0.1, 0.5, 0.9, 1].map((share) =>
    at(sorted, share),
  );
  return { smallest: smallest!, tenth: tenth!, median: median!, ninetieth: ninetieth!, largest: largest! };
}

/**
 * Wall-clock seconds of the whole search: the features once, then rounds of trials, each as long as the mean of
 * those measured. Undefined where nothing was measured.
 */
export function totalSeconds({ trials, parallelism }: Plan, measured: Measurement[]): number | undefined {
  const times = measured.flatMap((it) => it.secondsPerTrial ?? []);
  if (times.length === 0) return undefined;
  const mean = times.reduce((sum, seconds) => sum + seconds, 0) / times.length;
  const features = Math.max(0, ...measured.map((it) => it.secondsForFeatures ?? 0));
  return features + Math.ceil(trials / parallelism) * mean;
}

/** What will work less well than it could, a sentence each. `cores` are this machine's. */
export function warningsOf(
  { spec }: ArchitectureSearch,
  plan: Plan,
  measured: Measurement[],
  cores: number,
): string[] {
  const limits =
    spec.trialTemplate?.spec?.containers.find((it) => it.name === "trainer")?.resources?.limits ?? {};
  const cpu = limits.cpu === undefined ? 1 : quantity(limits.cpu);
  const memory = limits.memory === undefined ? undefined : quantity(limits.memory);
  const resident = Math.max(0, ...measured.map((it) => it.residentBytes ?? 0));
  const slowest = Math.max(0, ...measured.map((it) => it.secondsPerTrial ?? 0));
  const limit = spec.training.timeLimitSeconds;
  const warnings: string[] = [];
  if (memory !== undefined && resident > memory)
    warnings.push(
      `a trial used ${bytes(resident)}, more than the trainer's memory limit of ${bytes(memory)}: raise the limit, or make training.crop or the batches smaller`,
    );
  if (plan.parallelism * cpu > cores)
    warnings.push(
      `${plan.parallelism} trials of ${cpu} cpu at a time need more than this machine's ${cores} cores: lower spec.parallelism, or trials slow each other down`,
    );
  if (limit !== undefined && slowest > limit)
    warnings.push(
      `a large trial takes ${duration(slowest)}, more than training.timeLimitSeconds (${duration(limit)}): it would count as failed`,
    );
  if (plan.policyUpdates === 0 && plan.policy.name !== "random")
    warnings.push(
      `the policy never learns: ${counted(plan.trials, "trial")} will not fill a batch of ${plan.policy.batchSize} (policy.batchSize)`,
    );
  return warnings;
}
