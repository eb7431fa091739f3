// A search with its operators, its store and its pods as a model: every call of an operator to the store is one
// step, taken in whatever order the numbers of a test say; it may fail, its answer may be lost, and the operator
// may die before or after it. What an operator reads comes from caches, as in a cluster, each as old as it may be.
import { createHash } from "node:crypto";
import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { type Job, keyOf, type Pod, type Store, type WatchEvent } from "@segnas/operator/api/store.ts";
import {
  forgetAll,
  knowledgeOf,
  reconcileSearch,
  type SearchDependencies,
} from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { reconcileTrial } from "@segnas/operator/controllers/candidatetrial/reconcile.ts";
import { cacheTrials } from "@segnas/operator/controllers/trials.ts";
import { CACHED, createStore } from "@segnas/operator/kube/store.ts";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import type { PolicyClient, PolicyStart } from "@segnas/operator/policy/client.ts";
import { createLogger } from "winston";
import { memoryStore } from "./memory-store.ts";
import { makePod, makeSearch } from "./objects.ts";
import { makeSource } from "./sources.ts";

export interface ModelSettings {
  spec: object;
  startPolicy: (start: PolicyStart) => PolicyClient;
  snapshotEvery: number;
  /** The ledger of the search that it begins with, and what of that one's spec is not as usual. */
  source?: { spec: object; entries: LedgerEntry[] };
}

/** A number that picks the step, and one that picks what goes wrong with it. */
export type Step = [which: number, fault: number];

const NOW = new Date("2026-06-01T00:00:00Z");
const START = Date.parse("2026-01-01T00:00:00Z");
const KEY = { namespace: "default", name: "s" };
const logger = createLogger({ silent: true });

interface Operator {
  dependencies: SearchDependencies;
  /** Calls to the store that wait for their turn. */
  calls: {
    perform: () => Promise<unknown>;
    resolve: (answer: never) => void;
    reject: (error: Error) => void;
  }[];
  /** News that it has not heard yet, by kind: each kind has a watch of its own. */
  news: (() => void)[][];
  busy: Set<string>;
  asleep: boolean;
}

/** What a pod's trainer does: a function of the trial's index and of the attempt. */
function trainerEnd({ spec }: CandidateTrial, attempt: number): { exitCode: number; message: string } {
  const { index, decisions } = spec;
  const failing = index % 7 === 6 || (index % 7 === 5 && attempt === 0);
  if (failing) return { exitCode: 1, message: "the machine broke" };
  if (index % 7 === 3)
    return { exitCode: 65, message: '{"outcome":"Failed","cause":"NonFiniteLoss","message":"NaN"}' };
  const sum = decisions.reduce((total, decision, i) => total + decision * (i + 1), index);
  const reward = index % 7 === 2 ? null : (sum % 97) / 97;
  const metrics = { meanIoU: 0.5, meanAccuracy: 0.5, frequencyWeightedIoU: 0.5 };
  const slots = [
    { stage: 0, epoch: 1, reward: (sum % 89) / 89, meanIoU: 0.5 },
    { stage: 1, epoch: 1, reward, meanIoU: 0.5 },
  ];
  const threshold = spec.gate?.[0]?.threshold;
  const stopped = threshold !== undefined && slots[0]!.reward! <= Number(threshold);
  const result = stopped
    ? { reward: slots[0]!.reward, slots: slots.slice(0, 1), stopped }
    : { reward, slots };
  // Not every trainer tells.
  const times = index % 2 === 0 && { stageSeconds: { Setup: 0.5, 0: (sum % 83) / 10, 1: 0 } };
  return { exitCode: 0, message: JSON.stringify({ outcome: "Succeeded", metrics, ...result, ...times }) };
}

