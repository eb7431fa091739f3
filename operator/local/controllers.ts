// The controllers of one search, driven by what the store tells of changes.
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { Key } from "../api/store.ts";
import { reconcileSearch, type SearchDependencies } from "../controllers/architecturesearch/reconcile.ts";
import { TRIAL_LABEL } from "../controllers/candidatetrial/job.ts";
import { reconcileTrial, type TrialDependencies } from "../controllers/candidatetrial/reconcile.ts";
import { createQueue } from "../controllers/queue.ts";
import { isFinished } from "../controllers/status.ts";

interface Hooks {
  /** The search or one of its Jobs has changed. */
  changed: () => void;
  failed: (error: unknown) => void;
}

const SEARCH = "search";

/** Works until it is closed; what is there already is looked at first. */
export function startControllers(
  dependencies: SearchDependencies & TrialDependencies,
  key: Key,
  { changed, failed }: Hooks,
): { close(): Promise<void> } {
  const { store, now, trials } = dependencies;
  const { namespace } = key;
  /** Of the search or, by name, of a trial. */
  const work = (id: string) =>
    id === SEARCH
      ? reconcileSearch(dependencies, key)
      : reconcileTrial(dependencies, { namespace, name: id.slice(TRIAL.length) });
  const queue = createQueue(work, { now, failed: (_, error) => failed(error) });
  const addTrial = (name: string | undefined) => name && queue.add(TRIAL + name);

  async function addTrials(): Promise<void> {
    for (const { metadata, status } of await trials.of(key))
      if (status?.entry === undefined) addTrial(metadata.name);
    for (const { metadata } of await store.list("Job", namespace)) addTrial(metadata.labels?.[TRIAL_LABEL]);
  }

  /** What of the search concerns all its trials: another spec, its end, or that it goes on after that. */
  const concerns = (search: ArchitectureSearch) => `${search.metadata.generation} ${isFinished(search)}`;
  let concern = "";
  const watches = [
    store.watch("ArchitectureSearch", ({ object }) => {
      queue.add(SEARCH);
      if (concerns(object) !== concern) addTrials().catch(failed);
      concern = concerns(object);
      changed();
    }),
    store.watch("CandidateTrial", ({ object }) => {
      addTrial(object.metadata.name);
      queue.add(SEARCH);
    }),
    store.watch("Pod", ({ object }) => addTrial(object.metadata.labels?.[TRIAL_LABEL])),
    store.watch("Job", ({ object }) => {
      addTrial(object.metadata.labels?.[TRIAL_LABEL]);
      changed();
    }),
  ];
  queue.add(SEARCH);
  addTrials().catch(failed);
  return {
    async close() {
      for (const unwatch of watches) unwatch();
      await queue.close();
    },
  };
}

const TRIAL = "trial/";
