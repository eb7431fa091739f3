// A search that begins with another search's ledger: what must agree, what is taken over, and how that goes on after
// whatever has interrupted it. Once it is in the search's own ledger the other search is needed no more.
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Logger } from "winston";
import { TrialReason } from "../../api/conditions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import { type Key, keyOf, type Reader, type Store } from "../../api/store.ts";
import type { LedgerEntry, SettledEntry } from "../../ledger/entry.ts";
import { type Imports, type Ledger, readLedger, writeNotes } from "../../ledger/shards.ts";
import { difference } from "../difference.ts";
import { violationOf } from "./constraints.ts";
import { enter, type Knowledge } from "./knowledge.ts";

const FIELD = "spec.startingPoints.search";

/** An entry of the other ledger as this search takes it over, but for its place and what this policy makes of it. */
export type Import = Omit<SettledEntry, "number" | "index" | "policyVersion" | "logProbability"> & {
  source: string;
};

/** The other search and its ledger. */
export interface Source {
  search: ArchitectureSearch;
  ledger: Ledger;
}

/**
 * The search that this one begins with, and what it takes over from it; undefined where it begins with none.
 * @throws UserError where there is no such search, a field differs that rewards depend on, or none has a reward
 */
export async function planImports(
  sources: Reader,
  search: ArchitectureSearch,
): Promise<{ source: Source; imports: Import[] } | undefined> {
  const name = search.spec.startingPoints?.search;
  if (name === undefined) return undefined;
  const { namespace } = keyOf(search);
  const source = await readSource(sources, { namespace, name });
  if (!source)
    throw new UserError(
      `${FIELD}: there is no search ${name} in the namespace ${namespace}; write the name of one, or leave it out`,
    );
  const change = disagreement(source.search, search);
  if (change)
    throw new UserError(
      `${change} in the search ${name}, which ${FIELD} names: rewards of the one say nothing about the other; make them the same, or leave ${FIELD} out`,
    );
  const imports = importsOf(search, source);
  if (imports.length === 0)
    throw new UserError(
      `${FIELD}: the search ${name} has no trial with a reward yet; begin when it has, or leave it out`,
    );
  return { source, imports };
}

async function readSource(sources: Reader, key: Key): Promise<Source | undefined> {
  const search = await sources.get("ArchitectureSearch", key);
  return search && { search, ledger: await readLedger(sources, search) };
}

/**
 * The first difference that makes a reward another one. The gate is among it as it says when a trial gets the reward
 * of a validation on the way; constraints are not, as they are applied anew; the seed is where data or encoder are
 * made from it.
 */
function disagreement({ spec: theirs }: ArchitectureSearch, { spec: ours }: ArchitectureSearch) {
  const seeded = ours.dataset.format === "Shapes" || ours.training.encoder?.source === "WarmUp";
  const what = ({ space, dataset, training, gate, objective, seed }: ArchitectureSearch["spec"]) => {
    const { metric, failureReward } = objective;
    return { space, dataset, training, gate, objective: { metric, failureReward }, ...(seeded && { seed }) };
  };
  return difference(what(theirs), what(ours), "spec");
}

/**
 * What is taken over: all entries with a reward, in their order, those that got an earlier trial's among them, as the
 * other's own policy learned them; and those that it had taken over itself. What is over a constraint of this search is
 * rejected, and what was over one of the other's alone has no reward here.
 */
function importsOf(search: ArchitectureSearch, { search: other, ledger }: Source): Import[] {
  return ledger.entries.flatMap((entry: LedgerEntry): Import[] => {
    if (entry.outcome === "Deleted" || entry.outcome === "Infrastructure") return [];
    const { number: _, index: __, policyVersion: ___, logProbability: ____, ...taken } = entry;
    const source = entry.source ?? other.metadata.name;
    const violation = violationOf(search, fromDecisions(entry.decisions));
    if (violation === undefined) return entry.outcome === "Rejected" ? [] : [{ ...taken, source }];
    const rejected: Partial<Import> = {
      ...{ outcome: "Rejected", reward: Number(search.spec.objective.failureReward) },
      ...{ slots: [], stopped: false, metrics: null, duplicateOf: null },
      ...{ cause: TrialReason.OverConstraint, message: violation },
    };
    return [{ ...taken, ...rejected, source }];
  });
}

interface ImportDependencies {
  store: Store;
  logger: Logger;
  /** Where other searches are read from, if that is another place. */
  sources?: Reader;
}

/**
 * Takes over what is not taken over yet, if the search begins with another. Which entries these are is noted in the
 * ledger first: a later call goes on with the same, from the same beginning of the other ledger, however that has grown.
 * @throws UserError as planImports, or where the other ledger is gone before its end; and as `enter` does
 */
export async function takeImports(
  { store, logger, sources = store.live }: ImportDependencies,
  search: ArchitectureSearch,
  knowledge: Knowledge,
): Promise<void> {
  const name = search.spec.startingPoints?.search;
  if (name === undefined) return;
  const noted = knowledge.ledger.last!.spec.shard.imports;
  if (noted && knowledge.state.imported === noted.count) return;
  const { imports, note } = noted
    ? { imports: await notedImports(sources, search, noted, knowledge.state.imported), note: noted }
    : await newImports(sources, search);
  if (!noted) knowledge.ledger = await writeNotes(store, knowledge.ledger, { imports: note });
  for (const [k, taken] of imports.entries()) {
    if (k < knowledge.state.imported) continue;
    const { entries: number, policyUpdates: policyVersion } = knowledge.state;
    // As if this policy had proposed it, like an architecture that a person gives.
    const logProbability = await knowledge.policy.score(policyVersion, taken.decisions);
    const place = { number, index: k - imports.length };
    await enter(knowledge, store, search, { ...place, ...taken, policyVersion, logProbability });
  }
  logger.info("trials taken over", { search: search.metadata.name, from: name, trials: imports.length });
}

async function newImports(
  sources: Reader,
  search: ArchitectureSearch,
): Promise<{ imports: Import[]; note: Imports }> {
  const { source, imports } = (await planImports(sources, search))!;
  const { entries, digests } = source.ledger;
  const place = { search: source.search.metadata.name, entries: entries.length, digest: digests.at(-1)! };
  return { imports, note: { ...place, count: imports.length } };
}

/** What was to be taken over, read again. */
async function notedImports(
  sources: Reader,
  search: ArchitectureSearch,
  { search: name, entries, digest, count }: Imports,
  taken: number,
): Promise<Import[]> {
  const source = await readSource(sources, { ...keyOf(search), name });
  if (source?.ledger.digests[entries - 1] !== digest)
    throw new UserError(
      `${FIELD}: ${taken} of ${count} trials of the search ${name} are taken over, but ${source ? "it is another one by now" : "it is gone"}: put its ledger back, or begin this search anew under another name`,
    );
  return importsOf(search, {
    ...source,
    ledger: { ...source.ledger, entries: source.ledger.entries.slice(0, entries) },
  });
}
