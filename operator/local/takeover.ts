// A search that is opened again: what may change in it is taken over, what may not is refused.
import { isDeepStrictEqual } from "node:util";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import { keyOf, type Store } from "../api/store.ts";
import { admit } from "../api/validate.ts";

const IMMUTABLE = [
  "seed",
  "policyLag",
  "rewardOrder",
  "space",
  "policy",
  "objective",
  "dataset",
  "training",
] as const;

/** The search as the store has it from now on. Throws UserError where the folder holds another one. */
export async function takeOver(
  store: Store,
  given: ArchitectureSearch,
  folder: string,
): Promise<ArchitectureSearch> {
  const key = keyOf(given);
  const there = await store.list("ArchitectureSearch", key.namespace);
  const other = there.find(({ metadata }) => metadata.name !== key.name);
  if (other) {
    throw new UserError(
      `metadata.name: ${folder} holds the search ${other.metadata.name}; give ${key.name} another folder with --state`,
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
  return store.update<"ArchitectureSearch">(
    admit("ArchitectureSearch", { ...before, spec: given.spec }, before),
  );
}

/** The first field in which two values differ, in words; undefined where they are equal. */
function difference(before: unknown, after: unknown, path: string): string | undefined {
  if (isDeepStrictEqual(before, after)) return undefined;
  if (isObject(before) && isObject(after)) {
    for (const field of Object.keys({ ...before, ...after })) {
      const found = difference(before[field], after[field], `${path}.${field}`);
      if (found) return found;
    }
  }
  const now = after === undefined ? "is absent" : `is ${JSON.stringify(after)}`;
  return `${path} ${now}, but ${before === undefined ? "absent" : JSON.stringify(before)}`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
