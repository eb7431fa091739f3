// Replays a search's ledger from nothing and compares what follows with what was written: samples, weights,
// rewards and counts.
import { isDeepStrictEqual } from "node:util";
import { UserError } from "@segnas/searchspace/errors.ts";
import { SearchReason } from "../../api/conditions.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import { isControlledBy, keyOf, type Reader, type SearchRecord, type Store } from "../../api/store.ts";
import { isImported, type SettledEntry } from "../../ledger/entry.ts";
import { EMPTY, entriesDue, fold, gateAfter } from "../../ledger/fold.ts";
import { type SlotMean, thresholdsOf } from "../../ledger/gate.ts";
import { type Ledger, readLedger, recordMetadata } from "../../ledger/shards.ts";
import { type PolicyUpdate, readSnapshot, snapshotRecords } from "../../ledger/snapshots.ts";
import type { PolicyClient, PolicyStart } from "../../policy/client.ts";
import type { Proposal } from "../../policy/policy.ts";
import { resolvePolicy } from "../../policy/settings.ts";
import { decimal } from "../status.ts";
import { foldSettings } from "./knowledge.ts";
import { proposalFor } from "./proposal.ts";
import { endedFor, endStatus, entropyStatus, foldStatus, ranking } from "./status.ts";
import { proposedTrial, settledEntry, trialName, writtenGate } from "./trial.ts";
import { compareEntries } from "./verify-entries.ts";

export interface Verification {
  search: string;
  entries: number;
  /** Those of the entries that are taken over from another search. */
  imported: number;
  policyUpdates: number;
  /** Entries and trials whose decisions and log-probability were made again. */
  samples: number;
  /** Trials that were compared, all of them with their proposal, settled ones with their entry. */
  trials: number;
  snapshots: number;
  /** What does not agree, a sentence each. */
  findings: string[];
  /** What a crash may leave behind. */
  notes: string[];
}

type Readable = Reader & Pick<Store, "live">;

