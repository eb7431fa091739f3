// Brings one search on: reads it and its trials, decides, acts, until there is nothing to do.
import { setImmediate as turn } from "node:timers/promises";
import { SearchCondition, SearchReason, StalledError } from "../../api/conditions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial, CandidateTrialStatus } from "../../api/generated/candidatetrials.ts";
import {
  AlreadyExistsError,
  ConflictError,
  idOf,
  isControlledBy,
  type Key,
  keyOf,
  NotFoundError,
} from "../../api/store.ts";
import { writeNotes } from "../../ledger/shards.ts";
import { settledStatus } from "../candidatetrial/decide.ts";
import { SEARCH_LABEL } from "../candidatetrial/job.ts";
import { aboutSearch, isFinished, isTrue, standsStill } from "../status.ts";
import type { TrialCache } from "../trials.ts";
import { decideSearch, nextIndex, type SearchAction } from "./decide.ts";
import { takeImports } from "./imports.ts";
import {
  enter,
  type Knowledge,
  type KnowledgeDependencies,
  openKnowledge,
  snapshotIfDue,
} from "./knowledge.ts";
import { proposalFor } from "./proposal.ts";
import { stalledStatus, unstalledStatus } from "./status.ts";
import { proposedTrial, trialName } from "./trial.ts";

export interface SearchDependencies extends KnowledgeDependencies {
  now: () => Date;
  trials: TrialCache;
  /** By the search's namespace and name; kept between calls. */
  knowledge: Map<string, Known>;
  /** Whether what is known of a search is kept while it is at rest. */
  keepFinished: boolean;
  /** UIDs of the searches that this process has worked on: it must not take them back from another. */
  held: Set<string>;
}

/** What is known, or about to be, of the search with a UID. */
interface Known {
  uid: string;
  opening: Promise<Knowledge>;
}

/** How long to wait for a trial of the same name, but another owner, to go. */
const FOREIGN_MS = 5_000;

/** What is known of a search, built from its ledger where it is not at hand. Throws as openKnowledge does. */
export async function knowledgeOf(
  dependencies: SearchDependencies,
  search: ArchitectureSearch,
): Promise<Knowledge> {
  const { logger, knowledge, held } = dependencies;
  const uid = search.metadata.uid!;
  const id = idOf(keyOf(search));
  const known = knowledge.get(id);
  if (known?.uid === uid) return known.opening;
  await forget(dependencies, keyOf(search));
  const opening = openKnowledge(dependencies, search, held.has(uid)).then(async (known) => {
    held.add(uid);
    await takeImports(dependencies, search, known);
    return known;
  });
  knowledge.set(id, { uid, opening });
  try {
    const { state } = await opening;
    const { entries, policyUpdates } = state;
    if (entries > 0) logger.info("ledger replayed", { ...aboutSearch(search), entries, policyUpdates });
  } catch (error) {
    if (knowledge.get(id)?.opening === opening) knowledge.delete(id);
    throw error;
  }
  return opening;
}

/** Lets go of what is known of a search: its ledger in the store is the truth, and is read again when it is needed. */
export async function forget({ knowledge }: Pick<SearchDependencies, "knowledge">, key: Key): Promise<void> {
  const known = knowledge.get(idOf(key));
  knowledge.delete(idOf(key));
  await (await known?.opening.catch(() => undefined))?.policy.close();
}

/** Lets go of everything that is known. */
export async function forgetAll({ knowledge }: Pick<SearchDependencies, "knowledge">): Promise<void> {
  for (const { opening } of knowledge.values()) await (await opening.catch(() => undefined))?.policy.close();
  knowledge.clear();
}

/** Whether there are more entered trials than can be kept, as far as the status tells: it has not all of a long front. */
function hasSurplus({ spec, status }: ArchitectureSearch, trials: CandidateTrial[]): boolean {
  const { top = [], paretoFront = [] } = status ?? {};
  const entered = trials.filter(({ status }) => status?.entry !== undefined).length;
  return entered > (spec.trialsHistoryLimit ?? Number.POSITIVE_INFINITY) + top.length + paretoFront.length;
}

/** Whether a search has ended or stands still, and nothing is left to be entered. */
const isAtRest = (search: ArchitectureSearch, trials: CandidateTrial[]): boolean =>
  (isFinished(search) || standsStill(search)) &&
  !isTrue(search.status?.conditions, SearchCondition.Stalled) &&
  search.status?.observedGeneration === search.metadata.generation &&
  // What it stopped has ended.
  !search.status?.trials?.running &&
  trials.every(({ status }) => status?.entry !== undefined || !status?.result);

