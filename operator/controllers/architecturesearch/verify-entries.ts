// What the entries of a ledger must be by themselves and beside one another, whoever wrote them: pure.
import { isDeepStrictEqual } from "node:util";
import { networkName } from "@segnas/searchspace/canonical.ts";
import { countMacs } from "@segnas/searchspace/count.ts";
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { expand } from "@segnas/searchspace/network.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import { isImported, type LedgerEntry, type SettledEntry } from "../../ledger/entry.ts";
import { violationOf } from "./constraints.ts";
import { inputSize, networkSettings } from "./networks.ts";
import { isOriginal } from "./untrained.ts";

/** What cannot be so, a sentence for each entry that it is said of. */
export function compareEntries(search: ArchitectureSearch, entries: readonly LedgerEntry[]): string[] {
  /** By network, the trial with the lowest index that others may have got their result of. */
  const originals = new Map<string, SettledEntry>();
  return entries.flatMap((entry) => {
    if (entry.outcome === "Deleted") return [];
    const { number, trial, network } = entry;
    const original = originals.get(network);
    const misfit =
      networkMisfit(search, entry) ?? (isImported(entry) ? undefined : misfitOf(search, entry, original));
    if (isOriginal(entry) && !(original && original.index < entry.index)) originals.set(network, entry);
    return misfit === undefined ? [] : [`entry ${number} (${trial}): ${misfit}`];
  });
}

/** What its decisions make of it, whatever its trainer says. */
function networkMisfit(search: ArchitectureSearch, entry: SettledEntry): string | undefined {
  const architecture = fromDecisions(entry.decisions);
  const settings = networkSettings(search);
  if (entry.network !== networkName(architecture, settings)) return "not the name of its network";
  if (entry.macs !== countMacs(expand(architecture, settings, inputSize(search))).total)
    return "not the multiply-accumulates of its network";
  const isOver = violationOf(search, architecture) !== undefined;
  if (isOver !== (entry.outcome === "Rejected"))
    return isOver ? "over a constraint, but not rejected" : "rejected, though over no constraint";
  return undefined;
}

function misfitOf(
  { spec }: ArchitectureSearch,
  entry: SettledEntry,
  original: SettledEntry | undefined,
): string | undefined {
  const { outcome, reward } = entry;
  if (outcome === "Infrastructure" && reward !== null) return "a reward, though it has none to have";
  if (outcome !== "Infrastructure" && reward === null) return "no reward";
  const isFailed = outcome === "Failed" || outcome === "Rejected";
  if (isFailed && reward !== Number(spec.objective.failureReward)) return "not the failure reward";
  if (entry.duplicateOf === null) return undefined;
  if (original?.trial !== entry.duplicateOf || original.index >= entry.index)
    return `${entry.duplicateOf} is not the first trial with its network`;
  return isDeepStrictEqual(measured(entry), measured(original))
    ? undefined
    : `not the result of ${original.trial}, which it got`;
}

/** What an entry has of a result. */
const measured = ({ outcome, reward, metrics, slots, stopped, parameters }: SettledEntry) => ({
  ...{ outcome, reward, metrics, slots, stopped, parameters },
});
