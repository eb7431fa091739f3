// Verifies the search that a folder holds.
import { statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { type Verification, verifySearch } from "../controllers/architecturesearch/verify.ts";
import { startPolicy } from "../policy/client.ts";
import { damageOf, type LocalStore, openStore, STORE_FILE } from "./store.ts";

/**
 * Replays the ledger of the search in a folder, and looks for what was changed from outside.
 * @throws UserError where there is no search, or another process runs it
 */
export async function verifyFolder(folder: string): Promise<Verification> {
  if (!statSync(join(folder, STORE_FILE), { throwIfNoEntry: false }))
    throw new UserError(`${folder}: holds no search; give the folder of one with --state`);
  const damage: string[] = [];
  try {
    const store = openStore(folder);
    try {
      damage.push(...store.damage());
      const report = await verifyStore(store, folder);
      // What was changed, and then what follows from that.
      return { ...report, findings: [...damage, ...report.findings] };
    } finally {
      store.close();
    }
  } catch (error) {
    // Whatever goes wrong with what is damaged follows from that.
    const last = damageOf(error);
    const findings = last === undefined ? damage : [...damage, last];
    if (findings.length === 0) throw error;
    return { ...nothing(folder), findings, notes: ["what is damaged kept the ledger from being replayed"] };
  }
}

async function verifyStore(store: LocalStore, folder: string): Promise<Verification> {
  try {
    const [search] = store.searches();
    if (search) return await verifySearch(store, search, startPolicy);
    return { ...nothing(folder), findings: ["there is no search"] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...nothing(folder), findings: [error.message] };
  }
}

const nothing = (folder: string): Verification => ({
  search: folder,
  entries: 0,
  imported: 0,
  policyUpdates: 0,
  samples: 0,
  trials: 0,
  snapshots: 0,
  findings: [],
  notes: [],
});
