// Why an attempt does not train yet, and since when that counts as waiting for its pod.
import type { ContainerStatus, Job, Pod } from "../../api/store.ts";

/** What every container goes through on its way. */
const ORDINARY = ["ContainerCreating", "PodInitializing"];

const isSuspended = ({ spec, status }: Job): boolean =>
  spec.suspend === true ||
  // Resumed, but the Job controller has not noticed yet: its start is still the one before.
  (status?.conditions?.some(({ type, status }) => type === "Suspended" && status === "True") ?? false);

/**
 * Since when the attempt has been waiting for its pod: since the Job's controller took the Job up, which it does
 * anew when a queue (Kueue) has resumed it. Undefined for a Job that waits in a queue.
 */
export function pendingSince(job: Job): Date | undefined {
  const start = job.status?.startTime;
  return start === undefined || isSuspended(job) ? undefined : new Date(start);
}

/** Why there is no trainer that runs, in Kubernetes' own words; undefined where nothing stands in its way. */
export function whyPending(job: Job, pod: Pod | undefined): string | undefined {
  if (isSuspended(job)) return "its Job is suspended until its queue admits it";
  if (!pod) return undefined;
  const { conditions, initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const scheduled = conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (scheduled) return sentence(scheduled);
  const waiting = [...initContainerStatuses, ...containerStatuses].find(isStuck);
  return waiting && `container ${waiting.name}: ${sentence(waiting.state.waiting!)}`;
}

const isStuck = ({ state }: ContainerStatus): boolean =>
  state.waiting?.reason !== undefined && !ORDINARY.includes(state.waiting.reason);

const sentence = ({ reason, message }: { reason?: string; message?: string }): string =>
  [reason, message].filter(Boolean).join(": ");