export async function createModel({ spec, startPolicy, snapshotEvery, source }: ModelSettings) {
  const store = memoryStore(() => NOW);
  const { metadata, ...rest } = makeSearch(spec);
  await store.create<"ArchitectureSearch">({
    ...rest,
    metadata: { name: metadata.name },
  } as ArchitectureSearch);
  if (source) await makeSource(store, "first", source.spec, source.entries);
  const operators = new Set<Operator>();
  let started = 0;
  /** Whatever no operator may meet with. */
  const faults: unknown[] = [];
  /** All trials that were ever made. */
  const made: CandidateTrial[] = [];
  store.watch("CandidateTrial", ({ type, object }) => type === "ADDED" && made.push(object));

  function dependenciesOn(operatorStore: Store): SearchDependencies {
    return {
      ...{ store: operatorStore, logger, startPolicy, snapshotEvery },
      now: () => NOW,
      holder: `operator-${started++}`,
      trials: cacheTrials(operatorStore),
      knowledge: new Map(),
      keepFinished: true,
      held: new Set(),
    };
  }

  async function start(): Promise<void> {
    const operator: Omit<Operator, "dependencies"> = {
      calls: [],
      news: [],
      busy: new Set(),
      asleep: false,
    };
    const step =
      <A extends unknown[]>(call: (...args: A) => Promise<unknown>) =>
      (...args: A) =>
        new Promise((resolve, reject) =>
          operator.calls.push({ perform: () => call(...args), resolve, reject }),
        ) as Promise<never>;
    const own = createStore({
      get: step(store.get),
      list: step(store.list),
      create: step(store.create),
      update: step(store.update),
      updateStatus: step(store.updateStatus),
      delete: step(store.delete),
    });
    for (const kind of CACHED) {
      const news: (() => void)[] = [];
      operator.news.push(news);
      const objects = await store.list(kind);
      own.listed(kind, objects as never, String(Number.MAX_SAFE_INTEGER));
      store.watch(kind, (event) => {
        news.push(() => own.changed(kind, event as never));
      });
    }
    operators.add(Object.assign(operator, { dependencies: dependenciesOn(own) }));
  }

  /** It ends in the middle of whatever it does. */
  async function kill(operator: Operator): Promise<void> {
    operators.delete(operator);
    operator.dependencies.trials.close();
    await Promise.race([forgetAll(operator.dependencies), turn()]);
  }

  function begin(operator: Operator, id: string, work: () => Promise<unknown>): void {
    if (operator.busy.has(id)) return;
    operator.busy.add(id);
    work()
      .catch((error: Error) => {
        if (!operators.has(operator)) return;
        if (error.name === "FencedError") return kill(operator);
        if (!["ConflictError", "AlreadyExistsError", "NotFoundError", "Lost"].includes(error.name))
          faults.push(error);
      })
      .finally(() => operator.busy.delete(id));
  }

  async function release(operator: Operator, which: number, fault: number): Promise<void> {
    const [{ perform, resolve, reject }] = operator.calls.splice(which % operator.calls.length, 1) as [
      Operator["calls"][0],
    ];
    const lost = () => Object.assign(new Error("no answer"), { name: "Lost" });
    if (fault < 2) return kill(operator);
    if (fault < 5) return reject(lost());
    if (fault < 7) {
      await perform().catch(() => {});
      return kill(operator);
    }
    if (fault < 12) {
      await perform().catch(() => {});
      return reject(lost());
    }
    await perform().then(resolve as (answer: unknown) => void, reject);
  }

  /** Brings one Job's pod a step on; false where there is nothing to do. */
  async function train(job: Job): Promise<boolean> {
    const pods = await store.list("Pod", "default");
    const pod = pods.find(({ metadata }) => metadata.ownerReferences?.[0]?.uid === job.metadata.uid);
    const trial = await store.get("CandidateTrial", {
      ...KEY,
      name: job.metadata.labels!["segnas.dev/trial"]!,
    });
    if (!trial || pod?.status?.phase === "Succeeded" || pod?.status?.phase === "Failed") return false;
    const attempt = Number(job.metadata.name.split("-").at(-1));
    const began = START + trial.spec.index * 60_000 + attempt * 20_000;
    const startedAt = new Date(began).toISOString();
    const status = (
      phase: "Running" | "Succeeded" | "Failed",
      state: object,
    ): NonNullable<Pod["status"]> => ({
      phase,
      containerStatuses: [{ name: "trainer", state }],
    });
    if (!pod) {
      const created = await store.create<"Pod">({
        ...makePod(job, { phase: "Pending" }),
        metadata: { ...makePod(job, { phase: "Pending" }).metadata, labels: job.metadata.labels! },
      });
      await store.updateStatus<"Pod">({ ...created, status: status("Running", { running: { startedAt } }) });
      return true;
    }
    const { exitCode, message } = trainerEnd(trial, attempt);
    const finishedAt = new Date(began + 5_000 + trial.spec.index).toISOString();
    const terminated = { exitCode, reason: "Error", message, startedAt, finishedAt };
    await store.updateStatus<"Pod">({
      ...pod,
      status: status(exitCode === 0 ? "Succeeded" : "Failed", { terminated }),
    });
    return true;
  }

  /** What a cluster's garbage collector does: deletes a Job that was made after its trial had gone. */
  async function isOwned(job: Job): Promise<boolean> {
    const trials = await store.list("CandidateTrial", "default");
    if (trials.some(({ metadata }) => metadata.uid === job.metadata.ownerReferences?.[0]?.uid)) return true;
    await store.delete("Job", keyOf(job), { uid: job.metadata.uid! });
    return false;
  }

  async function remove(trial: CandidateTrial): Promise<void> {
    await store.delete("CandidateTrial", keyOf(trial), { uid: trial.metadata.uid! });
  }

  return {
    store,
    made,
    faults,
    /** Steps in the order that the numbers say; at times with two operators, at times with one that sleeps. */
    async disturb(steps: Step[], deletions: number): Promise<void> {
      let left = deletions;
      for (const [which, fault] of steps) {
        if (operators.size === 0) await start();
        const trials = await store.list("CandidateTrial", "default");
        const jobs = await store.list("Job", "default");
        const choices: (() => unknown)[] = [];
        for (const operator of operators) {
          if (operator.asleep) {
            choices.push(() => {
              operator.asleep = false;
            });
            continue;
          }
          const { dependencies, busy } = operator;
          for (let weight = 0; weight < 12 && operator.calls.length > 0; weight++)
            choices.push(() => release(operator, which, fault));
          for (const news of operator.news)
            for (let weight = 0; weight < 2 && news.length > 0; weight++) choices.push(() => news.shift()!());
          if (!busy.has("search"))
            choices.push(() => begin(operator, "search", () => reconcileSearch(dependencies, KEY)));
          for (const { metadata, status } of trials) {
            if (busy.has(metadata.name) || (status?.entry !== undefined && fault > 10)) continue;
            const work = () =>
              reconcileTrial({ ...dependencies, retryDelay: () => 0 }, { ...KEY, name: metadata.name });
            choices.push(() => begin(operator, metadata.name, work));
          }
        }
        for (const job of jobs) choices.push(() => train(job));
        if (fault === 99 && operators.size < 2) choices.splice(0, Infinity, start);
        const awake = [...operators].find(({ asleep }) => !asleep);
        if (fault === 98 && awake && operators.size > 1) {
          choices.splice(0, Infinity, () => {
            awake.asleep = true;
          });
        }
        const victim = trials[which % Math.max(1, trials.length)];
        if (fault === 97 && left > 0 && victim && victim.status?.entry === undefined) {
          left--;
          choices.splice(0, Infinity, () => remove(victim));
        }
        // None where all wait for a policy's thread.
        await choices[which % choices.length]?.();
        await (choices.length > 0 ? turn() : wait(1));
      }
      for (const operator of [...operators]) await kill(operator);
    },
    /** One operator, to which nothing happens, until there is nothing to do. Trials of these indices go at once. */
    async finish(deleted: readonly number[] = []) {
      const dependencies = dependenciesOn(store);
      let changes = 0;
      const count = (_: WatchEvent<"CandidateTrial" | "ArchitectureSearch" | "Job" | "Pod">) => changes++;
      const watches = (["CandidateTrial", "ArchitectureSearch", "Job", "Pod"] as const).map((kind) =>
        store.watch(kind, count as never),
      );
      watches.push(
        store.watch("CandidateTrial", ({ type, object }) => {
          if (type === "ADDED" && deleted.includes(object.spec.index)) remove(object);
        }),
      );
      for (let before = -1; before !== changes; ) {
        before = changes;
        await reconcileSearch(dependencies, KEY);
        for (const trial of await store.list("CandidateTrial", "default")) {
          await reconcileTrial({ ...dependencies, retryDelay: () => 0 }, keyOf(trial));
        }
        for (const job of await store.list("Job", "default")) if (await isOwned(job)) await train(job);
      }
      for (const unwatch of watches) unwatch();
      dependencies.trials.close();
      const search = (await store.get("ArchitectureSearch", KEY))!;
      const { ledger, state, policy, updates } = await knowledgeOf(dependencies, search);
      const weights = await policy.state(state.policyUpdates);
      await policy.close();
      const { conditions, ...status } = search.status!;
      return {
        search,
        entries: ledger.entries,
        outcome: { state, updates, status, policy: createHash("sha256").update(weights).digest("hex") },
      };
    },
  };
}
