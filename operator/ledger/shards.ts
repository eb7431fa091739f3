// Where the ledger lies: a row of SearchRecords, each at most 64 KiB. A shard is sealed before the next is made, so
// only the last one is ever written, and every write names the version that it was read as. Who works on the search
// first writes himself into it: whoever did so before can add nothing any more.
import { createHash } from "node:crypto";
import { SearchReason, StalledError } from "../api/conditions.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import {
  AlreadyExistsError,
  ConflictError,
  controllerReference,
  isControlledBy,
  keyOf,
  type Reader,
  type SearchRecord,
  type Store,
} from "../api/store.ts";
import { type LedgerEntry, readEntry, writeEntry } from "./entry.ts";
import { checkFormat, FORMAT, type Format } from "./format.ts";

export interface LedgerShard {
  /** Its place in the row, from 0. */
  number: number;
  format: Format;
  /** Counts who has worked on the search, and who does now. */
  epoch: number;
  holder: string;
  /** One above the highest index that is known to have been made, should its trial be gone. */
  made: number;
  /**
   * One above the highest index that may have been made: noted before it is. Until the next entry, trials from `made`
   * on that are not there are made once more, from the same policy.
   */
  reserved: number;
  /** Refusals of the configuration in entries below this one no longer fail the search. */
  forgiven: number;
  /** What the search takes over from another one's ledger before it makes anything; absent where it does not. */
  imports?: Imports;
  /** Nothing is added to it any more: the next shard may be made. */
  sealed: boolean;
  /** In their order, each as JSON (so that numbers come back bit for bit) with the digest of all up to it. */
  entries: { entry: string; digest: string }[];
  /** Of everything else in here. */
  digest: string;
}

/** Noted before the first entry is taken over, so that whatever happens meanwhile it is these and no others. */
export interface Imports {
  /** The other search. */
  search: string;
  /** How many entries its ledger had, and their digest. */
  entries: number;
  digest: string;
  /** How many of them are taken over. */
  count: number;
}

/** A search's entries and the last shard, as last read or written. */
export interface Ledger {
  entries: LedgerEntry[];
  /** Of all entries up to each. */
  digests: string[];
  last: (SearchRecord & { spec: { shard: LedgerShard } }) | undefined;
}

/** Another one works on the search by now: what is decided here counts no more. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

const SHARD_BYTES = 64 * 1024;
/** Kept free for metadata and the fields around the entries. */
const RESERVED_BYTES = 4 * 1024;
const LEDGER_LABEL = "segnas.dev/ledger";

/** SHA-256 of texts, one after the other. */
export const digestOf = (...texts: (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text);
  return hash.digest("base64url");
};

/** Reads all shards. Throws StalledError that names a gap, a double or a change among shards and entries. */
export async function readLedger(store: Reader, search: ArchitectureSearch): Promise<Ledger> {
  const { namespace, name } = keyOf(search);
  const records = await store.list("SearchRecord", namespace, { [LEDGER_LABEL]: name });
  const own = records.filter((record) => isControlledBy(record, search)) as NonNullable<Ledger["last"]>[];
  for (const { spec } of own) checkFormat(`the ledger of ${name}`, spec.shard?.format);
  own.sort((a, b) => a.spec.shard.number - b.spec.shard.number);
  const ledger: Ledger = { entries: [], digests: [], last: own.at(-1) };
  const indices = new Set<number>();
  const broken = (what: string) => unusable(search, what);
  for (const [k, record] of own.entries()) {
    const { shard } = record.spec;
    const { name: shardName } = record.metadata;
    if (shard.number !== k) throw broken(`shard ${k} is missing, ${shardName} follows`);
    if (!shard.sealed && k < own.length - 1)
      throw broken(`${shardName} is not sealed, but another shard follows`);
    for (const { entry: text, digest } of shard.entries) {
      const number = ledger.entries.length;
      if (digestOf(ledger.digests.at(-1) ?? search.metadata.uid!, text) !== digest)
        throw broken(`entry ${number} in ${shardName} is not as it was written`);
      const entry = readEntry(text);
      if (entry.number !== number) {
        const what = entry.number < number ? "is there twice" : "follows a gap";
        throw broken(`entry ${entry.number} ${what} (entry ${number} expected)`);
      }
      if (indices.has(entry.index)) throw broken(`${entry.trial} is entered twice`);
      indices.add(entry.index);
      ledger.entries.push(entry);
      ledger.digests.push(digest);
    }
    if (shardDigest(record.spec.search, shard) !== shard.digest)
      throw broken(`${shardName} is not as it was written`);
  }
  return ledger;
}

/**
 * Reads the ledger and makes `holder` the one who writes it. `held` says that it was so before.
 * @throws FencedError where another has become so since; StalledError as readLedger, or where the search's status knows
 * of more entries
 */
export async function openLedger(
  store: Store,
  search: ArchitectureSearch,
  holder: string,
  held: boolean,
): Promise<Ledger> {
  for (;;) {
    const ledger = await readLedger(store.live, search);
    const last = ledger.last?.spec.shard;
    // The status is written after the ledger, and was read before.
    const told = search.status?.entries ?? 0;
    if (told > ledger.entries.length)
      throw unusable(
        search,
        `it ends after ${ledger.entries.length} entries, but there were ${told}: records are missing, or their label ${LEDGER_LABEL}`,
      );
    if (held && last && last.holder !== holder)
      throw new FencedError(`${search.metadata.name}: another process has taken over this search`);
    const epoch = (last?.epoch ?? 0) + 1;
    try {
      if (last && !last.sealed) return await writeLast(store, ledger, { epoch, holder, format: FORMAT });
      const number = (last?.number ?? -1) + 1;
      const { made = 0, reserved = 0, forgiven = 0, imports } = last ?? {};
      const notes = { made, reserved, forgiven, ...(imports && { imports }) };
      const head = { number, format: FORMAT, epoch, holder, ...notes };
      return await createShard(store, search, ledger, { ...head, sealed: false, entries: [] });
    } catch (error) {
      if (!(error instanceof ConflictError || error instanceof AlreadyExistsError)) throw error;
      if (error instanceof AlreadyExistsError) await refuseHidden(store, search, ledger);
    }
  }
}

