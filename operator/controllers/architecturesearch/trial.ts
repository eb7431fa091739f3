// Proposals as trials, and settled trials as entries of the ledger.

import { networkName } from "@segnas/searchspace/canonical.ts";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { TrialReason } from "../../api/conditions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import { controllerReference, keyOf } from "../../api/store.ts";
import type { LedgerEntry } from "../../ledger/entry.ts";
import type { Threshold } from "../../ledger/gate.ts";
import type { Proposal } from "../../policy/policy.ts";
import { SEARCH_LABEL } from "../candidatetrial/job.ts";
import { decimal } from "../status.ts";
import { violationOf } from "./constraints.ts";
import { inputSize, networkSettings } from "./networks.ts";

/** A trial to be made: its number, and what it is made from. */
export interface Place {
  index: number;
  /** How many entries the policy and the gate know of. */
  entries: number;
  /** The policy's version after them. */
  policyVersion: number;
  /** The gate's thresholds after them. */
  gate: Threshold[];
}

export const trialName = (search: ArchitectureSearch, index: number): string =>
  `${search.metadata.name}-${index}`;

/** The trial that a proposal of the policy makes. */
export function proposedTrial(
  search: ArchitectureSearch,
  { index, entries, policyVersion, gate }: Place,
  { decisions, logProbability }: Proposal,
): CandidateTrial {
  const { namespace, name } = keyOf(search);
  const architecture = fromDecisions(decisions);
  const settings = networkSettings(search);
  const network = expand(architecture, settings, inputSize(search));
  const violation = violationOf(search, architecture);
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
      entries,
      logProbability: decimal(logProbability),
      architecture,
      parameters: countParameters(network).total,
      macs: countMacs(network).total,
      network: networkName(architecture, settings),
      ...(violation !== undefined && { violation }),
      ...(gate.length > 0 && { gate: writtenGate(gate) }),
    },
  };
}

/** Thresholds as a trial's spec holds them. */
export const writtenGate = (gate: Threshold[]): NonNullable<CandidateTrial["spec"]["gate"]> =>
  gate.map(({ stage, epoch, threshold }) => ({
    stage: stage === 0 ? 0 : 1,
    epoch,
    threshold: decimal(threshold),
  }));

/** The entry that a settled trial makes; undefined where it has not settled. */
export function settledEntry(trial: CandidateTrial, number: number): LedgerEntry | undefined {
  const { metadata, spec, status } = trial;
  const { result } = status ?? {};
  if (!result) return undefined;
  const place = { number, index: spec.index, trial: metadata.name };
  if (result.outcome === "Deleted") return { ...place, outcome: "Deleted" };
  const { reward, metrics, slots, stages, cause, message, stopped, duplicateOf } = result;
  return {
    ...place,
    // Without a reward the architecture is not to blame.
    outcome:
      result.outcome === "Failed" && reward === undefined ? TrialReason.Infrastructure : result.outcome,
    network: spec.network,
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
    stopped: stopped ?? false,
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
    ...(stages && { stages: stages.map(({ stage, seconds }) => ({ stage, seconds: Number(seconds) })) }),
    cause: cause ?? null,
    message: message ?? null,
    duplicateOf: duplicateOf ?? null,
    source: null,
  };
}
