// A search that begins with another search's ledger: what must agree, what is taken over, and how that goes on after
// whatever has interrupted it. Once it is in the search's own ledger the other search is needed no more.
import { setImmediate as turn } from "node:timers/promises";
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { SearchReason, StalledError, TrialReason } from "../../api/conditions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import { type Key, keyOf, type Reader } from "../../api/store.ts";
import type { SettledEntry } from "../../ledger/entry.ts";
import { type Imports, type Ledger, readLedger, writeNotes } from "../../ledger/shards.ts";
import { difference } from "../difference.ts";
import { violationOf } from "./constraints.ts";
import { enter, type Knowledge, type KnowledgeDependencies } from "./knowledge.ts";

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
  const source = await readSource(sources, { namespace, name }).catch((error) => {
    throw error instanceof UserError ? new UserError(`${FIELD}: ${error.message}`) : error;
  });
  if (!source)
    throw new UserError(
      `${FIELD}: there is no search ${name} in the namespace ${namespace}; write the name of one, or leave it out`,
    );
  const change = disagreement(source.search, search);
  if (change)
    throw new UserError(
      `${change} in the search ${name}, which ${FIELD} names: rewards of the one say nothing about the other; make them the same, or leave ${FIELD} out`,
    );
  const imports = await importsOf(search, source);
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
async function importsOf(search: ArchitectureSearch, { search: other, ledger }: Source): Promise<Import[]> {
  const imports: Import[] = [];
  for (const entry of ledger.entries) {
    if (entry.outcome === "Deleted" || entry.outcome === "Infrastructure") continue;
    // A network takes its time to count: others may come between.
    await turn();
    const { number: _, index: __, policyVersion: ___, logProbability: ____, ...taken } = entry;
    const source = entry.source ?? other.metadata.name;
    const violation = violationOf(search, fromDecisions(entry.decisions));
    if (violation !== undefined) imports.push({ ...taken, source, ...rejection(search, violation) });
    else if (entry.outcome !== "Rejected") imports.push({ ...taken, source });
  }
  return imports;
}

/** What a trial over a constraint comes to. */
const rejection = ({ spec }: ArchitectureSearch, violation: string) => ({
  outcome: "Rejected" as const,
  reward: Number(spec.objective.failureReward),
  slots: [],
  stopped: false,
  metrics: null,
  cause: TrialReason.OverConstraint,
  message: violation,
  duplicateOf: null,
});

/**
 * Takes over what is not taken over yet, if the search begins with another. Which entries these are is noted in the
 * ledger first: a later call goes on with the same, from the same beginning of the other ledger, however that has grown.
 * Where it throws, the knowledge is of no use any more.
 * @throws StalledError where planImports would, or where the other ledger is gone too early; and as `enter` does
 */
export async function takeImports(
  dependencies: KnowledgeDependencies,
  search: ArchitectureSearch,
  knowledge: Knowledge,
): Promise<void> {
  if (search.spec.startingPoints?.search === undefined) return;
  try {
    await take(dependencies, search, knowledge);
  } catch (error) {
    await knowledge.policy.close();
    if (error instanceof UserError && !(error instanceof StalledError)) {
      const message = `${error.message} (it is tried again; to change the field, apply the search under another name)`;
      throw new StalledError(SearchReason.StartingPointsUnusable, message);
    }
    throw error;
  }
}

async function take(
  { store, logger, sources = store.live }: KnowledgeDependencies,
  search: ArchitectureSearch,
  knowledge: Knowledge,
): Promise<void> {
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
  const about = { search: search.metadata.name, from: note.search, trials: note.count };
  logger.info("trials taken over", about);
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
  const lost = (why: string) =>
    new StalledError(
      SearchReason.StartingPointsUnusable,
      `${FIELD}: ${taken} of ${count} trials of the search ${name} are taken over, the others cannot be: ${why}; put it back as it was, or begin anew under another name`,
    );
  const source = await readSource(sources, { ...keyOf(search), name }).catch((error) => {
    throw error instanceof UserError ? lost(error.message) : error;
  });
  if (!source) throw lost("it is gone");
  const { ledger } = source;
  if (ledger.digests[entries - 1] !== digest) throw lost("it is another one by now");
  return importsOf(search, { ...source, ledger: { ...ledger, entries: ledger.entries.slice(0, entries) } });
}
