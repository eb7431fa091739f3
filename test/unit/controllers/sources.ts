// Another search with a ledger, for searches that begin with it.
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { Store } from "@segnas/operator/api/store.ts";
import { violationOf } from "@segnas/operator/controllers/architecturesearch/constraints.ts";
import { inputSize, networkSettings } from "@segnas/operator/controllers/architecturesearch/networks.ts";
import type { LedgerEntry, SettledEntry } from "@segnas/operator/ledger/entry.ts";
import { appendEntry, openLedger } from "@segnas/operator/ledger/shards.ts";
import { networkName } from "@segnas/searchspace/canonical.ts";
import { countMacs } from "@segnas/searchspace/count.ts";
import { fromDecisions, sampleUniform, toDecisions } from "@segnas/searchspace/decisions.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { succeeded } from "../ledger/entries.ts";
import { makeSearch } from "./objects.ts";

/** A search of that name in the store, with a ledger of these entries; without any it is only made. */
export async function makeSource(
  store: Store,
  name: string,
  spec: object,
  entries: LedgerEntry[] = [],
): Promise<ArchitectureSearch> {
  const { metadata: _, ...rest } = makeSearch(spec);
  const search = await store.create<"ArchitectureSearch">({ ...rest, metadata: { name } } as never);
  await addEntries(store, search, entries);
  return search;
}

export async function addEntries(
  store: Store,
  search: ArchitectureSearch,
  entries: LedgerEntry[],
): Promise<void> {
  let ledger = await openLedger(store, search, "its own operator", false);
  for (const entry of entries) ledger = await appendEntry(store, search, ledger, entry, entry.index + 1);
}

/** Whose choices the pretend policy of this seed makes too: a dozen architectures, so that they come again. */
export const decisionsOf = (kind: number, seed = 1): number[] =>
  toDecisions(sampleUniform(random(seed, kind)));

/** Entries of every outcome, as a search of this spec would have written them. */
export function sourceEntries(count: number, spec: object, seed = 1): LedgerEntry[] {
  const search = makeSearch(spec);
  const first = new Map<string, SettledEntry>();
  return Array.from({ length: count }, (_, number): LedgerEntry => {
    const place = { number, index: number, trial: `first-${number}` };
    if (number % 9 === 7) return { ...place, outcome: "Deleted" };
    const decisions = decisionsOf((number * 5) % 7, seed);
    const architecture = fromDecisions(decisions);
    const settings = networkSettings(search);
    const network = networkName(architecture, settings);
    const macs = countMacs(expand(architecture, settings, inputSize(search))).total;
    const message = violationOf(search, architecture);
    const fields: Partial<SettledEntry> = {
      ...place,
      decisions,
      network,
      macs,
      logProbability: -50 - number,
    };
    if (message)
      return succeeded(number, { ...fields, ...nothing, outcome: "Rejected", reward: -1, message });
    if (number % 9 === 5)
      return succeeded(number, { ...fields, ...nothing, outcome: "Infrastructure", reward: null });
    const same = first.get(network);
    if (same) {
      const { outcome, reward, metrics, slots, cause } = same;
      const result = { outcome, reward, metrics, slots, cause };
      return succeeded(number, { ...fields, ...result, duplicateOf: same.trial, gpuSeconds: 0 });
    }
    const reward = ((number * 37) % 89) / 89;
    const slots = [
      { stage: 0, epoch: 1, reward: reward / 2, meanIoU: 0.5 },
      { stage: 1, epoch: 1, reward, meanIoU: 0.5 },
    ];
    const stages = [{ stage: "0", seconds: number }];
    const entry =
      number % 9 === 3
        ? succeeded(number, { ...fields, ...nothing, outcome: "Failed", reward: -1, cause: "NonFiniteLoss" })
        : succeeded(number, { ...fields, reward, slots, parameters: 1000 + number, stages });
    first.set(network, entry);
    return entry;
  });
}

const nothing = { slots: [], metrics: null };
