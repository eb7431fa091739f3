// Proposals as trials, and settled trials as entries of the ledger.

import type { NetworkSettings } from "@segnas/searchspace/architecture.ts";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { TrialReason } from "../../api/conditions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import { controllerReference, keyOf } from "../../api/store.ts";
import type { LedgerEntry } from "../../ledger/entry.ts";
import type { Proposal } from "../../policy/policy.ts";
import { SEARCH_LABEL } from "../candidatetrial/job.ts";
import { decimal } from "../status.ts";

/** Classes of a data set that does not say. Folder always says. */
const CLASSES = { CityScapes: 19, Shapes: 6, Folder: 0 };

/** What a search's networks have in common. */
export function networkSettings({ spec }: ArchitectureSearch): NetworkSettings {
  return { ...spec.space, classes: spec.dataset.classes ?? CLASSES[spec.dataset.format] };
}

/** The size in pixels that networks are trained on, and counted at: the crop, or the paper's. */
export const inputSize = ({ spec }: ArchitectureSearch): { height: number; width: number } =>
  spec.training.crop ?? { height: 321, width: 321 };

export const trialName = (search: ArchitectureSearch, index: number): string =>
  `${search.metadata.name}-${index}`;

/** The trial that a proposal of the policy makes. */
export function proposedTrial(
  search: ArchitectureSearch,
  index: number,
  policyVersion: number,
  { decisions, logProbability }: Proposal,
): CandidateTrial {
  const { namespace, name } = keyOf(search);
  const architecture = fromDecisions(decisions);
  const network = expand(architecture, networkSettings(search), inputSize(search));
  return {
    apiVersion: "segnas.dev/v1alpha1",
    kind: "CandidateTrial",
    metadata: {
      name: trialName(search, index),
      namespace,
      labels: { [SEARCH_LABEL]: name },
      ownerReferences: [controllerReference(search)],
    },
    spec: {
      search: name,
      index,
      seed: random(search.spec.seed, "trial", index).integer(2 ** 31),
      decisions,
      policyVersion,
      logProbability: decimal(logProbability),
      architecture,
      parameters: countParameters(network).total,
      macs: countMacs(network).total,
    },
  };
}

/** The entry that a settled trial makes; undefined where it has not settled. */
export function settledEntry(trial: CandidateTrial, number: number): LedgerEntry | undefined {
  const { metadata, spec, status } = trial;
  const { result } = status ?? {};
  if (!result) return undefined;
  const place = { number, index: spec.index, trial: metadata.name };
  if (result.outcome === "Deleted") return { ...place, outcome: "Deleted" };
  const { reward, metrics, slots, cause, message } = result;
  return {
    ...place,
    // Without a reward the architecture is not to blame.
    outcome:
      result.outcome === "Failed" && reward === undefined ? TrialReason.Infrastructure : result.outcome,
    decisions: spec.decisions,
    policyVersion: spec.policyVersion,
    logProbability: Number(spec.logProbability),
    reward: reward === undefined ? null : Number(reward),
    slots: (slots ?? []).map(({ stage, epoch, reward, meanIoU }) => ({
      stage,
      epoch,
      reward: Number(reward),
      meanIoU: Number(meanIoU),
    })),
    metrics: metrics
      ? {
          meanIoU: Number(metrics.meanIoU),
          meanAccuracy: Number(metrics.meanAccuracy),
          frequencyWeightedIoU: Number(metrics.frequencyWeightedIoU),
        }
      : null,
    parameters: result.parameters ?? spec.parameters,
    macs: spec.macs,
    gpuSeconds: Number(result.gpuSeconds ?? 0),
    cause: cause ?? null,
    message: message ?? null,
  };
}
