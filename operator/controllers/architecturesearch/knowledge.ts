// What the operator keeps in memory of a search: its ledger, the fold over it, and the policy that has learned
// from it. All of it comes from the ledger, so it may be dropped and built again at any time.
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { Store } from "../../api/store.ts";
import type { LedgerEntry } from "../../ledger/entry.ts";
import { EMPTY, type FoldSettings, fold, type SearchState, versionAfter } from "../../ledger/fold.ts";
import { appendEntry, type Ledger, readLedger } from "../../ledger/shards.ts";
import type { PolicyClient, PolicyStart } from "../../policy/client.ts";
import { resolvePolicy } from "../../policy/settings.ts";

/** What the policy was after an update, and after which entry that was. */
export interface PolicyUpdate {
  update: number;
  /** The sum over the decisions, nats. */
  entropy: number;
  baseline: number;
  entry: number;
}

export interface Knowledge {
  settings: FoldSettings;
  ledger: Ledger;
  state: SearchState;
  /** Entry numbers by trial index. */
  numbers: Map<number, number>;
  /** One above the highest index that was seen or used: not from the ledger, and forgotten with the process. */
  made: number;
  policy: PolicyClient;
  updates: PolicyUpdate[];
}

/** Reads the ledger and replays it through fold and policy. */
export async function openKnowledge(
  store: Store,
  search: ArchitectureSearch,
  startPolicy: (start: PolicyStart) => PolicyClient,
): Promise<Knowledge> {
  const { seed, policy, objective, policyLag } = search.spec;
  const settings = resolvePolicy(policy);
  const ledger = await readLedger(store, search);
  const knowledge: Knowledge = {
    settings: { batchSize: settings.batchSize, failureReward: Number(objective.failureReward), policyLag },
    ledger,
    state: EMPTY,
    numbers: new Map(),
    made: 0,
    policy: startPolicy({ settings, seed }),
    updates: [],
  };
  for (const entry of ledger.entries) await take(knowledge, entry);
  return knowledge;
}

/** Writes an entry into the ledger and learns it. Throws as appendEntry does; then the knowledge is out of date. */
export async function enter(
  knowledge: Knowledge,
  store: Store,
  search: ArchitectureSearch,
  entry: LedgerEntry,
): Promise<void> {
  knowledge.ledger = await appendEntry(store, search, knowledge.ledger, entry);
  await take(knowledge, entry);
}

async function take(knowledge: Knowledge, entry: LedgerEntry): Promise<void> {
  const { settings, policy, updates, numbers } = knowledge;
  const state = fold(settings, knowledge.state, entry);
  knowledge.state = state;
  numbers.set(entry.index, entry.number);
  if (!state.batch) return;
  const { entropy, baseline } = await policy.learn(state.batch);
  updates.push({ update: state.policyUpdates, entropy, baseline, entry: entry.number });
  // The next trial's index is at least the number of entries, and the version it needs never falls.
  await policy.forget(versionAfter(settings, state, Math.max(0, state.entries - settings.policyLag + 1)));
}
