// Which versions of segnas can replay a ledger: the format of its records, and the policy's algorithm.
import { SearchReason, StalledError } from "../api/conditions.ts";
import packageFile from "../package.json" with { type: "json" };

export interface Format {
  /** Of shards, entries and snapshots. */
  ledger: number;
  /** Of the policy: another number where the same search would be proposed or learned otherwise. */
  algorithm: number;
  /** The version of segnas that wrote last. */
  segnas: string;
}

/** What this version writes, and the only one that it reads. */
export const FORMAT: Format = { ledger: 5, algorithm: 2, segnas: packageFile.version };

/** Throws StalledError that names the version which can go on, where this one cannot. */
export function checkFormat(where: string, format: Format | undefined): void {
  if (format?.ledger === FORMAT.ledger && format.algorithm === FORMAT.algorithm) return;
  const { ledger, algorithm, segnas } = format ?? { ledger: 1, algorithm: 2, segnas: undefined };
  throw new StalledError(
    SearchReason.LedgerUnusable,
    `${where} has ledger format ${ledger} and policy algorithm ${algorithm}, segnas ${FORMAT.segnas} replays format ${FORMAT.ledger} and algorithm ${FORMAT.algorithm}: go on with ${segnas ? `segnas ${segnas}` : "the version of segnas that began the search"}`,
  );
}
