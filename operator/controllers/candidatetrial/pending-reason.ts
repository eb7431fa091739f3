// Why a trial does not train, as one word of few: its condition says it in a sentence for people.
import { TrialCondition } from "../../api/conditions.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import { waitsForOther } from "../status.ts";

export const PendingReason = {
  /** Nothing stands in its way. */
  Starting: "Starting",
  /** Another trial trains the same network. */
  Duplicate: "Duplicate",
  /** Its last attempt failed by the infrastructure's fault, and the next has to wait. */
  Retry: "Retry",
  /** The search is suspended. */
  Suspended: "Suspended",
  /** Kueue has not admitted its Job. */
  Queue: "Queue",
  /** A policy, a quota or a webhook does not let its Job in. */
  Admission: "Admission",
  /** Its Job can make no pod: a quota, a policy, a missing ServiceAccount. */
  PodRefused: "PodRefused",
  /** No machine has room for its pod. */
  Unschedulable: "Unschedulable",
  /** An image cannot be had. */
  Image: "Image",
  /** A container cannot be made, or ends before it begins. */
  Container: "Container",
} as const;
export type PendingReason = (typeof PendingReason)[keyof typeof PendingReason];

/** How the sentences begin that pending.ts and decide.ts write. */
const SENTENCES: [RegExp, PendingReason][] = [
  [/^after Suspended: /, PendingReason.Suspended],
  [/^after /, PendingReason.Retry],
  [/^its Job is suspended/, PendingReason.Queue],
  [/^its Job is not let in/, PendingReason.Admission],
  // The kubelet's words: ErrImagePull, ImagePullBackOff, InvalidImageName, ErrImageNeverPull, RegistryUnavailable ...
  [/^container [^:]+: \w*(Image|Registry|Signature)/, PendingReason.Image],
  [/^(init )?container /, PendingReason.Container],
  [/^(Unschedulable|SchedulingGated|SchedulerError)/, PendingReason.Unschedulable],
  // The reason of an event of its Job: FailedCreate.
  [/^\w+: /, PendingReason.PodRefused],
];

/** Of a trial that has no result and does not train. */
export function pendingReason(trial: CandidateTrial): PendingReason {
  if (waitsForOther(trial)) return PendingReason.Duplicate;
  const progressing = trial.status?.conditions?.find(({ type }) => type === TrialCondition.Progressing);
  const sentence = progressing?.message ?? "";
  return SENTENCES.find(([pattern]) => pattern.test(sentence))?.[1] ?? PendingReason.Starting;
}