/** Reads only. */
export async function verifySearch(
  store: Readable,
  search: ArchitectureSearch,
  startPolicy: (start: PolicyStart) => PolicyClient,
): Promise<Verification> {
  const { namespace, name } = keyOf(search);
  const report: Verification = {
    ...{ search: name, entries: 0, imported: 0, policyUpdates: 0, samples: 0, trials: 0, snapshots: 0 },
    findings: [],
    notes: [],
  };
  const { findings } = report;
  try {
    const ledger = await readLedger(store, search);
    // Whatever is damaged of one that is its own, it is not another search's.
    const isOwn = (object: CandidateTrial | SearchRecord) =>
      object.spec.search === name || isControlledBy(object, search);
    const trials = (await store.list("CandidateTrial", namespace)).filter(isOwn);
    const records = (await store.list("SearchRecord", namespace)).filter(isOwn);
    report.entries = ledger.entries.length;
    compareTrials(search, ledger, trials, report);
    findings.push(...compareEntries(search, ledger.entries));
    compareImports(search, ledger, report);
    const manifests = compareRecords(search, records, report);
    const policy = startPolicy({ settings: resolvePolicy(search.spec.policy), seed: search.spec.seed });
    try {
      await replay({ store, search, ledger, trials, manifests, policy, report });
    } finally {
      await policy.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    findings.push(error.message);
  }
  return report;
}

interface Replay {
  store: Readable;
  search: ArchitectureSearch;
  ledger: Ledger;
  trials: CandidateTrial[];
  manifests: SearchRecord[];
  policy: PolicyClient;
  report: Verification;
}

async function replay({ store, search, ledger, trials, manifests, policy, report }: Replay): Promise<void> {
  const settings = foldSettings(search);
  const { findings } = report;
  const updates: PolicyUpdate[] = [];
  /** The policy's version after so many entries. */
  const due = [0];
  /** The gate's means after so many entries. */
  const gates: (readonly SlotMean[])[] = [[]];
  let state = EMPTY;

  /** Makes what names the policy's newest version again, while it is there. */
  async function sample(version: number): Promise<void> {
    const made = new Map<number, Proposal>();
    const proposal = async (index: number) => {
      const known = made.get(index) ?? (await proposalFor(search, policy, index, version, report.imported));
      made.set(index, known);
      return known;
    };
    for (const trial of trials.filter(({ spec }) => spec.policyVersion === version)) {
      const { metadata } = trial;
      // Which trial it was to wait for depends on what was there when it was made; the gate comes at the end.
      const { duplicateOf: _, gate: __, ...spec } = trial.spec;
      const { index, entries } = spec;
      const place = { index, entries, policyVersion: version, gate: [] };
      const { spec: expected } = proposedTrial(search, place, await proposal(index));
      const field = Object.keys({ ...expected, ...spec }).find(
        (field) => !isDeepStrictEqual(plain(expected[field as never]), spec[field as never]),
      );
      if (field)
        findings.push(
          `trial ${metadata.name}: spec.${field} is not what version ${version} of the policy proposes`,
        );
    }
    for (const entry of ledger.entries) {
      if (entry.outcome === "Deleted" || entry.policyVersion !== version) continue;
      const { decisions, logProbability } = isImported(entry)
        ? { ...entry, logProbability: await policy.score(version, entry.decisions) }
        : await proposal(entry.index);
      if (
        !isDeepStrictEqual(entry.decisions, decisions) ||
        Number(decimal(logProbability)) !== entry.logProbability
      )
        findings.push(
          `entry ${entry.number} (${entry.trial}): not what version ${version} of the policy proposes`,
        );
    }
    report.samples += made.size;
  }

  await sample(0);
  for (const entry of ledger.entries) {
    state = fold(settings, state, entry);
    due.push(state.policyUpdates);
    gates.push(gateAfter(state, state.entries));
    if (state.batch) {
      const { entropy, baseline } = await policy.learn(state.batch);
      updates.push({ update: state.policyUpdates, entropy, baseline, entry: entry.number });
      await policy.forget(state.policyUpdates);
      await sample(state.policyUpdates);
    }
    for (const manifest of manifests.filter(({ spec }) => spec.snapshot!.entries === state.entries)) {
      try {
        await readSnapshot(store, search, ledger, manifest);
        const now = { state, updates, policy: await policy.state(state.policyUpdates) };
        const expected = [...snapshotRecords(search, ledger, now)].at(-1)!.spec.snapshot!;
        if (!isDeepStrictEqual(expected.chunks, manifest.spec.snapshot!.chunks))
          findings.push(
            `${manifest.metadata.name}: the replay comes to another state after ${state.entries} entries`,
          );
        report.snapshots++;
      } catch (error) {
        findings.push((error as Error).message);
      }
    }
  }
  report.policyUpdates = state.policyUpdates;
  compareVersions();
  comparePlaces();
  compareStatus();

  /** Whether each trial names the version that was its due. */
  function compareVersions(): void {
    const named = [
      ...trials.map(({ metadata, spec }) => ({ trial: metadata.name, ...spec })),
      ...settled(ledger).filter((entry) => !isImported(entry)),
    ];
    const imports = ledger.entries.filter(isImported);
    const isDue = ({ index, policyVersion }: (typeof named)[number]) =>
      search.spec.rewardOrder === "Index"
        ? policyVersion === due[entriesDue(settings, state, index)]
        : policyVersion <= state.policyUpdates;
    const wrong = [
      ...named.filter((trial) => !isDue(trial)),
      ...imports.filter(({ number, policyVersion }) => policyVersion !== due[number]),
    ];
    for (const { trial, policyVersion } of wrong)
      findings.push(`${trial}: version ${policyVersion} of the policy was not its due`);
  }

  /** Whether each trial was made after as many entries as it says, and has the gate of then. */
  function comparePlaces(): void {
    for (const { metadata, spec } of trials) {
      const { index, entries, policyVersion } = spec;
      const isDue = search.spec.rewardOrder !== "Index" || entries === entriesDue(settings, state, index);
      if (due[entries] !== policyVersion || !isDue)
        findings.push(`trial ${metadata.name}: spec.entries ${entries} was not its due`);
      const gate = thresholdsOf(settings.gate, gates[entries] ?? [], search.spec.seed, index);
      if (!isDeepStrictEqual(writtenGate(gate), spec.gate ?? []))
        findings.push(`trial ${metadata.name}: spec.gate is not what the ledger gives`);
    }
  }

  function compareStatus(): void {
    const { status } = search;
    const told = status?.entries ?? 0;
    if (told > state.entries)
      findings.push(
        `the status speaks of ${told} entries, the ledger holds ${state.entries}: records are missing`,
      );
    // It is written after the ledger: a crash may leave it behind.
    if (status?.entries === undefined || told !== state.entries) return;
    // A trial that waits to be entered is among the best, if it is, from when the status was written after its result.
    const entered = new Set(ledger.entries.map(({ index }) => index));
    const named = new Set([...(status.top ?? []), ...(status.paretoFront ?? [])].map(({ trial }) => trial));
    const open = trials.filter(({ metadata, spec }) => !entered.has(spec.index) && named.has(metadata.name));
    const entropy = updates.at(-1)?.entropy;
    const expected = {
      ...{ imported: undefined, best: undefined, ...foldStatus({ ...state, ...ranking(state, open) }) },
      policyEntropy: entropy === undefined ? undefined : entropyStatus(entropy),
      ...(endedFor({ search }, SearchReason.MaxTrialsReached) && endStatus(state)),
    };
    for (const [field, value] of Object.entries(expected))
      if (!isDeepStrictEqual(plain(value), status[field as never]))
        findings.push(`the status's ${field} is not what the ledger gives`);
  }
}

const settled = (ledger: Ledger): SettledEntry[] =>
  ledger.entries.filter((entry): entry is SettledEntry => entry.outcome !== "Deleted");

/** As JSON has it. */
const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

/** Settled trials against their entries. */
function compareTrials(
  search: ArchitectureSearch,
  { entries }: Ledger,
  trials: CandidateTrial[],
  report: Verification,
): void {
  const { findings } = report;
  const byIndex = new Map(entries.map((entry) => [entry.index, entry]));
  const byName = new Map(trials.map((trial) => [trial.metadata.name, trial]));
  const takenOver = new Set(entries.filter(isImported).map(({ trial }) => trial));
  for (const trial of trials) {
    const { metadata, spec, status } = trial;
    if (metadata.name !== trialName(search, spec.index))
      findings.push(`trial ${metadata.name}: its index is ${spec.index}`);
    const entry = byIndex.get(spec.index);
    if (status?.entry !== undefined && status.entry !== entry?.number)
      findings.push(`trial ${metadata.name}: its entry ${status.entry} is not in the ledger`);
    const { duplicateOf } = spec;
    const original =
      duplicateOf === undefined || takenOver.has(duplicateOf) ? undefined : byName.get(duplicateOf);
    if (original && (original.spec.network !== spec.network || original.spec.index >= spec.index))
      findings.push(
        `trial ${metadata.name}: spec.duplicateOf ${duplicateOf} is no earlier trial of its network`,
      );
    if (entry && entry.outcome !== "Deleted" && status?.result) {
      if (!isDeepStrictEqual(plain(settledEntry(trial, entry.number)), entry))
        findings.push(`entry ${entry.number} (${entry.trial}): not what its trial came to`);
    }
    report.trials++;
  }
}

/** What was taken over from another search, as far as it can be told without that one. */
function compareImports(search: ArchitectureSearch, { entries, last }: Ledger, report: Verification): void {
  const { findings, notes } = report;
  const imports = entries.filter(isImported);
  report.imported = imports.length;
  const noted = last?.spec.shard.imports;
  const name = search.spec.startingPoints?.search;
  if (noted && noted.search !== name) findings.push(`the ledger begins with trials of ${noted.search}`);
  const count = noted?.count ?? 0;
  for (const [k, entry] of imports.entries()) {
    const { number, index, trial } = entry;
    if (number !== k || index !== k - count)
      findings.push(`entry ${number} (${trial} of ${entry.source}): not as this search takes it over`);
  }
  if (name === undefined || imports.length === noted?.count) return;
  const [taken, what] = [imports.length, noted ? `${count} trials` : "the trials"];
  if (entries.length > taken) findings.push(`${taken} of ${what} of ${name} are there, and others follow`);
  else notes.push(`${taken} of ${what} of ${name} are taken over: it was interrupted`);
}

/** Whether each record is the search's and named by what it holds. Gives the snapshots' manifests. */
function compareRecords(
  search: ArchitectureSearch,
  records: SearchRecord[],
  report: Verification,
): SearchRecord[] {
  const manifests = records.filter(({ spec }) => spec.snapshot);
  const whole = new Set(manifests.map(({ spec }) => spec.snapshot!.entries));
  const leftovers = new Set<number>();
  for (const { metadata, spec } of records) {
    const { shard, snapshot, chunk } = spec;
    const label = Object.keys(metadata.labels ?? {})[0] ?? "";
    const name = shard
      ? `ledger-${shard.number}`
      : snapshot
        ? `snapshot-${snapshot.entries}`
        : `snapshot-${chunk?.entries}-${chunk?.number}`;
    const expected = recordMetadata(search, name, label);
    const same = Object.entries(expected).every(([field, value]) =>
      isDeepStrictEqual(metadata[field as never], value),
    );
    if (!same || spec.search !== search.metadata.name || !(shard || snapshot || chunk))
      report.findings.push(`${metadata.name} is not named as what it holds`);
    if (chunk && !whole.has(chunk.entries)) leftovers.add(chunk.entries);
  }
  for (const entries of leftovers)
    report.notes.push(`the snapshot after ${entries} entries has no manifest: writing it was interrupted`);
  for (const { metadata, spec } of manifests)
    if (spec.snapshot!.entries > report.entries)
      report.findings.push(`${metadata.name} is of more entries than the ledger holds`);
  return manifests;
}
