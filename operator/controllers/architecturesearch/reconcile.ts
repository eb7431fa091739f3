// Brings one search on: reads it and its trials, decides, acts, until there is nothing to do.
import type { Logger } from "winston";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import { AlreadyExistsError, isControlledBy, type Key, keyOf, type Store } from "../../api/store.ts";
import type { PolicyClient, PolicyStart } from "../../policy/client.ts";
import { SEARCH_LABEL } from "../candidatetrial/job.ts";
import { decideSearch, nextIndex, type SearchAction } from "./decide.ts";
import { enter, type Knowledge, openKnowledge } from "./knowledge.ts";
import { proposedTrial, trialName } from "./trial.ts";

export interface SearchDependencies {
  store: Store;
  logger: Logger;
  now: () => Date;
  startPolicy: (start: PolicyStart) => PolicyClient;
  /** By the search's UID; kept between calls. */
  knowledge: Map<string, Promise<Knowledge>>;
}

/** How long to wait for a trial of the same name, but another owner, to go. */
const FOREIGN_MS = 5_000;

/** What is known of a search, built from its ledger where it is not at hand. */
export function knowledgeOf(
  dependencies: SearchDependencies,
  search: ArchitectureSearch,
): Promise<Knowledge> {
  const { store, logger, startPolicy, knowledge } = dependencies;
  const uid = search.metadata.uid!;
  const known = knowledge.get(uid);
  if (known) return known;
  const opening = openKnowledge(store, search, startPolicy);
  knowledge.set(uid, opening);
  opening.then(
    ({ state: { entries, policyUpdates } }) => {
      if (entries > 0)
        logger.info("ledger replayed", { search: search.metadata.name, entries, policyUpdates });
    },
    () => knowledge.delete(uid),
  );
  return opening;
}

/** Returns when to look again, if nothing changes before. Throws ConflictError: try again. */
export async function reconcileSearch(dependencies: SearchDependencies, key: Key): Promise<Date | undefined> {
  const { store, now } = dependencies;
  for (;;) {
    const search = await store.get("ArchitectureSearch", key);
    if (!search) return undefined;
    const known = await knowledgeOf(dependencies, search);
    const trials = await store.list("CandidateTrial", key.namespace, { [SEARCH_LABEL]: key.name });
    const own = trials.filter((trial) => isControlledBy(trial, search));
    known.made = nextIndex({ trials: own, ...known });
    const actions = decideSearch({
      search,
      trials: own,
      made: known.made,
      settings: known.settings,
      state: known.state,
      numbers: known.numbers,
      entropy: known.updates.at(-1)?.entropy,
      now: now(),
    });
    const wait = actions.find(({ type }) => type === "Wait") as (SearchAction & { type: "Wait" }) | undefined;
    if (actions.every(({ type }) => type === "Wait")) return wait?.until;
    for (const action of actions) {
      const until = await act(dependencies, search, known, action);
      if (until) return until;
    }
  }
}

async function act(
  { store, logger, now, knowledge }: SearchDependencies,
  search: ArchitectureSearch,
  known: Knowledge,
  action: SearchAction,
): Promise<Date | undefined> {
  const about = { search: search.metadata.name };
  switch (action.type) {
    case "Wait":
      return undefined;
    case "Append": {
      const updates = known.updates.length;
      try {
        await enter(known, store, search, action.entry);
      } catch (error) {
        // The ledger in the store is the truth: it is read again next time.
        knowledge.delete(search.metadata.uid!);
        await known.policy.close();
        throw error;
      }
      const { trial, number, outcome } = action.entry;
      logger.info("trial entered", { ...about, trial, entry: number, outcome });
      for (const update of known.updates.slice(updates))
        logger.info("policy updated", { ...about, ...update });
      return undefined;
    }
    case "MarkEntered": {
      const { trial, entry } = action;
      await store.updateStatus<"CandidateTrial">({ ...trial, status: { ...trial.status, entry } });
      return undefined;
    }
    case "Propose": {
      const { index, version } = action;
      const trial = proposedTrial(search, index, version, await known.policy.propose(index, version));
      try {
        await store.create<"CandidateTrial">(trial);
      } catch (error) {
        if (!(error instanceof AlreadyExistsError)) throw error;
        // Ours: its spec is the truth. Somebody else's: it has to go first.
        const there = await store.get("CandidateTrial", keyOf(trial));
        if (there && !isControlledBy(there, search)) return new Date(now().getTime() + FOREIGN_MS);
      }
      logger.info("trial proposed", { ...about, trial: trialName(search, index), policyVersion: version });
      return undefined;
    }
    case "WriteStatus":
      await store.updateStatus<"ArchitectureSearch">({ ...search, status: action.status });
      return undefined;
  }
}