/** Throws StalledError where the shard that was to be made is there, but is not found as this search's. */
async function refuseHidden(store: Store, search: ArchitectureSearch, { last }: Ledger): Promise<void> {
  const { namespace, name } = keyOf(search);
  const number = (last?.spec.shard.number ?? -1) + 1;
  const made = recordMetadata(search, `ledger-${number}`, LEDGER_LABEL);
  const record = await store.live.get("SearchRecord", { namespace, name: made.name });
  if (!record || (isControlledBy(record, search) && record.metadata.labels?.[LEDGER_LABEL] === name)) return;
  const command = `kubectl label --overwrite searchrecord ${record.metadata.name} --namespace ${namespace} ${LEDGER_LABEL}=${name}`;
  throw unusable(
    search,
    `the record ${record.metadata.name} has lost its label (${command}) or its owner: put it back`,
  );
}

const unusable = ({ metadata }: ArchitectureSearch, what: string): StalledError =>
  new StalledError(SearchReason.LedgerUnusable, `ledger of ${metadata.name}: ${what}`);

/**
 * Adds an entry to the last shard, or seals that and makes the next. Throws ConflictError or AlreadyExistsError
 * where somebody else wrote in between: open the ledger again.
 */
export async function appendEntry(
  store: Store,
  search: ArchitectureSearch,
  ledger: Ledger,
  entry: LedgerEntry,
  made: number,
): Promise<Ledger> {
  const text = writeEntry(entry);
  const digest = digestOf(ledger.digests.at(-1) ?? search.metadata.uid!, text);
  const line = { entry: text, digest };
  let after = ledger;
  const { shard } = ledger.last!.spec;
  const entries = [...shard.entries, line];
  if (shard.sealed || bytes(entries) > SHARD_BYTES - RESERVED_BYTES) {
    if (!shard.sealed) after = await writeLast(store, after, { sealed: true });
    const number = shard.number + 1;
    const next = { ...shard, number, made, reserved: made, sealed: false, entries: [line] };
    after = await createShard(store, search, after, next);
  } else {
    after = await writeLast(store, after, { made, reserved: made, entries });
  }
  return {
    entries: [...after.entries, readEntry(text)],
    digests: [...after.digests, digest],
    last: after.last,
  };
}

/** Notes in the last shard what does not follow from entries. Throws as appendEntry does. */
export const writeNotes = (
  store: Store,
  ledger: Ledger,
  notes: { made: number; reserved: number } | { forgiven: number } | { imports: Imports },
): Promise<Ledger> => writeLast(store, ledger, notes);

/** What the entries take as JSON in an object. */
const bytes = (entries: LedgerShard["entries"]): number => Buffer.byteLength(JSON.stringify(entries));

/** Spelled out, as an API server may order fields anew. Entries have digests of their own. */
const shardDigest = (search: string, shard: Omit<LedgerShard, "digest">): string => {
  const { number, format, epoch, holder, made, reserved, forgiven, imports, sealed, entries } = shard;
  const last = entries.at(-1)?.digest ?? "";
  const imported = imports && [imports.search, imports.entries, imports.digest, imports.count];
  const { ledger, algorithm, segnas } = format;
  return digestOf(
    JSON.stringify([
      search,
      number,
      ledger,
      algorithm,
      segnas,
      epoch,
      holder,
      made,
      reserved,
      forgiven,
      imported ?? null,
      sealed,
      entries.length,
      last,
    ]),
  );
};

async function writeLast(store: Store, ledger: Ledger, fields: Partial<LedgerShard>): Promise<Ledger> {
  const { spec, ...rest } = ledger.last!;
  const shard = { ...spec.shard, ...fields };
  const written = { ...spec, shard: { ...shard, digest: shardDigest(spec.search, shard) } };
  const last = await store.update<"SearchRecord">({ ...rest, spec: written });
  return { ...ledger, last: last as NonNullable<Ledger["last"]> };
}

async function createShard(
  store: Store,
  search: ArchitectureSearch,
  ledger: Ledger,
  shard: Omit<LedgerShard, "digest">,
): Promise<Ledger> {
  const { name } = keyOf(search);
  const last = await store.create<"SearchRecord">({
    apiVersion: "segnas.dev/v1alpha1",
    kind: "SearchRecord",
    metadata: recordMetadata(search, `ledger-${shard.number}`, LEDGER_LABEL),
    spec: { search: name, shard: { ...shard, digest: shardDigest(name, shard) } },
  });
  return { ...ledger, last: last as NonNullable<Ledger["last"]> };
}

/** Records are named by their search's UID: a later search of the same name has others. */
export function recordMetadata(search: ArchitectureSearch, name: string, label: string) {
  const key = keyOf(search);
  return {
    name: `${search.metadata.uid}-${name}`,
    namespace: key.namespace,
    labels: { [label]: key.name },
    ownerReferences: [controllerReference(search)],
  };
}
