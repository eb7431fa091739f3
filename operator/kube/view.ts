// What a search is at this moment, read from where it lies: no cache, no Lease, nothing is written. For people who look
// at it now and then.
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import { type Event, isControlledBy, keyOf, lastTold, type Pod, type Reader } from "../api/store.ts";
import { SEARCH_LABEL, TRAINER } from "../controllers/candidatetrial/job.ts";
import { type Progress, type RunningTrial, runningTrials } from "../controllers/candidatetrial/progress.ts";
import { isTraining } from "../controllers/status.ts";
import { type Ledger, readLedger } from "../ledger/shards.ts";
import { listManifests, type PolicyUpdate, readSnapshot } from "../ledger/snapshots.ts";
import type { SearchView } from "../local/run.ts";
import { type ApiClient, ApiError } from "./client.ts";
import { collectionPath, listed } from "./remote.ts";

export interface ReadView extends SearchView {
  /** Why its ledger could not be read, where that is so: then it has no entries here. */
  problem?: string;
}

/** Reads a search, all but what its policy has learned. */
export async function readView(
  reader: Reader,
  search: ArchitectureSearch,
  progressOf: (pods: Pod[]) => Promise<RunningTrial[]>,
): Promise<ReadView> {
  const { namespace, name } = keyOf(search);
  const labels = { [SEARCH_LABEL]: name };
  const pods = allowed(reader.list("Pod", namespace, labels), []).then(progressOf);
  const [listed, ledger, known] = await Promise.all([
    reader.list("CandidateTrial", namespace, labels),
    readEntries(reader, search),
    pods,
  ]);
  const trials = listed.filter((trial) => isControlledBy(trial, search));
  trials.sort((a, b) => a.spec.index - b.spec.index);
  const running = trials.filter(isTraining).map(({ metadata, status }) => {
    const trial = metadata.name;
    return known.find((other) => other.trial === trial) ?? { trial, stage: status?.stage };
  });
  return { search, trials, running, policy: [], ...ledger };
}

async function readEntries(reader: Reader, search: ArchitectureSearch) {
  try {
    return { entries: (await readLedger(reader, search)).entries };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { entries: [], problem: error.message };
  }
}

/** What the policy was after each update, up to the newest snapshot that is whole; nothing before the first. */
export async function readUpdates(reader: Reader, search: ArchitectureSearch): Promise<PolicyUpdate[]> {
  const store = { live: reader };
  const manifests = await listManifests(store, search);
  const ledger: Ledger | undefined = manifests.length > 0 ? await readLedger(reader, search) : undefined;
  for (const manifest of manifests) {
    const snapshot = await readSnapshot(store, search, ledger!, manifest).catch((error) => {
      // One that is being written, or deleted, at this moment.
      if (error instanceof ApiError) throw error;
    });
    if (snapshot) return snapshot.updates;
  }
  return [];
}

const TIMEOUT_MS = 2000;

/**
 * Asks the trainers of running pods, through the API server, what they say of themselves. Where the right to get
 * pods/proxy is missing it asks once and never again.
 */
export function progressThrough(client: ApiClient): (pods: Pod[]) => Promise<RunningTrial[]> {
  let refused = false;
  async function progressOf(pod: Pod): Promise<Progress | undefined> {
    const port = trainerPort(pod);
    if (refused || port === undefined) return undefined;
    const { namespace, name } = keyOf(pod);
    try {
      const text = await client.text({
        path: `${collectionPath("Pod", namespace)}/${name}:${port}/proxy/progress`,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return JSON.parse(text) as Progress;
    } catch (error) {
      // It has not begun to listen, or has just ended.
      if (error instanceof ApiError && error.status === 403) refused = true;
      return undefined;
    }
  }
  return (pods) => runningTrials(pods, progressOf);
}

function trainerPort({ spec }: Pod): number | undefined {
  const trainer = spec.containers.find(({ name }) => name === TRAINER);
  const ports = (trainer?.ports ?? []) as { name?: string; containerPort: number }[];
  return ports.find(({ name }) => name === "segnas")?.containerPort;
}

/** An event as people read it. */
export interface ToldEvent {
  /** The object's name. */
  about: string;
  type: string;
  reason: string;
  note: string;
  /** When it was last told of: RFC 3339. */
  time: string;
}

type ListedEvent = Event & { type?: string };

/** A namespace's warnings are those of the last hour; of more pages than this the rest is left out. */
const MOST_PAGES = 10;

/** What is told of a search, and what is wrong with its trials, the latest last; nothing where that may not be read. */
export async function readEvents(client: ApiClient, view: SearchView): Promise<ToldEvent[]> {
  const { namespace, name } = keyOf(view.search);
  const uids = new Set([view.search, ...view.trials].map(({ metadata }) => metadata.uid));
  const select = async (fieldSelector: string) => {
    const found: ListedEvent[] = [];
    let pages = 0;
    for await (const items of listed<ListedEvent>(client, collectionPath("Event", namespace), {
      fieldSelector,
    })) {
      found.push(...items.filter(({ regarding }) => uids.has(regarding.uid)));
      if (++pages === MOST_PAGES) break;
    }
    return found;
  };
  const events = await Promise.all([
    allowed(select(`regarding.kind=ArchitectureSearch,regarding.name=${name}`), []),
    allowed(select("regarding.kind=CandidateTrial,type=Warning"), []),
  ]);
  return events
    .flat()
    .map((event) => {
      const { regarding, type = "Normal", reason, note = "" } = event;
      return { about: regarding.name, type, reason, note, time: lastTold(event) };
    })
    .sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

/** What was asked for, or something else where the right to it is missing. */
const allowed = <T>(asked: Promise<T>, otherwise: T): Promise<T> =>
  asked.catch((error) => {
    if (error instanceof ApiError && error.status === 403) return otherwise;
    throw error;
  });