/**
 * Returns when to look again, if nothing changes before. Throws ConflictError: try again; FencedError: another
 * process works on the search by now.
 */
export async function reconcileSearch(dependencies: SearchDependencies, key: Key): Promise<Date | undefined> {
  const { store, now, trials } = dependencies;
  for (;;) {
    // A store in a folder answers at once: without this nothing else would ever have its turn.
    await turn();
    const search = await store.get("ArchitectureSearch", key);
    // One that is to go takes its trials with it.
    if (!search || search.metadata.deletionTimestamp) {
      await forget(dependencies, key);
      return undefined;
    }
    const own = (await trials.of(key)).filter((trial) => isControlledBy(trial, search));
    const rest = async (): Promise<undefined> => {
      await noteMade(dependencies, search, own);
      if (!dependencies.keepFinished) await forget(dependencies, key);
    };
    const atRest = isAtRest(search, own);
    // Its ledger need not even be read.
    if (atRest && !hasSurplus(search, own)) return rest();
    const known = await knowledgeOf(dependencies, search);
    // Somebody else has entered trials that we do not know of.
    if ((search.status?.entries ?? 0) > known.state.entries) {
      await forget(dependencies, key);
      throw new ConflictError(`${key.name}: its status is ahead of its ledger as it was read`);
    }
    known.made = nextIndex({ trials: own, ...known });
    const actions = decideSearch({
      search,
      trials: own,
      hasJobs: search.spec.suspend && (await hasJobs(dependencies, key, own)),
      ...known,
      noted: known.ledger.last!.spec.shard,
      entropy: known.updates.at(-1)?.entropy,
      now: now(),
    });
    const wait = actions.find(({ type }) => type === "Wait") as (SearchAction & { type: "Wait" }) | undefined;
    if (actions.every(({ type }) => type === "Wait")) {
      // Nobody waits for it.
      await snapshotIfDue(known, store, search);
      const status = unstalledStatus(search, now());
      if (!status) return atRest && !wait ? rest() : wait?.until;
      await store.updateStatus<"ArchitectureSearch">({ ...search, status });
      continue;
    }
    for (const action of actions) {
      const done = await act(dependencies, search, known, action);
      if (done === AGAIN) break;
      if (done) return done;
    }
  }
}

/** Whether there are Jobs of trials without a result: those of the others stay until that is in the ledger. */
async function hasJobs(
  { store }: SearchDependencies,
  { namespace, name }: Key,
  trials: CandidateTrial[],
): Promise<boolean> {
  const open = new Set(trials.flatMap(({ metadata, status }) => (status?.result ? [] : [metadata.uid])));
  const jobs = await store.list("Job", namespace, { [SEARCH_LABEL]: name });
  return jobs.some(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => open.has(uid)));
}

/**
 * Notes in the ledger which indices were made, before what is known of a search is let go of: trials that are deleted
 * while it is at rest are not made once more.
 */
async function noteMade(
  { store, knowledge }: SearchDependencies,
  search: ArchitectureSearch,
  trials: CandidateTrial[],
): Promise<void> {
  const held = knowledge.get(idOf(keyOf(search)));
  const known = held?.uid === search.metadata.uid ? await held?.opening.catch(() => undefined) : undefined;
  if (!known) return;
  const made = nextIndex({ trials, ...known });
  const noted = known.ledger.last!.spec.shard;
  if (noted.made >= made) return;
  try {
    const reserved = Math.max(made, noted.reserved);
    known.ledger = await writeNotes(store, known.ledger, { made, reserved });
  } catch (error) {
    // Somebody has written there meanwhile: it is read again.
    await forget({ knowledge }, keyOf(search));
    throw error;
  }
}

