// The controllers of both kinds, driven by what the store tells of changes.
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import { idOf, type Key, type KubernetesObject, keyOf } from "../api/store.ts";
import { reconcileSearch, type SearchDependencies } from "./architecturesearch/reconcile.ts";
import { SEARCH_LABEL, TRIAL_LABEL } from "./candidatetrial/job.ts";
import { reconcileTrial, type TrialDependencies } from "./candidatetrial/reconcile.ts";
import { createQueue, type Queue, type QueueObserver } from "./queue.ts";
import { isFinished } from "./status.ts";

export type Controller = "ArchitectureSearch" | "CandidateTrial";

export interface ControllersOptions {
  dependencies: SearchDependencies & TrialDependencies;
  /** As QueueOptions.failed. */
  failed: (controller: Controller, key: Key, error: unknown, failures: number) => Date | undefined;
  /** How many objects of a kind are worked on at a time; all where left out. */
  concurrency?: number;
  observer?: (controller: Controller) => QueueObserver;
}

/** Works until it is closed; what is there already is looked at first. */
export async function startControllers({
  dependencies,
  failed,
  observer,
  ...options
}: ControllersOptions): Promise<{ close(): Promise<void> }> {
  const { store, now } = dependencies;
  const queueOf = (
    controller: Controller,
    reconcile: (dependencies: ControllersOptions["dependencies"], key: Key) => Promise<Date | undefined>,
  ) =>
    createQueue((id) => reconcile(dependencies, keyFrom(id)), {
      now,
      failed: (id, error, failures) => failed(controller, keyFrom(id), error, failures),
      ...(observer && { observer: observer(controller) }),
      ...options,
    });
  const queues: Record<Controller, Queue> = {
    ArchitectureSearch: queueOf("ArchitectureSearch", reconcileSearch),
    CandidateTrial: queueOf("CandidateTrial", reconcileTrial),
  };
  const add = (kind: Controller, namespace: string, name: string | undefined): void =>
    name === undefined ? undefined : queues[kind].add(idOf({ namespace, name }));
  /** The trial that a Job or a pod is of. */
  const addTrialOf = (object: KubernetesObject): void =>
    add("CandidateTrial", keyOf(object).namespace, object.metadata.labels?.[TRIAL_LABEL]);
  const addSearch = (search: ArchitectureSearch): void =>
    add("ArchitectureSearch", keyOf(search).namespace, search.metadata.name);

  /** What of a search concerns all its trials: another spec, its end, or that it goes on after that. */
  const concerns = (search: ArchitectureSearch): string =>
    `${search.metadata.uid} ${search.metadata.generation} ${isFinished(search)}`;
  const concern = new Map<string, string>();

  /** A suspended search stands still once its Jobs are gone: only then their end is news to it. */
  async function addSuspended(job: KubernetesObject): Promise<void> {
    const name = job.metadata.labels?.[SEARCH_LABEL];
    if (name === undefined) return;
    const search = await store.get("ArchitectureSearch", { ...keyOf(job), name });
    if (search?.spec.suspend) addSearch(search);
  }

  async function addTrialsOf(search: ArchitectureSearch): Promise<void> {
    const { namespace, name } = keyOf(search);
    for (const { metadata, spec } of await store.list("CandidateTrial", namespace))
      if (spec.search === name) add("CandidateTrial", namespace, metadata.name);
  }

  async function addAll(): Promise<void> {
    for (const search of await store.list("ArchitectureSearch")) addSearch(search);
    for (const trial of await store.list("CandidateTrial"))
      if (trial.status?.entry === undefined)
        add("CandidateTrial", keyOf(trial).namespace, trial.metadata.name);
    for (const job of await store.list("Job")) addTrialOf(job);
  }

  const watches = [
    store.watch("ArchitectureSearch", ({ type, object }) => {
      addSearch(object);
      const { namespace, name } = keyOf(object);
      const key = idOf({ namespace, name });
      if (type === "DELETED") concern.delete(key);
      else if (concern.get(key) !== concerns(object)) {
        concern.set(key, concerns(object));
        addTrialsOf(object).catch((error) => failed("ArchitectureSearch", { namespace, name }, error, 1));
      }
    }),
    store.watch("CandidateTrial", ({ object }) => {
      const { namespace, name } = keyOf(object);
      add("CandidateTrial", namespace, name);
      add("ArchitectureSearch", namespace, object.spec.search);
    }),
    store.watch("Pod", ({ object }) => addTrialOf(object)),
    store.watch("Job", ({ type, object }) => {
      addTrialOf(object);
      if (type === "DELETED") addSuspended(object).catch(() => {});
    }),
    // A Job is named by its trial and the attempt's number.
    store.watch("Event", ({ object: { metadata, regarding } }) =>
      add("CandidateTrial", regarding.namespace ?? metadata.namespace!, regarding.name.replace(/-\d+$/, "")),
    ),
  ];
  await addAll();
  return {
    async close() {
      for (const unwatch of watches) unwatch();
      await Promise.all(Object.values(queues).map((queue) => queue.close()));
    },
  };
}

/** From namespace/name. */
function keyFrom(id: string): Key {
  const [namespace, name] = id.split("/") as [string, string];
  return { namespace, name };
}
