// Verifies the search that a folder holds.
import { statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { type Verification, verifySearch } from "../controllers/architecturesearch/verify.ts";
import { startPolicy } from "../policy/client.ts";
import { type LocalStore, openStore } from "./store.ts";

/**
 * Replays the ledger of the search in a folder, and looks for rows that were changed from outside.
 * @throws UserError where there is no search, or another process runs it
 */
export async function verifyFolder(folder: string): Promise<Verification> {
  if (!statSync(join(folder, "objects.sqlite"), { throwIfNoEntry: false }))
    throw new UserError(`${folder}: holds no search; give the folder of one with --state`);
  const store = openStore(folder);
  try {
    const damage = store.damage();
    const report = await verifyOnly(store, folder);
    // What was changed, and then what follows from that.
    return { ...report, findings: [...damage, ...report.findings] };
  } finally {
    store.close();
  }
}

async function verifyOnly(store: LocalStore, folder: string): Promise<Verification> {
  const none = {
    search: folder,
    entries: 0,
    imported: 0,
    policyUpdates: 0,
    samples: 0,
    trials: 0,
    snapshots: 0,
    notes: [],
  };
  try {
    const [search] = store.searches();
    if (search) return await verifySearch(store, search, startPolicy);
    return { ...none, findings: ["there is no search"] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...none, findings: [error.message] };
  }
}
