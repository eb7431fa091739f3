// What a search's records tell, read on from where it was read last: shard by shard, so that nobody who works in the
// same process waits for it. Nothing is verified here but that entries follow each other: `segnas verify` does that.
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import { isControlledBy, keyOf, type Reader, type SearchRecord } from "../../api/store.ts";
import { type LedgerEntry, readEntry } from "../../ledger/entry.ts";
import { checkFormat } from "../../ledger/format.ts";
import { recordMetadata } from "../../ledger/shards.ts";
import { listManifests, type PolicyUpdate, type Snapshot } from "../../ledger/snapshots.ts";

/** What is known of a search's records. */
export interface Records {
  entries: LedgerEntry[];
  /** As far as the newest snapshot goes. */
  updates: PolicyUpdate[];
  /** Why they could not be read on, where that is so. */
  problem: string | undefined;
  /** The shard to be read next, and how many of its entries are known. */
  shard: number;
  taken: number;
  /** Entries of the snapshot that was read last. */
  snapshot: number;
}

export const noRecords = (): Records => ({
  entries: [],
  updates: [],
  problem: undefined,
  shard: 0,
  taken: 0,
  snapshot: 0,
});

/** Reads what there is by now. Throws where there is no answer; what is wrong with the records is told in `problem`. */
export async function readOn(reader: Reader, search: ArchitectureSearch, known: Records): Promise<void> {
  try {
    await readEntries(reader, search, known);
    await readUpdates(reader, search, known);
    known.problem = undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    known.problem = error.message;
  }
}

async function readEntries(reader: Reader, search: ArchitectureSearch, known: Records): Promise<void> {
  for (;;) {
    const shard = (await record(reader, search, `ledger-${known.shard}`))?.spec.shard;
    if (!shard) return;
    checkFormat(`the ledger of ${search.metadata.name}`, shard.format);
    for (const { entry: text } of shard.entries.slice(known.taken)) {
      const entry = readEntry(text);
      if (entry.number !== known.entries.length)
        throw new UserError(
          `ledger of ${search.metadata.name}: entry ${entry.number} stands where ${known.entries.length} should be`,
        );
      known.entries.push(entry);
      known.taken++;
    }
    if (!shard.sealed) return;
    known.shard++;
    known.taken = 0;
  }
}

/** Of the newest snapshot that is there the beginning: what comes before the policy's own part. */
async function readUpdates(reader: Reader, search: ArchitectureSearch, known: Records): Promise<void> {
  const [manifest] = await listManifests({ live: reader }, search);
  const { entries = 0, chunks = [], format } = manifest?.spec.snapshot ?? {};
  if (entries <= known.snapshot) return;
  checkFormat(`a snapshot of ${search.metadata.name}`, format);
  let head = "";
  for (const number of chunks.keys()) {
    const chunk = (await record(reader, search, `snapshot-${entries}-${number}`))?.spec.chunk;
    // It is deleted at this moment: the next time there is another.
    if (!chunk) return;
    const piece = Buffer.from(chunk.data, "base64");
    const end = piece.indexOf("\n");
    head += piece.toString("utf8", 0, end < 0 ? piece.length : end);
    if (end < 0) continue;
    known.updates = (JSON.parse(head) as Omit<Snapshot, "policy">).updates;
    known.snapshot = entries;
    return;
  }
}

async function record(
  reader: Reader,
  search: ArchitectureSearch,
  part: string,
): Promise<SearchRecord | undefined> {
  const { namespace } = keyOf(search);
  const { name } = recordMetadata(search, part, "");
  const found = await reader.get("SearchRecord", { namespace, name });
  return found && isControlledBy(found, search) ? found : undefined;
}
