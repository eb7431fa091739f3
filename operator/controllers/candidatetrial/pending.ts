// Why an attempt does not train yet, and since when that counts as waiting for its pod.
import { type ContainerStatus, type Event, type Job, lastTold, type Pod } from "../../api/store.ts";

/** What every container goes through on its way. */
const ORDINARY = ["ContainerCreating", "PodInitializing"];

/** Whether a queue (Kueue) holds the Job back, or has taken its pod away. */
export const isSuspended = ({ spec, status }: Job): boolean =>
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
export function whyPending(job: Job, pod: Pod | undefined, events: Event[]): string | undefined {
  if (isSuspended(job)) return "its Job is suspended until its queue admits it";
  if (!pod) return whyNoPod(job, events);
  const { conditions, initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const scheduled = conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (scheduled) return sentence(scheduled);
  const waiting = [...initContainerStatuses, ...containerStatuses].find(isStuck);
  if (waiting) return `container ${waiting.name}: ${sentence(waiting.state.waiting!)}`;
  // A sidecar is started again and again.
  const failing = initContainerStatuses.find(({ state }) => state.terminated?.exitCode);
  const { exitCode, reason, message } = failing?.state.terminated ?? {};
  const why = sentence({ reason: reason === "Error" ? undefined : reason, message });
  return failing && [`init container ${failing.name}: exit code ${exitCode}`, why].filter(Boolean).join(": ");
}

/** The Job controller tells nowhere else that a quota, a policy or a missing ServiceAccount keeps it from making pods. */
function whyNoPod({ metadata }: Job, events: Event[]): string | undefined {
  const own = events.filter(({ regarding }) => regarding.uid === metadata.uid);
  const last = own.sort((a, b) => timeOf(a) - timeOf(b)).at(-1);
  return last && sentence({ reason: last.reason, message: last.note });
}

const timeOf = (event: Event): number => Date.parse(lastTold(event)) || 0;

const isStuck = ({ state }: ContainerStatus): boolean =>
  state.waiting?.reason !== undefined && !ORDINARY.includes(state.waiting.reason);

const sentence = ({
  reason,
  message,
}: {
  reason?: string | undefined;
  message?: string | undefined;
}): string => [reason, message].filter(Boolean).join(": ");
