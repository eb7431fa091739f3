// Regularised evolution (Real et al., arXiv 1802.01548): the best of a few of the last trials has a child that
// differs from it in one decision.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import type { Experience, Policy, Proposal, Update } from "./policy.ts";
import type { Model } from "./queue.ts";
import type { EvolutionSettings } from "./settings.ts";
import {
  entropyOf,
  sampling,
  UNIFORM_LOG_PROBABILITY,
  uniformProbabilities,
  uniformProposal,
} from "./uniform.ts";

/** Of the bytes and of the algorithm that goes on from them. Raise it when either changes. */
const FORMAT = 1;

/** The decisions that a mutation may change. */
const MUTABLE = DECISIONS.flatMap(({ choices }, decision) => (choices > 1 ? [decision] : []));

interface State {
  policyUpdates: number;
  /** Rewards learned so far. */
  trials: number;
  /** The last trials, oldest first. */
  population: Model[];
}

/**
 * Trials below `population` are uniform, whenever they are asked for; later ones are children of those that have
 * a reward by then. So with several in flight nothing waits, and a restart proposes the same.
 */
export function evolutionPolicy(settings: EvolutionSettings, seed: number, saved?: Uint8Array): Policy {
  const state = saved === undefined ? { policyUpdates: 0, trials: 0, population: [] } : decode(saved);

  function propose(index: number, draw = 0): Proposal {
    const chosen = sampling(seed, index, draw);
    const { population } = state;
    if (index < settings.population || population.length === 0) return uniformProposal(chosen);
    const ranked = byRank(population);
    const contestants = Array.from({ length: settings.sampleSize }, () => chosen.integer(ranked.length));
    const decisions = [...ranked[Math.min(...contestants)]!.decisions];
    const mutated = MUTABLE[chosen.integer(MUTABLE.length)]!;
    const others = DECISIONS[mutated]!.choices - 1;
    decisions[mutated] = (decisions[mutated]! + 1 + chosen.integer(others)) % (others + 1);
    return { decisions, logProbability: Math.log(probabilityOf(decisions, ranked)) };
  }

  /** As a child of the population; what can be none of its children can only have been a uniform choice. */
  function score(decisions: readonly number[]): number {
    const probability = probabilityOf(decisions, byRank(state.population));
    return probability > 0 ? Math.log(probability) : UNIFORM_LOG_PROBABILITY;
  }

  /** The chance that the best of the contestants is the one of this rank. */
  function chance(rank: number, count: number): number {
    return (
      ((count - rank) / count) ** settings.sampleSize - ((count - rank - 1) / count) ** settings.sampleSize
    );
  }

  /** Of these decisions as a child of any parent that is one mutation away. */
  function probabilityOf(decisions: readonly number[], ranked: readonly Model[]): number {
    return ranked.reduce((sum, parent, rank) => {
      const changed = MUTABLE.filter((decision) => parent.decisions[decision] !== decisions[decision]);
      if (changed.length !== 1) return sum;
      return sum + chance(rank, ranked.length) / MUTABLE.length / (DECISIONS[changed[0]!]!.choices - 1);
    }, 0);
  }

  function probabilities(): number[][] {
    if (state.trials < settings.population) return uniformProbabilities();
    const ranked = byRank(state.population);
    return DECISIONS.map(({ choices }, decision) => {
      const changes = choices > 1 ? 1 / MUTABLE.length : 0;
      const distribution = new Array<number>(choices).fill(0);
      for (const [rank, parent] of ranked.entries()) {
        for (let choice = 0; choice < choices; choice++) {
          const kept = choice === parent.decisions[decision];
          distribution[choice]! +=
            chance(rank, ranked.length) * (kept ? 1 - changes : changes / (choices - 1));
        }
      }
      return distribution;
    });
  }

  function learn(batch: readonly Experience[]): Update {
    if (batch.length === 0) throw new Error("an update needs at least one trial");
    const models = batch.map(({ decisions, reward }) => ({ decisions: [...decisions], reward }));
    state.population = [...state.population, ...models].slice(-settings.population);
    state.trials += batch.length;
    state.policyUpdates++;
    return {
      policyUpdates: state.policyUpdates,
      entropy: entropyOf(probabilities()),
      baseline: state.population.reduce((sum, { reward }) => sum + reward, 0) / state.population.length,
      loss: 0,
      gradientNorm: 0,
    };
  }

  const encode = () =>
    new TextEncoder().encode(JSON.stringify({ format: FORMAT, name: "evolution", ...state }));
  return { propose, score, learn, probabilities, state: encode };
}

/** Best first; of equal rewards the older. */
const byRank = (population: readonly Model[]) => population.toSorted((a, b) => b.reward - a.reward);

function decode(bytes: Uint8Array): State {
  let text: { format?: number; name?: string };
  try {
    text = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    text = {};
  }
  if (text.name !== "evolution") throw new Error("the policy state is not one of evolution");
  if (text.format !== FORMAT) {
    throw new Error(`the policy state has format ${text.format}; this program continues format ${FORMAT}`);
  }
  const { policyUpdates, trials, population } = text as unknown as State;
  return { policyUpdates, trials, population };
}
