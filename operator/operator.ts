// The operator in a cluster: caches from its first moment on, controllers while it holds the Lease.
import { randomUUID } from "node:crypto";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Registry } from "prom-client";
import type { Logger } from "winston";
import { SearchReason, StalledError } from "./api/conditions.ts";
import type { ArchitectureSearch } from "./api/generated/architecturesearches.ts";
import type { CandidateTrial } from "./api/generated/candidatetrials.ts";
import type { Key, Objects } from "./api/store.ts";
import {
  forget,
  forgetAll,
  type SearchDependencies,
  stallSearch,
} from "./controllers/architecturesearch/reconcile.ts";
import { defaultRetryDelay } from "./controllers/candidatetrial/decide.ts";
import { listener } from "./controllers/candidatetrial/progress.ts";
import { tellFailure } from "./controllers/candidatetrial/reconcile.ts";
import { type Controller, startControllers } from "./controllers/controllers.ts";
import { cacheTrials } from "./controllers/trials.ts";
import { type Access, ApiError, createClient, writesWhile } from "./kube/client.ts";
import { conditionEvents } from "./kube/condition-events.ts";
import { createRecorder } from "./kube/events.ts";
import { openClusterStore } from "./kube/informers.ts";
import { acquireLease } from "./kube/lease.ts";
import { progressOf } from "./kube/progress.ts";
import type { StatusWritten } from "./kube/store.ts";
import { FencedError } from "./ledger/shards.ts";
import { controllerMetrics } from "./metrics/controllers.ts";
import { searchMetrics } from "./metrics/searches.ts";
import { watchMetrics } from "./metrics/watches.ts";
import { startPolicy } from "./policy/client.ts";
import type { Settings } from "./settings.ts";
import { clusterSource } from "./web/page/cluster.ts";
import type { PageSource } from "./web/page/source.ts";

/** The Lease's name, for an operator of all namespaces and for that of one. */
const LEASE = "segnas-operator";
const REPORTER = "segnas.dev/operator";
/** Objects of a kind that are worked on at a time. */
const CONCURRENCY = 16;
/** A watch tells of itself once a minute. */
const SILENCE_MS = 180_000;
/** After the first failure of an object; doubled with each, up to the longest. */
const FAILURE_MS = 500;
const LONGEST_FAILURE_MS = 300_000;
/** How long until a search that a person has to mend is looked at again, if nothing changes before. */
const STALLED_MS = 60_000;
/** So many failures in a row may come of what is kept in memory, which is forgotten, or last, which is told. */
const PATIENCE = 3;

export interface Operator {
  /** What keeps it from being ready; undefined where nothing does. */
  notReady(): string | undefined;
  /** Where the page reads searches, if there is to be one. */
  pageSource(): PageSource;
  /** Works until the signal aborts, or throws where it must not go on: in a new process it may. */
  run(signal: AbortSignal): Promise<void>;
}

