// A made-up search in plain data: any number of trials, one in nine failed, rewards that rise.
import { sampleUniform } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import type { SearchSummary } from "../../../operator/web/summary.ts";
import type { TrialSummary } from "../../../operator/web/trial-summary.ts";

function trial(index: number, of: number): TrialSummary {
  const draw = random(7, "fixture", index);
  const architecture = sampleUniform(draw);
  const common = {
    name: `city-${index}`,
    index,
    architecture,
    parameters: Math.round(90_000 * Math.exp(2.5 * draw.uniform())),
    macs: Math.round(3e8 * Math.exp(2 * draw.uniform())),
    seconds: 60 + draw.integer(120),
  };
  if (index % 9 === 5)
    return {
      ...common,
      outcome: "Failed",
      cause: "NonFiniteLoss",
      message: "The loss was NaN at step 12 of epoch 2.",
    };
  const reward = Math.min(0.9, Math.max(0.02, 0.25 + (0.25 * index) / of + 0.09 * draw.normal()));
  return {
    ...common,
    outcome: "Succeeded",
    reward,
    metrics: { meanIoU: reward * 0.85, meanAccuracy: reward * 1.05, frequencyWeightedIoU: reward * 1.1 },
  };
}

/** A complete search of so many trials, with an update of the policy after every ten. */
export function searchOf(trials: number, overrides: Partial<SearchSummary> = {}): SearchSummary {
  return {
    name: "city",
    state: "Complete",
    maxTrials: trials,
    trials: Array.from({ length: trials }, (_, i) => trial(i, trials)),
    policy: Array.from({ length: Math.floor(trials / 4) }, (_, u) => ({
      update: u + 1,
      entropy: 52 * Math.exp(-u / 40),
      baseline: 0.25 + 0.002 * u,
      entry: 4 * (u + 1),
    })),
    startTime: "2026-03-01T10:00:00Z",
    ...overrides,
  };
}
