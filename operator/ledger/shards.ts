// Where the ledger lies: a row of SearchRecords, each at most 64 KiB, named <search>-ledger-<k>. A shard is
// sealed before the next is made, so only the last one is ever written.
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import { controllerReference, keyOf, type SearchRecord, type Store } from "../api/store.ts";
import { type LedgerEntry, readEntry, writeEntry } from "./entry.ts";

const SHARD_BYTES = 64 * 1024;
/** Kept free for metadata and the fields around the entries. */
const RESERVED_BYTES = 2 * 1024;

/** A search's entries and the open shard, as last read or written. */
export interface Ledger {
  entries: LedgerEntry[];
  /** The last shard; none before the first entry. */
  last: SearchRecord | undefined;
}

const LEDGER_LABEL = "segnas.dev/ledger";

/** Reads all shards. Throws Error that names a gap or a double among shards or entries. */
export async function readLedger(store: Store, search: ArchitectureSearch): Promise<Ledger> {
  const { namespace, name } = keyOf(search);
  const records = await store.list("SearchRecord", namespace, { [LEDGER_LABEL]: name });
  const shards = records.sort((a, b) => a.spec.shard - b.spec.shard);
  for (const [k, { metadata, spec }] of shards.entries()) {
    if (spec.shard !== k)
      throw new Error(`ledger of ${name}: shard ${k} is missing, ${metadata.name} follows`);
    if (!spec.sealed && k < shards.length - 1) {
      throw new Error(`ledger of ${name}: ${metadata.name} is not sealed, but another shard follows`);
    }
  }
  const entries = shards.flatMap(({ spec }) => spec.entries.map(readEntry));
  const indices = new Set<number>();
  for (const [number, entry] of entries.entries()) {
    if (entry.number !== number) {
      const what = entry.number < number ? "is there twice" : "follows a gap";
      throw new Error(`ledger of ${name}: entry ${entry.number} ${what} (entry ${number} expected)`);
    }
    if (indices.has(entry.index)) throw new Error(`ledger of ${name}: ${entry.trial} is entered twice`);
    indices.add(entry.index);
  }
  return { entries, last: shards.at(-1) };
}

/**
 * Adds an entry to the last shard, or seals that and makes the next. Throws ConflictError or AlreadyExistsError
 * where somebody else wrote in between: read the ledger again.
 */
export async function appendEntry(
  store: Store,
  search: ArchitectureSearch,
  ledger: Ledger,
  entry: LedgerEntry,
): Promise<Ledger> {
  const text = writeEntry(entry);
  const entries = [...ledger.entries, entry];
  let { last } = ledger;
  if (last && !last.spec.sealed && bytes([...last.spec.entries, text]) > SHARD_BYTES - RESERVED_BYTES) {
    last = await store.update<"SearchRecord">({ ...last, spec: { ...last.spec, sealed: true } });
  }
  if (last && !last.spec.sealed) {
    const spec = { ...last.spec, entries: [...last.spec.entries, text] };
    return { entries, last: await store.update<"SearchRecord">({ ...last, spec }) };
  }
  return {
    entries,
    last: await store.create<"SearchRecord">(newShard(search, (last?.spec.shard ?? -1) + 1, text)),
  };
}

/** What the entries take as JSON in an object. */
const bytes = (entries: string[]): number => Buffer.byteLength(JSON.stringify(entries));

function newShard(search: ArchitectureSearch, shard: number, entry: string): SearchRecord {
  const { namespace, name } = keyOf(search);
  return {
    apiVersion: "segnas.dev/v1alpha1",
    kind: "SearchRecord",
    metadata: {
      name: `${name}-ledger-${shard}`,
      namespace,
      labels: { [LEDGER_LABEL]: name },
      ownerReferences: [controllerReference(search)],
    },
    spec: { search: name, shard, sealed: false, entries: [entry] },
  };
}
