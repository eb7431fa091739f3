// Brings one search on: reads it and its trials, decides, acts, until there is nothing to do.
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import {
  AlreadyExistsError,
  ConflictError,
  isControlledBy,
  type Key,
  keyOf,
  NotFoundError,
} from "../../api/store.ts";
import { writeNotes } from "../../ledger/shards.ts";
import type { TrialCache } from "../trials.ts";
import { decideSearch, nextIndex, type SearchAction } from "./decide.ts";
import {
  enter,
  type Knowledge,
  type KnowledgeDependencies,
  openKnowledge,
  snapshotIfDue,
} from "./knowledge.ts";
import { proposedTrial, trialName } from "./trial.ts";

export interface SearchDependencies extends KnowledgeDependencies {
  now: () => Date;
  trials: TrialCache;
  /** By the search's UID; kept between calls. */
  knowledge: Map<string, Promise<Knowledge>>;
  /** UIDs of the searches that this process has worked on: it must not take them back from another. */
  held: Set<string>;
}

/** How long to wait for a trial of the same name, but another owner, to go. */
const FOREIGN_MS = 5_000;

/** What is known of a search, built from its ledger where it is not at hand. Throws as openKnowledge does. */
export function knowledgeOf(
  dependencies: SearchDependencies,
  search: ArchitectureSearch,
): Promise<Knowledge> {
  const { logger, knowledge, held } = dependencies;
  const uid = search.metadata.uid!;
  const known = knowledge.get(uid);
  if (known) return known;
  const opening = openKnowledge(dependencies, search, held.has(uid));
  knowledge.set(uid, opening);
  opening.then(
    ({ state: { entries, policyUpdates } }) => {
      held.add(uid);
      if (entries > 0)
        logger.info("ledger replayed", { search: search.metadata.name, entries, policyUpdates });
    },
    () => knowledge.delete(uid),
  );
  return opening;
}

/**
 * Returns when to look again, if nothing changes before. Throws ConflictError: try again; FencedError: another
 * process works on the search by now.
 */
export async function reconcileSearch(dependencies: SearchDependencies, key: Key): Promise<Date | undefined> {
  const { store, now, trials } = dependencies;
  for (;;) {
    const search = await store.get("ArchitectureSearch", key);
    if (!search) return undefined;
    const known = await knowledgeOf(dependencies, search);
    // Somebody else has entered trials that we do not know of.
    if ((search.status?.entries ?? 0) > known.state.entries) {
      await forget(dependencies, search);
      throw new ConflictError(`${key.name}: its status is ahead of its ledger as it was read`);
    }
    const own = (await trials.of(key)).filter((trial) => isControlledBy(trial, search));
    known.made = nextIndex({ trials: own, ...known });
    const actions = decideSearch({
      search,
      trials: own,
      made: known.made,
      noted: known.ledger.last!.spec.shard,
      settings: known.settings,
      state: known.state,
      numbers: known.numbers,
      entropy: known.updates.at(-1)?.entropy,
      now: now(),
    });
    const wait = actions.find(({ type }) => type === "Wait") as (SearchAction & { type: "Wait" }) | undefined;
    if (actions.every(({ type }) => type === "Wait")) {
      // Nobody waits for it.
      await snapshotIfDue(known, store, search);
      return wait?.until;
    }
    for (const action of actions) {
      const done = await act(dependencies, search, known, action);
      if (done === AGAIN) break;
      if (done) return done;
    }
  }
}

/** The ledger in the store is the truth: it is read again next time. */
async function forget({ knowledge }: SearchDependencies, search: ArchitectureSearch): Promise<void> {
  const known = knowledge.get(search.metadata.uid!);
  knowledge.delete(search.metadata.uid!);
  await (await known)?.policy.close();
}

/** What was decided on is no longer so. */
const AGAIN = Symbol("again");

async function act(
  dependencies: SearchDependencies,
  search: ArchitectureSearch,
  known: Knowledge,
  action: SearchAction,
): Promise<Date | typeof AGAIN | undefined> {
  const { store, logger, now, trials } = dependencies;
  const about = { search: search.metadata.name };
  /** Writes into the ledger. */
  const write = async (writing: Promise<unknown>) => {
    try {
      await writing;
    } catch (error) {
      await forget(dependencies, search);
      throw error;
    }
  };
  const note = async (notes: { made: number } | { forgiven: number }) => {
    known.ledger = await writeNotes(store, known.ledger, notes);
  };
  switch (action.type) {
    case "Wait":
      return undefined;
    case "Append": {
      const { trial, number, outcome } = action.entry;
      if (outcome === "Deleted" && (await isThere(dependencies, search, trial))) return AGAIN;
      const updates = known.updates.length;
      await write(enter(known, store, search, action.entry));
      logger.info("trial entered", { ...about, trial, entry: number, outcome });
      for (const update of known.updates.slice(updates))
        logger.info("policy updated", { ...about, ...update });
      return undefined;
    }
    case "Forgive":
      await write(note({ forgiven: action.entries }));
      logger.info("refused configuration tried again", about);
      return undefined;
    case "NoteMade":
      await write(note({ made: action.made }));
      return undefined;
    case "MarkEntered": {
      const { trial, entry } = action;
      try {
        trials.see(
          await store.updateStatus<"CandidateTrial">({ ...trial, status: { ...trial.status, entry } }),
        );
        return undefined;
      } catch (error) {
        if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
        await trials.refresh(keyOf(trial));
        return AGAIN;
      }
    }
    case "Propose": {
      const { index, version } = action;
      const trial = proposedTrial(search, index, version, await known.policy.propose(index, version));
      try {
        trials.see(await store.create<"CandidateTrial">(trial));
      } catch (error) {
        if (!(error instanceof AlreadyExistsError)) throw error;
        // Ours: its spec is the truth. Somebody else's: it has to go first.
        const there = await trials.refresh(keyOf(trial));
        if (there && !isControlledBy(there, search)) return new Date(now().getTime() + FOREIGN_MS);
        return AGAIN;
      }
      logger.info("trial proposed", { ...about, trial: trialName(search, index), policyVersion: version });
      return undefined;
    }
    case "WriteStatus":
      await store.updateStatus<"ArchitectureSearch">({ ...search, status: action.status });
      return undefined;
  }
}

/** Whether a trial that was not seen, or without the result, is there after all. */
async function isThere(
  { trials }: SearchDependencies,
  search: ArchitectureSearch,
  name: string,
): Promise<boolean> {
  const there = await trials.refresh({ ...keyOf(search), name });
  if (!there || !isControlledBy(there, search)) return false;
  return there.status?.result?.outcome !== "Deleted";
}