export function createOperator(
  settings: Settings,
  access: Access,
  registry: Registry,
  logger: Logger,
): Operator {
  const now = () => new Date();
  const { random } = Math;
  const { namespace, trainerImage, pod } = settings;
  const metrics = controllerMetrics(registry);
  metrics.leads(LEASE, false);
  const searches = searchMetrics(registry, now);
  const watches = watchMetrics(registry, () => store.heard());
  const client = createClient(access, { observe: metrics.observeCall });
  const recorder = createRecorder({
    client,
    controller: REPORTER,
    instance: pod.name,
    now,
    failed: (error) => logger.warn("event not written", { reason: sentenceOf(error) }),
  });
  const statusWritten: StatusWritten = (before, after) => {
    if (isOurs(before) && isOurs(after)) recorder.record(after, conditionEvents(before, after));
  };
  const store = openClusterStore({
    ...{ namespace, statusWritten, now, random },
    client: writesWhile(client, () => holds()),
    failed(kind, error) {
      // A version that is too old is listed anew: that is how watches go on.
      const expired = error instanceof ApiError && error.status === 410;
      logger.log(expired ? "debug" : "warn", "watch broken", { kind, reason: sentenceOf(error) });
      if (!expired) watches.failed(kind);
    },
  });
  let holds = (): boolean => false;
  let synced = false;
  /** What is known while this process leads. */
  let knowledge: SearchDependencies["knowledge"] | undefined;
  const notSynced = () => (synced ? undefined : "not every kind has been listed yet");
  store.synced.then(
    () => {
      synced = true;
    },
    () => {},
  );

  async function run(signal: AbortSignal): Promise<void> {
    const end = Promise.withResolvers<never>();
    end.promise.catch(() => {});
    try {
      const leadership = await acquireLease(
        {
          ...{ client, now, random, name: LEASE, identity: pod.uid },
          namespace: pod.namespace ?? client.namespace,
          failed: (error) => logger.warn("lease not reached", { reason: sentenceOf(error) }),
          observed: (holder) =>
            logger.info("lease seen", { holder: holder ?? "nobody", own: holder === pod.uid }),
        },
        signal,
      );
      ({ holds } = leadership);
      metrics.leads(LEASE, true);
      logger.info("leading", { identity: pod.uid, namespace: namespace ?? "all" });
      leadership.lost.addEventListener("abort", () => end.reject(leadership.lost.reason));
      signal.addEventListener("abort", () => end.reject(signal.reason));
      signal.throwIfAborted();
      await Promise.race([store.synced, end.promise]);
      const dependencies: SearchDependencies = {
        ...{ store, logger, now, startPolicy },
        holder: randomUUID(),
        trials: cacheTrials(store),
        knowledge: new Map(),
        keepFinished: false,
        held: new Set(),
      };
      ({ knowledge } = dependencies);
      searches.follow({ store, knowledge });
      const controllers = await startControllers({
        dependencies: {
          ...dependencies,
          retryDelay: defaultRetryDelay,
          listen: listener(progressOf, now),
          ...(trainerImage !== undefined && { trainerImage }),
        },
        failed: (controller, key, error, failures) => {
          if (error instanceof FencedError) end.reject(error);
          return failed(dependencies, controller, key, error, failures);
        },
        concurrency: CONCURRENCY,
        observer: (controller) => metrics.observeQueue(controller, CONCURRENCY),
      });
      try {
        await end.promise;
      } finally {
        // Who has lost the Lease may write nothing more: its process ends at once.
        if (signal.aborted && leadership.holds()) {
          await controllers.close();
          await forgetAll(dependencies);
          await leadership.release();
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      metrics.leads(LEASE, false);
      searches.follow();
      await Promise.all([store.close(), recorder.close()]);
    }
  }

  /** What is done about an error: said, and tried again later. */
  function failed(
    dependencies: SearchDependencies,
    controller: Controller,
    key: Key,
    error: unknown,
    failures: number,
  ): Date {
    const about = { controller, namespace: key.namespace, name: key.name };
    const later = (milliseconds: number): Date => new Date(now().getTime() + milliseconds);
    const isSearch = controller === "ArchitectureSearch";
    const stall = (reason: SearchReason): void => {
      stallSearch(dependencies, key, reason, sentenceOf(error)).catch((cause) =>
        logger.warn("status not written", { ...about, reason: sentenceOf(cause) }),
      );
    };
    if (isSearch && error instanceof UserError) {
      logger.warn("search stalled", { ...about, reason: error.message });
      stall(error instanceof StalledError ? error.reason : SearchReason.InvalidField);
      return later(STALLED_MS);
    }
    logger.warn("reconcile failed", { ...about, failures, reason: sentenceOf(error) });
    if (isSearch && failures >= PATIENCE) forget(dependencies, key).catch(() => {});
    // What is told is news, and news begin another try: the words may be others each time.
    if (Number.isInteger(Math.log2(failures / PATIENCE))) {
      if (isSearch) stall(SearchReason.ReconcileFailed);
      else tellFailure(dependencies, key, sentenceOf(error)).catch(() => {});
    }
    return later(Math.min(FAILURE_MS * 2 ** Math.min(failures - 1, 20), LONGEST_FAILURE_MS));
  }

  return {
    notReady() {
      const silent = store.silent(SILENCE_MS);
      return (
        notSynced() ?? (silent.length > 0 ? `nothing has been heard of ${silent.join(", ")}` : undefined)
      );
    },
    pageSource: () =>
      clusterSource({
        ...{ store, client, notReady: notSynced, knowledge: () => knowledge, artifacts: settings.artifacts },
        failed: (error) => logger.warn("page not up to date", { reason: sentenceOf(error) }),
      }),
    run,
  };
}

const isOurs = (object: Objects[keyof Objects]): object is ArchitectureSearch | CandidateTrial =>
  object.kind === "ArchitectureSearch" || object.kind === "CandidateTrial";

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
