// The page's source in a cluster: the operator's caches, and what it knows of searches where it leads. What else there
// is to be read is read beside, and shown from the next look on.
import { setTimeout as wait } from "node:timers/promises";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import { idOf, isControlledBy, keyOf, type Store } from "../../api/store.ts";
import type { Knowledge } from "../../controllers/architecturesearch/knowledge.ts";
import { SEARCH_LABEL } from "../../controllers/candidatetrial/job.ts";
import { runningTrials } from "../../controllers/candidatetrial/progress.ts";
import { cacheTrials } from "../../controllers/trials.ts";
import type { ApiClient } from "../../kube/client.ts";
import { progressOf } from "../../kube/progress.ts";
import { readEvents } from "../../kube/view.ts";
import { inCluster } from "./elsewhere.ts";
import { noRecords, type Records, readOn } from "./records.ts";
import type { PageSource, PageView } from "./source.ts";

export interface ClusterParts {
  store: Store;
  /** For events, of which no cache is kept. */
  client: ApiClient;
  /** Why there is nothing to be shown yet, if that is so. */
  notReady: () => string | undefined;
  /** What is known of searches that go on, by their namespace and name, where this process leads. */
  knowledge: () =>
    | ReadonlyMap<string, { uid: string; opening: Promise<Pick<Knowledge, "ledger" | "updates">> }>
    | undefined;
  /** Where each trial of the one namespace that is served has a folder. */
  artifacts: string | undefined;
  failed: (error: unknown) => void;
}

/** How often trainers are asked, records read and events listed, at most, while somebody looks at a search. */
const PACE_MS = { running: 2_000, records: 5_000, events: 15_000 };
/** Those who look first are given what can be read so soon. */
const PATIENCE_MS = 700;
/** Trainers that are asked for a search. */
const MOST_TRAINERS = 64;
/** What nobody has looked at for so long is forgotten. */
const FORGET_MS = 600_000;

/** What is read of a search beside the caches. */
interface Beside {
  records: Records;
  /** The policy's updates as they were known last: of a search that has ended there may be no snapshot. */
  updates: PageView["policy"];
  running: PageView["running"];
  events: PageView["events"];
  /** When each was read last, and whether it is being read. */
  at: Partial<Record<keyof typeof PACE_MS, number>>;
  reading: Map<keyof typeof PACE_MS, Promise<void>>;
  looked: number;
}

export function clusterSource(parts: ClusterParts): PageSource {
  const { store, client, notReady, artifacts, failed } = parts;
  const trials = cacheTrials(store);
  const known = new Map<string, Beside>();

  function ready(): void {
    const reason = notReady();
    if (reason !== undefined) throw new UserError(`The operator is not ready: ${reason}.`);
  }

  function besideOf(search: ArchitectureSearch): Beside {
    const now = performance.now();
    for (const [uid, { looked }] of known) if (now - looked > FORGET_MS) known.delete(uid);
    const uid = search.metadata.uid!;
    const beside = known.get(uid) ?? {
      ...{ records: noRecords(), updates: [], running: [], events: [] },
      ...{ at: {}, reading: new Map(), looked: now },
    };
    beside.looked = now;
    known.set(uid, beside);
    return beside;
  }

  /** Reads something beside, unless that was done a moment ago or is being done. */
  function read(beside: Beside, what: keyof typeof PACE_MS, work: () => Promise<void>): void {
    const last = beside.at[what] ?? Number.NEGATIVE_INFINITY;
    if (beside.reading.has(what) || performance.now() - last < PACE_MS[what]) return;
    const reading = work()
      .catch(failed)
      .finally(() => {
        beside.at[what] = performance.now();
        beside.reading.delete(what);
      });
    beside.reading.set(what, reading);
  }

  /** What this process knows of a search as it works on it; undefined while its ledger is being read, and after its end. */
  async function ownKnowledge(search: ArchitectureSearch) {
    const own = parts.knowledge()?.get(idOf(keyOf(search)));
    if (own?.uid !== search.metadata.uid) return undefined;
    // Of two that are settled the first counts.
    return Promise.race([own?.opening, undefined]).catch(() => undefined);
  }

  return {
    async searches() {
      ready();
      return store.list("ArchitectureSearch");
    },
    async view(key) {
      ready();
      const search = await store.get("ArchitectureSearch", key);
      if (!search) return undefined;
      const own = await ownKnowledge(search);
      const beside = besideOf(search);
      const { records } = beside;
      if (own) beside.updates = own.updates;
      if (!own && (search.status?.entries ?? 0) > records.entries.length)
        read(beside, "records", () => readOn(store.live, search, records));
      read(beside, "running", async () => {
        const pods = await store.list("Pod", key.namespace, { [SEARCH_LABEL]: key.name });
        const running = pods.filter(({ status }) => status?.phase === "Running");
        beside.running = await runningTrials(running.slice(0, MOST_TRAINERS), progressOf);
      });
      const all = (await trials.of(key)).filter((trial) => isControlledBy(trial, search));
      read(beside, "events", async () => {
        const about = { search, trials: all, entries: [], policy: [], running: [] };
        beside.events = await readEvents(client, about);
      });
      const first = [...beside.reading].flatMap(([what, reading]) => (what in beside.at ? [] : [reading]));
      if (first.length > 0) await Promise.race([Promise.all(first), wait(PATIENCE_MS)]);
      return {
        ...{ search, trials: all, running: beside.running, events: beside.events, isLive: true },
        entries: own?.ledger.entries ?? records.entries,
        policy: records.updates.length > beside.updates.length ? records.updates : beside.updates,
        ...(records.problem !== undefined && !own && { problem: records.problem }),
      };
    },
    ...inCluster(artifacts === undefined ? UNSEEN : { folder: artifacts }),
  };
}

const UNSEEN = {
  none: "Its pictures and curve lie on the artifacts volume that the search's trialTemplate mounts, which the operator does not see.",
};
