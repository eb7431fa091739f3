// Snapshots: what a search knew after its first n entries, so that a start need not learn them all again. They are
// immutable: chunks first, then a manifest with their digests, which makes them count. There is no pointer to move:
// the newest that is whole and fits the ledger is the one.
import { setImmediate as turn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import { AlreadyExistsError, isControlledBy, keyOf, type SearchRecord, type Store } from "../api/store.ts";
import type { SearchState } from "./fold.ts";
import { checkFormat, FORMAT, type Format } from "./format.ts";
import { digestOf, type Ledger, recordMetadata } from "./shards.ts";

/** What the policy was after an update, and after which entry that was. */
export interface PolicyUpdate {
  update: number;
  /** The sum over the decisions, nats. */
  entropy: number;
  baseline: number;
  entry: number;
}

export interface Snapshot {
  /** After `state.entries` entries. */
  state: SearchState;
  updates: PolicyUpdate[];
  /** The policy's own, after `state.policyUpdates` updates. */
  policy: Uint8Array;
}

export interface SnapshotManifest {
  format: Format;
  entries: number;
  /** Of the ledger's entries so far (see LedgerShard). */
  ledger: string;
  /** Of each chunk's bytes. */
  chunks: string[];
  /** Of everything else in here, but for the UIDs. */
  digest: string;
  /** The chunks' UIDs: with them they can be deleted without being read, 700 KB each. */
  uids?: string[];
}

export interface SnapshotChunk {
  /** The snapshot's number of entries, and the chunk's place in it, from 0. */
  entries: number;
  number: number;
  /** Base64. */
  data: string;
}

/**
 * An object may take 1 MiB in a cluster, and base64 makes 683 KiB of this. The recurrent policy's 4.1 MiB are nine
 * chunks; chunks of a shard's 64 KiB would be 66, each a write and an event.
 */
const CHUNK_BYTES = 512 * 1024;
const KEPT = 2;
const SNAPSHOT_LABEL = "segnas.dev/snapshot";
const CHUNK_LABEL = "segnas.dev/snapshot-chunk";

type Record = SearchRecord & { metadata: { uid: string } };

/**
 * The objects of a snapshot: its chunks, and last its manifest. `ledger` is one of at least as many entries. Each is
 * made when it is asked for: all of them together are 6 MB of text.
 */
export function* snapshotRecords(
  search: ArchitectureSearch,
  ledger: Ledger,
  snapshot: Snapshot,
): Generator<SearchRecord> {
  const { state, updates, policy } = snapshot;
  const { entries } = state;
  const head = Buffer.from(`${JSON.stringify({ state, updates })}\n`);
  const bytes = Buffer.concat([head, policy]);
  const record = (name: string, label: string, spec: Partial<SearchRecord["spec"]>): SearchRecord => ({
    apiVersion: "segnas.dev/v1alpha1",
    kind: "SearchRecord",
    metadata: recordMetadata(search, name, label),
    spec: { search: search.metadata.name, ...spec },
  });
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const piece = bytes.subarray(at, at + CHUNK_BYTES);
    const number = chunks.push(digestOf(piece)) - 1;
    const chunk: SnapshotChunk = { entries, number, data: piece.toString("base64") };
    yield record(chunkName(entries, number), CHUNK_LABEL, { chunk });
  }
  const sealed = {
    format: FORMAT,
    entries,
    ledger: ledger.digests[entries - 1]!,
    chunks,
  };
  const manifest = { ...sealed, digest: manifestDigest(search, sealed) };
  yield record(`snapshot-${entries}`, SNAPSHOT_LABEL, { snapshot: manifest });
}

const chunkName = (entries: number, number: number): string => `snapshot-${entries}-${number}`;

const manifestDigest = (search: ArchitectureSearch, manifest: Omit<SnapshotManifest, "digest">): string => {
  const { format, entries, ledger, chunks } = manifest;
  return digestOf(
    JSON.stringify([
      search.metadata.uid,
      format.ledger,
      format.algorithm,
      format.segnas,
      entries,
      ledger,
      chunks,
    ]),
  );
};

