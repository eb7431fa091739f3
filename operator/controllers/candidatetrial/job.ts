// The batch/v1 Job of one attempt at a trial.
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import { type Container, controllerReference, type Job, keyOf, type PodSpec } from "../../api/store.ts";
import { threadsEnvironment } from "./threads.ts";

export const TRAINER = "trainer";
/** Labels of Jobs and pods. */
export const SEARCH_LABEL = "segnas.dev/search";
export const TRIAL_LABEL = "segnas.dev/trial";

/** What the trainer's exit code says (the trainer contract). */
export const EXIT = { result: 0, invalidConfiguration: 64, untrainable: 65, tryAgain: 75 } as const;

/** By it Kueue knows which queue a Job waits in. */
const QUEUE_LABEL = "kueue.x-k8s.io/queue-name";

/** Where the trainer serves its progress. */
export const PORT = 9090;
/**
 * The trainer keeps its time limit itself. Twice that and an hour to prepare after its pod has come to a machine, it
 * hangs: then the kubelet ends the pod. (The Job's own deadline would count the time that it waits for a machine.)
 */
const deadline = (timeLimitSeconds: number): number => 2 * timeLimitSeconds + 3600;

/** The trial as the trainer reads it, in SEGNAS_TRIAL. What all trials share is drawn from the search's seed. */
export function trainerInput(search: ArchitectureSearch, trial: CandidateTrial): string {
  const { seed: searchSeed, space, dataset, training } = search.spec;
  // Constraints are kept before a trial comes to a trainer.
  const { constraints: _, ...objective } = search.spec.objective;
  const { seed, architecture, gate } = trial.spec;
  const { name } = trial.metadata;
  return JSON.stringify({ name, seed, searchSeed, architecture, space, objective, dataset, training, gate });
}

/**
 * The Job of attempt `number`: one pod, never started again, whose end says all there is to say. The search's
 * trialTemplate is the ground that the operator's own fields are laid on.
 * @param image of the trainer, where the template names none
 */
export function attemptJob(
  search: ArchitectureSearch,
  trial: CandidateTrial,
  number: number,
  image?: string,
): Job {
  const { namespace, name } = keyOf(trial);
  const labels = { [SEARCH_LABEL]: trial.spec.search, [TRIAL_LABEL]: name };
  const { trialTemplate: template, queueName } = search.spec;
  const { timeLimitSeconds } = search.spec.training;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: attemptName(trial, number),
      namespace,
      labels: { ...labels, ...(queueName !== undefined && { [QUEUE_LABEL]: queueName }) },
      ownerReferences: [controllerReference(trial)],
    },
    spec: {
      backoffLimit: 0,
      podReplacementPolicy: "Failed",
      podFailurePolicy: {
        rules: [
          { action: "FailJob", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          {
            action: "FailJob",
            onExitCodes: {
              containerName: TRAINER,
              operator: "In",
              values: [EXIT.invalidConfiguration, EXIT.untrainable],
            },
          },
        ],
      },
      template: {
        metadata: { ...template?.metadata, labels: { ...template?.metadata?.labels, ...labels } },
        spec: {
          ...(timeLimitSeconds && { activeDeadlineSeconds: deadline(timeLimitSeconds) }),
          ...podSpec(
            template?.spec ?? { containers: [{ name: TRAINER }] },
            trainerInput(search, trial),
            image,
          ),
        },
      },
    },
  };
}

/** The name of an attempt's Job. */
export const attemptName = (trial: CandidateTrial, number: number): string =>
  `${trial.metadata.name}-${number}`;

function podSpec(template: PodSpec, input: string, image: string | undefined): PodSpec {
  const volumes = (template.volumes as { name: string }[] | undefined) ?? [];
  return {
    automountServiceAccountToken: false,
    ...template,
    restartPolicy: "Never",
    // Pod Security "restricted".
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
      ...(template.securityContext as object | undefined),
    },
    volumes: volumes.some(({ name }) => name === TEMPORARY.name) ? volumes : [...volumes, TEMPORARY],
    ...(template.initContainers && { initContainers: template.initContainers.map(tellingContainer) }),
    containers: template.containers.map((container) =>
      container.name === TRAINER
        ? restricted(trainerContainer(container, input, image))
        : tellingContainer(container),
    ),
  };
}

/** The one place that a trainer may write to by itself: its root file system is read-only. */
const TEMPORARY = { name: "segnas-tmp", emptyDir: {} };
const TEMPORARY_PATH = "/tmp";

const restricted = (container: Container): Container => ({
  ...container,
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    ...(container.securityContext as object | undefined),
  },
});

/** Whatever else runs in the pod says at its end why. */
const tellingContainer = (container: Container): Container => ({
  terminationMessagePolicy: "FallbackToLogsOnError",
  ...restricted(container),
});

function trainerContainer(template: Container, input: string, image: string | undefined): Container {
  const own = [
    // Kubernetes puts variables in the place of $(NAME).
    { name: "SEGNAS_TRIAL", value: input.replaceAll("$(", "$$$$(") },
    { name: "SEGNAS_RESULT", value: "/dev/termination-log" },
    { name: "SEGNAS_PORT", value: String(PORT) },
  ];
  const env = template.env?.filter(({ name }) => !own.some((variable) => variable.name === name)) ?? [];
  const threads = Object.entries(threadsOf(template)).filter(
    ([name]) => !env.some((other) => other.name === name),
  );
  const mounts = (template.volumeMounts as { mountPath: string }[] | undefined) ?? [];
  const temporary = { name: TEMPORARY.name, mountPath: TEMPORARY_PATH };
  return {
    ...(image !== undefined && { image }),
    ...template,
    securityContext: {
      readOnlyRootFilesystem: true,
      ...(template.securityContext as object | undefined),
    },
    volumeMounts: mounts.some(({ mountPath }) => mountPath === TEMPORARY_PATH)
      ? mounts
      : [...mounts, temporary],
    env: [...threads.map(([name, value]) => ({ name, value })), ...env, ...own],
    ports: [...((template.ports as object[] | undefined) ?? []), { name: "segnas", containerPort: PORT }],
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

const threadsOf = ({ resources }: Container): Record<string, string> =>
  resources?.limits?.cpu === undefined ? {} : threadsEnvironment(resources.limits.cpu);
