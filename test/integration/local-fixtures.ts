// Local searches with the pretend trainer.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { admit } from "@segnas/operator/api/validate.ts";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import { type LocalOptions, openLocalSearch, type SearchView } from "@segnas/operator/local/run.ts";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import { resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { SMALL_SEARCH } from "../small-search.ts";
import type { Pretence } from "./pretend-trainer.ts";

export const pretendTrainer = fileURLToPath(new URL("./pretend-trainer.ts", import.meta.url));

/** A search over shapes, with fields of spec put in place of what is usual here. */
export const search = (spec: object): ArchitectureSearch =>
  admit("ArchitectureSearch", {
    apiVersion: "segnas.dev/v1alpha1",
    kind: "ArchitectureSearch",
    metadata: { name: "quick" },
    spec: { ...SMALL_SEARCH, ...spec },
  });

export const newFolder = (): string => mkdtempSync(join(tmpdir(), "segnas-local-"));
export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** How a search in a folder is opened with the pretend trainer. */
export const options = (stateDir: string, spec: object, pretence: Pretence): LocalOptions => ({
  search: search(spec),
  stateDir,
  trainer: { command: [process.execPath, pretendTrainer], env: { PRETEND: JSON.stringify(pretence) } },
  retryDelay: () => 50,
});

/** Runs a search in a folder until its end, or until the signal. */
export async function runSearch(
  stateDir: string,
  spec: object,
  pretence: Pretence,
  signal = new AbortController().signal,
): Promise<SearchView> {
  const local = await openLocalSearch(options(stateDir, spec, pretence));
  try {
    await local.run(signal);
    return await local.view();
  } finally {
    await local.close();
  }
}

/** What a ledger says whatever the clock says. */
export const timeless = (entries: LedgerEntry[]) =>
  entries.map((entry) => ({ ...entry, gpuSeconds: 0, stages: [] }));

/** The hash of the policy that a search's entries make. */
export async function policyHash({ search, entries }: SearchView): Promise<string> {
  const settings = resolvePolicy(search.spec.policy);
  const policy = startPolicy({ settings, seed: search.spec.seed });
  try {
    let state = EMPTY;
    for (const entry of entries) {
      const { batchSize } = settings;
      state = fold({ batchSize, failureReward: 0, policyLag: 1, gate: undefined }, state, entry);
      if (state.batch) await policy.learn(state.batch);
    }
    return createHash("sha256")
      .update(await policy.state(state.policyUpdates))
      .digest("hex");
  } finally {
    await policy.close();
  }
}

/** A copy of a search's folder with a text in one object replaced. */
export function changedCopy(
  folder: string,
  copy: string,
  name: RegExp,
  change: (body: string) => string,
): string {
  cpSync(folder, copy, { recursive: true });
  const database = new DatabaseSync(join(copy, "objects.sqlite"));
  const rows = database.prepare("SELECT name, body FROM objects").all() as { name: string; body: string }[];
  const row = rows.find((row) => name.test(row.name))!;
  const body = change(row.body);
  assert.notEqual(body, row.body);
  database.prepare("UPDATE objects SET body = ? WHERE name = ?").run(body, row.name);
  database.close();
  return copy;
}
