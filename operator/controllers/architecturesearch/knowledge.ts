// What the operator keeps in memory of a search: its ledger, the fold over it, and the policy that has learned
// from it. All of it comes from the ledger, so it may be dropped and built again at any time.
import type { Logger } from "winston";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { Reader, Store } from "../../api/store.ts";
import { isImported, type LedgerEntry, type SettledEntry } from "../../ledger/entry.ts";
import {
  EMPTY,
  entriesDue,
  type FoldSettings,
  fold,
  type SearchState,
  versionAfter,
} from "../../ledger/fold.ts";
import { gateSettings } from "../../ledger/gate.ts";
import { appendEntry, type Ledger, openLedger } from "../../ledger/shards.ts";
import {
  listManifests,
  type PolicyUpdate,
  readSnapshot,
  type Snapshot,
  writeSnapshot,
} from "../../ledger/snapshots.ts";
import type { PolicyClient, PolicyStart } from "../../policy/client.ts";
import { resolvePolicy } from "../../policy/settings.ts";
import { aboutSearch } from "../status.ts";
import { checkConstraints } from "./constraints.ts";
import { isOriginal } from "./untrained.ts";

export type { PolicyUpdate };

export interface KnowledgeDependencies {
  store: Store;
  /** Where the search is read that another begins with, if that is another place. */
  sources?: Reader;
  logger: Logger;
  startPolicy: (start: PolicyStart) => PolicyClient;
  /** Who this is: no other process has the same. */
  holder: string;
  /** Entries from one snapshot to the next. */
  snapshotEvery?: number;
}

/**
 * A start learns at most about so many entries again (policyLag where that is more) and policyLag more: 5 updates of ten
 * trials, or 50 of the published form, a few seconds either way. The 4 MB of a snapshot are then 80 KB a trial.
 */
const SNAPSHOT_EVERY = 50;

export interface Knowledge {
  settings: FoldSettings;
  ledger: Ledger;
  state: SearchState;
  /** Entry numbers by trial index, but for what was taken over from another search. */
  numbers: Map<number, number>;
  /** By network, the first trial in the ledger that has a reward of its own. */
  networks: Map<string, SettledEntry>;
  /** One above the highest index that was seen or used. */
  made: number;
  /** Whether indices that were reserved before this process opened the ledger may never have been made. */
  unmade: boolean;
  /** When the search's status was last written. */
  told: Date | undefined;
  policy: PolicyClient;
  updates: PolicyUpdate[];
  /** What the next snapshot will hold. */
  nextSnapshot: Snapshot | undefined;
  snapshotEvery: number;
  logger: Logger;
}

/** What the fold has to know of a search's spec. */
export function foldSettings({ spec }: ArchitectureSearch): FoldSettings {
  const { batchSize } = resolvePolicy(spec.policy);
  const failureReward = Number(spec.objective.failureReward);
  // As rewards come a trial is made after all that have.
  const policyLag = spec.rewardOrder === "Index" ? spec.policyLag : 1;
  return { batchSize, failureReward, policyLag, gate: gateSettings(spec.gate) };
}

/**
 * Takes the ledger over (see openLedger), and learns what it holds: from the newest snapshot on that is whole.
 * @throws FencedError, UserError as openLedger does, UserError as checkConstraints does
 */
export async function openKnowledge(
  dependencies: KnowledgeDependencies,
  search: ArchitectureSearch,
  held: boolean,
): Promise<Knowledge> {
  const { store, startPolicy, holder, snapshotEvery = SNAPSHOT_EVERY } = dependencies;
  const ledger = await openLedger(store, search, holder, held);
  // Cannot be changed any more, and may do for the trials that there are.
  if (ledger.entries.length === 0) checkConstraints(search);
  const { seed, policy } = search.spec;
  const knowledge: Knowledge = {
    settings: foldSettings(search),
    ledger,
    state: EMPTY,
    numbers: new Map(),
    networks: new Map(),
    made: ledger.last!.spec.shard.made,
    unmade: true,
    told: undefined,
    policy: startPolicy({ settings: resolvePolicy(policy), seed }),
    updates: [],
    nextSnapshot: undefined,
    snapshotEvery,
    logger: dependencies.logger,
  };
  try {
    for (const entry of ledger.entries) noteTrial(knowledge, entry);
    await restore(knowledge, dependencies, search);
    for (const entry of ledger.entries.slice(knowledge.state.entries)) await take(knowledge, entry);
    return knowledge;
  } catch (error) {
    await knowledge.policy.close();
    throw error;
  }
}

