// A search on this machine: the controllers of the operator on a folder in place of a cluster.
import { randomUUID } from "node:crypto";
import { createLogger, type Logger } from "winston";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import { ConflictError, type Key, keyOf } from "../api/store.ts";
import type { PolicyUpdate } from "../controllers/architecturesearch/knowledge.ts";
import {
  forgetAll,
  knowledgeOf,
  type SearchDependencies,
} from "../controllers/architecturesearch/reconcile.ts";
import { defaultRetryDelay } from "../controllers/candidatetrial/decide.ts";
import { jobEnd } from "../controllers/candidatetrial/outcome.ts";
import { listener, type RunningTrial } from "../controllers/candidatetrial/progress.ts";
import { startControllers } from "../controllers/controllers.ts";
import { isFinished, standsStill } from "../controllers/status.ts";
import { cacheTrials } from "../controllers/trials.ts";
import type { LedgerEntry } from "../ledger/entry.ts";
import { startPolicy } from "../policy/client.ts";
import { startKubelet } from "./kubelet.ts";
import { localTrials, progressOf } from "./progress.ts";
import { sourceReader } from "./source.ts";
import { openStore } from "./store.ts";
import { takeOver } from "./takeover.ts";

export interface LocalOptions {
  /** As admitted (see api/validate.ts). */
  search: ArchitectureSearch;
  /** The folder that keeps the search; made where it is not there. */
  stateDir: string;
  /** The folder of the search that spec.startingPoints.search names; the one of that name beside `stateDir` by default. */
  startFrom?: string;
  /** What is run for a trial: program and arguments. */
  trainer: { command: string[]; env?: Record<string, string> };
  /** How many GPUs there are; 0, which is the default, runs trials on the CPU. */
  gpus?: number;
  now?: () => Date;
  /** Silent by default. */
  logger?: Logger;
  /** Milliseconds to wait after so many failures of a trial's infrastructure. */
  retryDelay?: (failures: number) => number;
  /** See KnowledgeDependencies. */
  snapshotEvery?: number;
}

export interface SearchView {
  search: ArchitectureSearch;
  trials: CandidateTrial[];
  entries: LedgerEntry[];
  running: RunningTrial[];
  policy: PolicyUpdate[];
  /** How many trials can train at a time, where that may be fewer than spec.parallelism: it has a GPU each here. */
  gpus?: number;
}

export interface LocalSearch {
  /**
   * Resolves when the search has ended, or was stopped by the signal: running trials are ended then, and nothing
   * is held against them.
   */
  run(signal: AbortSignal): Promise<ArchitectureSearch>;
  view(): Promise<SearchView>;
  close(): Promise<void>;
}

/**
 * Opens the search in a folder, or begins it there.
 * @throws UserError where another process has it open, the folder holds another search, or a field differs that
 * cannot change
 */
export async function openLocalSearch(options: LocalOptions): Promise<LocalSearch> {
  const { search: given, stateDir, trainer, gpus = 0, now = () => new Date() } = options;
  const { logger = createLogger({ silent: true }), retryDelay = defaultRetryDelay } = options;
  const store = openStore(stateDir, { now });
  let key: Key;
  try {
    key = keyOf(await takeOver(store, given, stateDir));
  } catch (error) {
    store.close();
    throw error;
  }
  const dependencies: SearchDependencies = {
    ...{ store, logger, now, startPolicy },
    ...(options.snapshotEvery !== undefined && { snapshotEvery: options.snapshotEvery }),
    sources: sourceReader(given, stateDir, options.startFrom),
    holder: randomUUID(),
    trials: cacheTrials(store),
    knowledge: new Map(),
    keepFinished: true,
    held: new Set(),
  };
  const { namespace } = key;
  const current = async () => (await store.get("ArchitectureSearch", key))!;

  async function suspend(value: boolean): Promise<void> {
    const search = await current();
    const changed = { ...search, spec: { ...search.spec, suspend: value } };
    await store.update<"ArchitectureSearch">(changed).catch((error) => {
      if (error instanceof ConflictError) return suspend(value);
      throw error;
    });
  }

  /** Whether the search has come to rest: it has ended or is suspended, and no Job runs. */
  async function atRest(): Promise<boolean> {
    const search = await current();
    if (search.status?.observedGeneration !== search.metadata.generation) return false;
    const suspended = search.spec.suspend && standsStill(search);
    if (!suspended && !isFinished(search)) return false;
    // What ran at its end is counted by then.
    if (search.status?.trials?.running) return false;
    return (await store.list("Job", namespace)).every(jobEnd);
  }

  async function run(signal: AbortSignal): Promise<ArchitectureSearch> {
    const rest = Promise.withResolvers<void>();
    // What fails before it is waited for is told when it is.
    rest.promise.catch(() => {});
    const failed = rest.reject;
    const look = () => atRest().then((resting) => resting && rest.resolve(), failed);
    const stop = () => suspend(true).catch(failed);
    await suspend(given.spec.suspend || signal.aborted);
    const kubelet = await startKubelet({ store, namespace, logger, now, stateDir, trainer, gpus, failed });
    const watches = (["ArchitectureSearch", "Job"] as const).map((kind) => store.watch(kind, look));
    const controllers = await startControllers({
      dependencies: { ...dependencies, retryDelay, listen: listener(progressOf, now) },
      failed: (_, __, error) => {
        failed(error);
        return undefined;
      },
    });
    signal.addEventListener("abort", stop);
    try {
      // It may have come since it was last asked for.
      if (signal.aborted) await stop();
      await look();
      await rest.promise;
      await kubelet.idle();
      return await current();
    } finally {
      signal.removeEventListener("abort", stop);
      for (const unwatch of watches) unwatch();
      await controllers.close();
      await kubelet.close();
    }
  }

  return {
    run,
    async view() {
      const search = await current();
      const { ledger, updates } = await knowledgeOf(dependencies, search);
      const trials = await dependencies.trials.of(key);
      trials.sort((a, b) => a.spec.index - b.spec.index);
      const running = await localTrials(await store.list("Pod", namespace));
      const view = { search, trials, entries: ledger.entries, running, policy: updates };
      return gpus > 0 ? { ...view, gpus } : view;
    },
    async close() {
      await forgetAll(dependencies);
      store.close();
    },
  };
}
