// A local search whose store is in a test's hands: changed while it runs, as people do with kubectl. It is made of
// the same parts as openLocalSearch.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { keyOf } from "@segnas/operator/api/store.ts";
import {
  forgetAll,
  type SearchDependencies,
} from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { startControllers } from "@segnas/operator/controllers/controllers.ts";
import { isTrue } from "@segnas/operator/controllers/status.ts";
import { cacheTrials } from "@segnas/operator/controllers/trials.ts";
import { readLedger } from "@segnas/operator/ledger/shards.ts";
import { startKubelet } from "@segnas/operator/local/kubelet.ts";
import { startOf } from "@segnas/operator/local/process.ts";
import { openStore } from "@segnas/operator/local/store.ts";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import { createLogger } from "winston";
import { newFolder, options, removeFolder, search } from "./local-fixtures.ts";
import type { Pretence } from "./pretend-trainer.ts";

const namespace = "default";
export const KEY = { namespace, name: "quick" };

/** A search that has begun. Each trial trains until it is released, unless `pretence` says something else. */
export async function steeredSearch(
  context: TestContext,
  spec: object,
  pretence: Partial<Pretence> = {},
  { gpus = 0, command }: { gpus?: number; command?: string[] } = {},
) {
  const stateDir = newFolder();
  const released = join(stateDir, "released");
  mkdirSync(released);
  const store = openStore(stateDir);
  const faults: unknown[] = [];
  const failed = (error: unknown) => faults.push(error);
  const logger = createLogger({ silent: true });
  const now = () => new Date();
  const { trainer } = options(stateDir, spec, { milliseconds: 0, until: released, ...pretence });
  const dependencies: SearchDependencies & { retryDelay: () => number } = {
    ...{ store, logger, now, startPolicy, holder: "test", retryDelay: () => 50 },
    trials: cacheTrials(store),
    knowledge: new Map(),
    keepFinished: true,
    held: new Set(),
  };
  /** Every process that a pod ever spoke of: its number and when it started. */
  const processes = new Set<string>();
  store.watch("Pod", ({ object }) => {
    const id = object.status?.containerStatuses?.[0]?.containerID;
    if (id) processes.add(id.replace("process://", ""));
  });
  const made: CandidateTrial[] = [];
  store.watch("CandidateTrial", ({ type, object }) => type === "ADDED" && made.push(object));
  await store.create<"ArchitectureSearch">(search(spec));
  const kubelet = await startKubelet({
    ...{ store, namespace, logger, now, stateDir, gpus, failed },
    trainer: { ...trainer, ...(command && { command }) },
  });
  const controllers = await startControllers({
    dependencies,
    failed: (_, __, error) => {
      failed(error);
      return undefined;
    },
  });
  context.after(async () => {
    await controllers.close();
    await kubelet.close();
    await forgetAll(dependencies);
    store.close();
    removeFolder(stateDir);
  });

  const get = async () => (await store.get("ArchitectureSearch", KEY))!;
  const trials = async () =>
    (await store.list("CandidateTrial", namespace)).sort((a, b) => a.spec.index - b.spec.index);
  const trial = async (index: number) =>
    (await store.get("CandidateTrial", { namespace, name: `quick-${index}` }))!;

  const log = (job: string) => readFileSync(join(stateDir, "logs", `${job}.log`), "utf8");

  /** Resolves once it is as wanted. */
  async function until(wanted: () => Promise<boolean | undefined>): Promise<void> {
    while (!(await wanted())) {
      if (faults.length > 0) throw faults[0];
      await wait(10);
    }
  }

  return {
    ...{ store, stateDir, get, trials, trial, until, faults },
    /** All trials that were ever made. */
    made,
    jobs: () => store.list("Job", namespace),
    entries: async () => (await readLedger(store, await get())).entries,
    /** Changes fields of spec. No await lies between reading and writing: there is no conflict. */
    async steer(fields: Partial<ArchitectureSearch["spec"]>): Promise<void> {
      const before = await get();
      await store.update<"ArchitectureSearch">({ ...before, spec: { ...before.spec, ...fields } });
    },
    release: (...indices: number[]) => {
      for (const index of indices) writeFileSync(join(released, `quick-${index}`), "");
    },
    /** Until these trials train, and their programs say so. */
    training: (...indices: number[]) =>
      until(async () => {
        const all = await Promise.all(indices.map(trial));
        return all.every((one) => {
          const attempt = one?.status?.attempts?.at(-1);
          return attempt?.startTime && !attempt.endTime && log(attempt.job) !== "";
        });
      }),
    /** Until the search has this condition, for its spec as it is now. */
    condition: (type: string) =>
      until(async () => {
        const { metadata, status } = await get();
        return status?.observedGeneration === metadata.generation && isTrue(status?.conditions, type);
      }),
    /** Until the search has looked at its spec as it is now. */
    observed: () =>
      until(async () => {
        const { metadata, status } = await get();
        return status?.observedGeneration === metadata.generation;
      }),
    entered: (count: number) => until(async () => ((await get()).status?.entries ?? 0) >= count),
    /** Until so many of the processes that ever ran still do. */
    alive: (count: number) =>
      until(async () => {
        const ids = [...processes].map((id) => id.split("/") as [string, string]);
        const starts = await Promise.all(ids.map(([pid]) => startOf(Number(pid))));
        return ids.filter(([, start], i) => starts[i] === start).length === count;
      }),
    remove: async (index: number) => {
      const victim = await trial(index);
      await store.delete("CandidateTrial", keyOf(victim), { uid: victim.metadata.uid! });
    },
    log,
  };
}
