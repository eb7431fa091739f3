// A search as it was at one moment, while others may write: for what compares its parts with each other.
import { setTimeout as wait } from "node:timers/promises";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import { hasLabels, type KubernetesObject, keyOf, type Reader } from "../api/store.ts";
import { readLedger } from "../ledger/shards.ts";

const TRIES = 5;
const PAUSE_MS = 1000;

/**
 * The search, its trials and its records as they were together at one moment: read while its ledger stood still.
 * @throws UserError where the search goes on too fast for that, or is gone
 */
export async function readMoment(
  reader: Reader,
  search: ArchitectureSearch,
): Promise<{ search: ArchitectureSearch; reader: Reader }> {
  const key = keyOf(search);
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await reader.get("ArchitectureSearch", key);
    if (!before) throw new UserError(`${key.name} is gone`);
    const ledger = async () => (await readLedger(reader, before)).last?.metadata.resourceVersion;
    const version = await ledger();
    const objects = [
      before,
      ...(await reader.list("CandidateTrial", key.namespace)),
      ...(await reader.list("SearchRecord", key.namespace)),
    ];
    if (version === (await ledger())) return { search: before, reader: readerOf(objects) };
    await wait(PAUSE_MS);
  }
  throw new UserError(`${key.name} goes on too fast to be read as a whole: suspend it, or wait for its end`);
}

function readerOf(objects: KubernetesObject[]): Reader {
  const list: Reader["list"] = async (kind, namespace, labels = {}) =>
    objects.filter(
      (object): object is never =>
        object.kind === kind &&
        (namespace === undefined || keyOf(object).namespace === namespace) &&
        hasLabels(object, labels),
    );
  return {
    list,
    get: async (kind, { namespace, name }) =>
      (await list(kind, namespace)).find(({ metadata }) => metadata.name === name),
  };
}
