// Regularised evolution (Real et al., arXiv 1802.01548): the best of a few of the last trials has a child that
// differs from it in one decision.
import { DECISIONS } from "@segnas/searchspace/decisions.ts";
import type { Experience, Policy, Proposal, Proposer, Update } from "./policy.ts";
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

export function evolutionPolicy(settings: EvolutionSettings, seed: number, saved?: Uint8Array): Policy {
  let state: State = saved === undefined ? { policyUpdates: 0, trials: 0, population: [] } : decode(saved);
  let now = proposerOf(settings, seed, state);

  function learn(batch: readonly Experience[]): Update {
    if (batch.length === 0) throw new Error("an update needs at least one trial");
    const models = batch.map(({ decisions, reward }) => ({ decisions: [...decisions], reward }));
    const population = [...state.population, ...models].slice(-settings.population);
    state = { policyUpdates: state.policyUpdates + 1, trials: state.trials + batch.length, population };
    now = proposerOf(settings, seed, state);
    return {
      policyUpdates: state.policyUpdates,
      entropy: entropyOf(now.probabilities()),
      baseline: population.reduce((sum, { reward }) => sum + reward, 0) / population.length,
      loss: 0,
      gradientNorm: 0,
    };
  }

  return {
    propose: (index, draw) => now.propose(index, draw),
    score: (decisions) => now.score(decisions),
    probabilities: () => now.probabilities(),
    learn,
    proposer: () => now,
    state: () => new TextEncoder().encode(JSON.stringify({ format: FORMAT, name: "evolution", ...state })),
  };
}

/**
 * Trials below `population` are uniform, whenever they are asked for; later ones are children of those that have
 * a reward by then. So with several in flight nothing waits, and a restart proposes the same.
 */
function proposerOf(settings: EvolutionSettings, seed: number, { trials, population }: State): Proposer {
  const ranked = byRank(population);

  function propose(index: number, draw = 0): Proposal {
    const chosen = sampling(seed, index, draw);
    if (index < settings.population || population.length === 0) return uniformProposal(chosen);
    const contestants = Array.from({ length: settings.sampleSize }, () => chosen.integer(ranked.length));
    const decisions = [...ranked[Math.min(...contestants)]!.decisions];
    const mutated = MUTABLE[chosen.integer(MUTABLE.length)]!;
    const others = DECISIONS[mutated]!.choices - 1;
    decisions[mutated] = (decisions[mutated]! + 1 + chosen.integer(others)) % (others + 1);
    return { decisions, logProbability: Math.log(probabilityOf(decisions)) };
  }

  /** As a child of the population; what can be none of its children can only have been a uniform choice. */
  function score(decisions: readonly number[]): number {
    const probability = probabilityOf(decisions);
    return probability > 0 ? Math.log(probability) : UNIFORM_LOG_PROBABILITY;
  }

  /** The chance that the best of the contestants is the one of this rank. */
  function chance(rank: number): number {
    const count = ranked.length;
    return (
      ((count - rank) / count) ** settings.sampleSize - ((count - rank - 1) / count) ** settings.sampleSize
    );
  }

  /** Of these decisions as a child of any parent that is one mutation away. */
  function probabilityOf(decisions: readonly number[]): number {
    return ranked.reduce((sum, parent, rank) => {
      const changed = MUTABLE.filter((decision) => parent.decisions[decision] !== decisions[decision]);
      if (changed.length !== 1) return sum;
      return sum + chance(rank) / MUTABLE.length / (DECISIONS[changed[0]!]!.choices - 1);
    }, 0);
  }

  function probabilities(): number[][] {
    if (trials < settings.population) return uniformProbabilities();
    return DECISIONS.map(({ choices }, decision) => {
      const changes = choices > 1 ? 1 / MUTABLE.length : 0;
      const distribution = new Array<number>(choices).fill(0);
      for (const [rank, parent] of ranked.entries()) {
        for (let choice = 0; choice < choices; choice++) {
          const kept = choice === parent.decisions[decision];
          distribution[choice]! += chance(rank) * (kept ? 1 - changes : changes / (choices - 1));
        }
      }
      return distribution;
    });
  }

  return { propose, score, probabilities };
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