/** Goes on from the newest snapshot that counts, if there is one. */
async function restore(
  knowledge: Knowledge,
  { store, logger }: KnowledgeDependencies,
  search: ArchitectureSearch,
): Promise<void> {
  for (const manifest of await listManifests(store, search)) {
    try {
      const { state, updates, policy } = await readSnapshot(store, search, knowledge.ledger, manifest);
      await knowledge.policy.restore(state.policyUpdates, policy);
      Object.assign(knowledge, { state, updates });
      return;
    } catch (error) {
      const reason = (error as Error).message;
      logger.warn("snapshot passed over", { search: search.metadata.name, reason });
    }
  }
}

/** Writes an entry into the ledger and learns it. Throws as appendEntry does; then the knowledge is out of date. */
export async function enter(
  knowledge: Knowledge,
  store: Store,
  search: ArchitectureSearch,
  entry: LedgerEntry,
): Promise<void> {
  knowledge.ledger = await appendEntry(store, search, knowledge.ledger, entry, knowledge.made);
  // As it is read again: -0 is 0 in JSON.
  await take(knowledge, knowledge.ledger.entries.at(-1)!, () => snapshotIfDue(knowledge, store, search));
  // At once: of entries that come together the next due one would take its place.
  await snapshotIfDue(knowledge, store, search);
}

/** @param before what is done before another snapshot takes the place of one that is due */
async function take(
  knowledge: Knowledge,
  entry: LedgerEntry,
  before = async (): Promise<void> => {},
): Promise<void> {
  const { settings, policy, updates } = knowledge;
  const state = fold(settings, knowledge.state, entry);
  knowledge.state = state;
  noteTrial(knowledge, entry);
  if (state.batch) {
    const { entropy, baseline } = await policy.learn(state.batch);
    updates.push({ update: state.policyUpdates, entropy, baseline, entry: entry.number });
  }
  if (state.entries % knowledge.snapshotEvery === 0 && !isWaiting(knowledge)) {
    await before();
    // The policy tells only the state that it is in.
    knowledge.nextSnapshot = {
      ...{ state, updates: [...updates] },
      policy: await policy.state(state.policyUpdates),
    };
  }
  if (!state.batch) return;
  // The next trial's index is at least the number of own entries, and the version it needs never falls.
  await policy.forget(versionAfter(settings, state, oldestNeeded(knowledge)));
}

function noteTrial({ numbers, networks }: Knowledge, entry: LedgerEntry): void {
  if (!isImported(entry)) numbers.set(entry.index, entry.number);
  if (!isOriginal(entry)) return;
  const known = networks.get(entry.network);
  if (!known || entry.index < known.index) networks.set(entry.network, entry);
}

/** Whether there is a snapshot to be that is not old enough yet (see snapshotIfDue). */
const isWaiting = (knowledge: Knowledge): boolean =>
  knowledge.nextSnapshot !== undefined && knowledge.nextSnapshot.state.entries > oldestNeeded(knowledge);

/** How many entries the oldest version of the policy has learned from that a trial may still be made from. */
const oldestNeeded = ({ state, settings }: Knowledge): number =>
  entriesDue(settings, state, state.entries - state.imported);

/**
 * Writes the snapshot that is due, if one is: a start that goes on from it must have every version of the policy
 * that trials are still made from, so it is written once it is the oldest of them.
 */
export async function snapshotIfDue(
  knowledge: Knowledge,
  store: Store,
  search: ArchitectureSearch,
): Promise<void> {
  const { nextSnapshot: next, ledger, logger } = knowledge;
  if (!next || isWaiting(knowledge)) return;
  knowledge.nextSnapshot = undefined;
  // The ledger suffices: without a snapshot a start takes longer.
  await writeSnapshot(store, search, ledger, next).catch((error) =>
    logger.warn("snapshot not written", { ...aboutSearch(search), reason: (error as Error).message }),
  );
}