/** Says in the search's status what keeps it from going on, where it cannot even be decided on. */
export async function stallSearch(
  { store, now }: Pick<SearchDependencies, "store" | "now">,
  key: Key,
  reason: SearchReason,
  message: string,
): Promise<void> {
  const search = await store.get("ArchitectureSearch", key);
  const status = search && stalledStatus(search, reason, message, now());
  if (status) await store.updateStatus<"ArchitectureSearch">({ ...search, status });
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
  const about = aboutSearch(search);
  /** Writes into the ledger. */
  const write = async (writing: Promise<unknown>) => {
    try {
      await writing;
    } catch (error) {
      await forget(dependencies, keyOf(search));
      throw error;
    }
  };
  const note = async (notes: Parameters<typeof writeNotes>[2]) => {
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
    case "Reserve":
      known.unmade = false;
      await write(note({ made: known.made, reserved: action.to }));
      return undefined;
    case "MarkEntered":
      return writeTrial(dependencies, action.trial, { ...action.trial.status, entry: action.entry });
    case "DeleteTrial": {
      const { metadata } = action.trial;
      await store.delete("CandidateTrial", keyOf(action.trial), { uid: metadata.uid! });
      return undefined;
    }
    case "Retrain":
      return writeTrial(dependencies, action.trial, { ...action.trial.status, retrain: true });
    case "Settle": {
      const { trial, result } = action;
      const done = await writeTrial(dependencies, trial, settledStatus(trial, [], result, now()));
      if (!done) {
        const why = result.duplicateOf ? { duplicateOf: result.duplicateOf } : { reason: result.message };
        logger.info("trial settled without training", { ...about, trial: trial.metadata.name, ...why });
      }
      return done;
    }
    case "Propose": {
      const { index, policyVersion } = action.place;
      const proposal = await proposalFor(search, known.policy, index, policyVersion, known.state.imported);
      const trial = proposedTrial(search, action.place, proposal);
      const { violation, network } = trial.spec;
      const reuses = violation === undefined && search.spec.duplicates === "Reuse";
      if (reuses) await hearOfAllBelow(dependencies, search, known, index);
      const duplicateOf = reuses && firstWith(network, index, known, await trials.of(keyOf(search)));
      try {
        trials.see(
          await store.create<"CandidateTrial">({
            ...trial,
            spec: { ...trial.spec, ...(duplicateOf && { duplicateOf }) },
          }),
        );
        known.made = Math.max(known.made, index + 1);
      } catch (error) {
        if (!(error instanceof AlreadyExistsError)) throw error;
        // Ours: its spec is the truth. Somebody else's: it has to go first.
        const there = await trials.refresh(keyOf(trial));
        if (there && !isControlledBy(there, search)) {
          // Whatever becomes of ours, it is not there now.
          known.unmade = false;
          if (!there.metadata.ownerReferences?.length) throw nameTaken(there);
          return new Date(now().getTime() + FOREIGN_MS);
        }
        return AGAIN;
      }
      logger.info("trial proposed", { ...about, trial: trialName(search, index), policyVersion });
      return undefined;
    }
    case "WriteStatus":
      await store.updateStatus<"ArchitectureSearch">({ ...search, status: action.status });
      known.told = now();
      return undefined;
  }
}

/** One that nobody owns is left of a search that was deleted without what it had made. Nobody will delete it. */
function nameTaken({ metadata: { namespace, name } }: CandidateTrial): StalledError {
  const command = `kubectl delete candidatetrial ${name} --namespace ${namespace}`;
  return new StalledError(
    SearchReason.NameTaken,
    `a CandidateTrial ${name} is there already, and is no search's: delete it (${command}), or take another name for the search`,
  );
}

async function writeTrial(
  { store, trials }: SearchDependencies,
  trial: CandidateTrial,
  status: CandidateTrialStatus,
): Promise<typeof AGAIN | undefined> {
  try {
    trials.see(await store.updateStatus<"CandidateTrial">({ ...trial, status }));
    return undefined;
  } catch (error) {
    if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
    await trials.refresh(keyOf(trial));
    return AGAIN;
  }
}

/** Another process may have made trials that are not heard of yet. One that is gone has nothing that could be reused. */
async function hearOfAllBelow(
  { trials }: SearchDependencies,
  search: ArchitectureSearch,
  { numbers }: Knowledge,
  end: number,
): Promise<void> {
  const known = new Set([
    ...numbers.keys(),
    ...(await trials.of(keyOf(search))).map(({ spec }) => spec.index),
  ]);
  for (let index = 0; index < end; index++)
    if (!known.has(index)) await trials.refresh({ ...keyOf(search), name: trialName(search, index) });
}

/** The name of the first trial below an index with a network that is under way or has a reward. */
function firstWith(
  network: string,
  index: number,
  { networks, numbers }: Knowledge,
  trials: CandidateTrial[],
): string | undefined {
  const open = trials.filter(({ spec, status }) => {
    const failed = status?.result && status.result.reward === undefined;
    return spec.network === network && spec.index < index && !numbers.has(spec.index) && !failed;
  });
  const first = open.sort((a, b) => a.spec.index - b.spec.index)[0];
  const entered = networks.get(network);
  if (!entered || entered.index > index) return first?.metadata.name;
  return first && first.spec.index < entered.index ? first.metadata.name : entered.trial;
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