/** Writes a snapshot, what is there of it already but for what is damaged, and deletes all but the newest two. */
export async function writeSnapshot(
  store: Store,
  search: ArchitectureSearch,
  ledger: Ledger,
  snapshot: Snapshot,
): Promise<void> {
  const uids: string[] = [];
  for (const record of snapshotRecords(search, ledger, snapshot)) {
    // A chunk takes its time to write: others may come between.
    await turn();
    const manifest = record.spec.snapshot;
    if (manifest) await put(store, { ...record, spec: { ...record.spec, snapshot: { ...manifest, uids } } });
    else uids.push((await put(store, record)).metadata.uid!);
  }
  for (const older of (await listManifests(store, search)).slice(KEPT)) await remove(store, older);
}

/** Makes a record, or leaves the one that is there and the same. */
async function put(store: Store, record: SearchRecord): Promise<SearchRecord> {
  try {
    return await store.create<"SearchRecord">(record);
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    const there = await store.live.get("SearchRecord", keyOf(record));
    if (there && isDeepStrictEqual(there.spec, record.spec)) return there;
    if (there) await store.delete("SearchRecord", keyOf(there), { uid: there.metadata.uid! });
    return await store.create<"SearchRecord">(record);
  }
}

/** The manifest goes before its chunks: one without a chunk is damaged, never only half deleted. */
async function remove(store: Store, manifest: Record): Promise<void> {
  await store.delete("SearchRecord", keyOf(manifest), { uid: manifest.metadata.uid });
  const { namespace, name } = keyOf(manifest);
  for (const [number, uid] of manifest.spec.snapshot!.uids?.entries() ?? []) {
    await store.delete("SearchRecord", { namespace, name: `${name}-${number}` }, { uid });
    await turn();
  }
}

/** A search's manifests, the newest first. */
export async function listManifests(
  store: Pick<Store, "live">,
  search: ArchitectureSearch,
): Promise<Record[]> {
  const { namespace, name } = keyOf(search);
  const records = await store.live.list("SearchRecord", namespace, { [SNAPSHOT_LABEL]: name });
  const own = records.filter((record) => isControlledBy(record, search)) as Record[];
  return own.sort((a, b) => b.spec.snapshot!.entries - a.spec.snapshot!.entries);
}

/** The snapshot of a manifest. Throws Error that says why it does not count. */
export async function readSnapshot(
  store: Pick<Store, "live">,
  search: ArchitectureSearch,
  ledger: Ledger,
  { metadata, spec }: SearchRecord,
): Promise<Snapshot> {
  const manifest = spec.snapshot!;
  checkFormat(metadata.name, manifest.format);
  const { entries } = manifest;
  if (manifestDigest(search, manifest) !== manifest.digest)
    throw new Error(`${metadata.name} is not as it was written`);
  if (ledger.digests[entries - 1] !== manifest.ledger)
    throw new Error(`${metadata.name} is of another ledger than the one that is here`);
  const pieces: Buffer[] = [];
  for (const [number, digest] of manifest.chunks.entries()) {
    const { name, namespace } = recordMetadata(search, chunkName(entries, number), CHUNK_LABEL);
    const chunk = (await store.live.get("SearchRecord", { namespace, name }))?.spec.chunk;
    if (!chunk) throw new Error(`${name} is missing`);
    const piece = Buffer.from(chunk.data, "base64");
    if (digestOf(piece) !== digest || piece.toString("base64") !== chunk.data)
      throw new Error(`${name} is not as it was written`);
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  const end = bytes.indexOf("\n");
  const head = JSON.parse(bytes.toString("utf8", 0, end)) as Omit<Snapshot, "policy">;
  return { ...head, policy: new Uint8Array(bytes.subarray(end + 1)) };
}
