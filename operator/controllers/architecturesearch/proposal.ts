// What architecture a trial gets: one that the search begins with, or the policy's proposal within the constraints.
import { type Architecture, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { fromDecisions, toDecisions } from "@segnas/searchspace/decisions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { PolicyClient } from "../../policy/client.ts";
import type { Proposal } from "../../policy/policy.ts";
import { violationOf } from "./constraints.ts";

/** How often the policy proposes again at most where that is asked for: the last proposal stands as it is. */
const MAX_DRAWS = 1000;

/** The architecture that trial `index` gets as the search begins with it, if it does. */
function startingArchitecture({ spec }: ArchitectureSearch, index: number): Architecture | undefined {
  const given = spec.startingPoints?.architectures?.[index];
  return given && parseArchitecture(given.published ?? { templates: given.templates, blocks: given.blocks });
}

/**
 * The proposal for trial `index` by that version of the policy: a function of the search's spec and the policy. To the
 * policy the trials that were taken over came before: its randomness goes on after theirs, or a search with the other's
 * seed would draw again what that one drew.
 */
export async function proposalFor(
  search: ArchitectureSearch,
  policy: PolicyClient,
  index: number,
  version: number,
  imported: number,
): Promise<Proposal> {
  const given = startingArchitecture(search, index);
  if (given) {
    const decisions = toDecisions(given);
    return { decisions, logProbability: await policy.score(version, decisions) };
  }
  const resamples = search.spec.objective.constraints?.onViolation === "Resample";
  for (let draw = 0; ; draw++) {
    const proposal = await policy.propose(imported + index, version, draw);
    const last = !resamples || draw === MAX_DRAWS - 1;
    if (last || violationOf(search, fromDecisions(proposal.decisions)) === undefined) return proposal;
  }
}
