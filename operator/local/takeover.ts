// A search that is opened again: what may change in it is taken over, what may not is refused.
import { UserError } from "@segnas/searchspace/errors.ts";
import { SearchCondition, SearchReason, setCondition } from "../api/conditions.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import { idOf, keyOf, type Store } from "../api/store.ts";
import { admit } from "../api/validate.ts";
import { SEARCH_LABEL } from "../controllers/candidatetrial/job.ts";
import { difference } from "../controllers/difference.ts";
import { timestamp } from "../controllers/status.ts";

const IMMUTABLE = [
  "seed",
  "policyLag",
  "rewardOrder",
  "space",
  "policy",
  "objective",
  "dataset",
  "training",
  "gate",
  "startingPoints",
] as const;

/** The search as the store has it from now on. Throws UserError where the folder holds another one. */
export async function takeOver(
  store: Store,
  given: ArchitectureSearch,
  folder: string,
): Promise<ArchitectureSearch> {
  const key = keyOf(given);
  const there = await store.list("ArchitectureSearch");
  const other = there.map(keyOf).find((other) => idOf(other) !== idOf(key));
  if (other) {
    const isNamesake = other.name === key.name;
    const [field, place] = isNamesake ? ["namespace", ` in the namespace ${other.namespace}`] : ["name", ""];
    throw new UserError(
      `metadata.${field}: ${folder} holds the search ${other.name}${place}; give ${isNamesake ? `that in ${key.namespace}` : key.name} another folder with --state`,
    );
  }
  const before = there[0];
  if (!before) return store.create<"ArchitectureSearch">(admit("ArchitectureSearch", given));
  for (const field of IMMUTABLE) {
    const change = difference(before.spec[field], given.spec[field], `spec.${field}`);
    if (!change) continue;
    throw new UserError(
      `${change} in the search that ${folder} holds, and cannot change; give this search another name, or another folder with --state`,
    );
  }
  // Refused by the trainer, it is tried again once its spec is another: the run makes `suspend` false.
  const refused = condition(before, SearchCondition.Failed)?.reason === SearchReason.InvalidConfiguration;
  const spec = refused ? { ...given.spec, suspend: true } : given.spec;
  const stopped = await noteStop(store, before);
  return store.update<"ArchitectureSearch">(admit("ArchitectureSearch", { ...stopped, spec }, stopped));
}

const condition = ({ status }: ArchitectureSearch, type: string) =>
  status?.conditions?.find((it) => it.type === type && it.status === "True");

/** A process that was killed could not say that the search stands still: since then, it has. */
async function noteStop(store: Store, search: ArchitectureSearch): Promise<ArchitectureSearch> {
  const progressing = condition(search, SearchCondition.Progressing);
  if (!progressing) return search;
  const { namespace, name } = keyOf(search);
  const trials = await store.list("CandidateTrial", namespace, { [SEARCH_LABEL]: name });
  const last = lastActivity(search, trials);
  const stop = {
    ...progressing,
    status: "False" as const,
    reason: SearchReason.Suspended,
    message: "the process that ran it has ended",
  };
  const conditions = setCondition(search.status?.conditions ?? [], stop, timestamp(last));
  return store.updateStatus<"ArchitectureSearch">({ ...search, status: { ...search.status, conditions } });
}

/** The last time that something is known to have been done. */
function lastActivity({ metadata, status }: ArchitectureSearch, trials: CandidateTrial[]): Date {
  const times = [
    metadata.creationTimestamp,
    ...(status?.conditions?.map(({ lastTransitionTime }) => lastTransitionTime) ?? []),
    ...trials.flatMap(({ metadata, status }) => [
      metadata.creationTimestamp,
      ...(status?.conditions?.map(({ lastTransitionTime }) => lastTransitionTime) ?? []),
      ...(status?.attempts?.flatMap(({ startTime, endTime }) => [startTime, endTime]) ?? []),
    ]),
  ];
  return new Date(times.reduce((latest, time) => Math.max(latest, Date.parse(time ?? "") || 0), 0));
}
