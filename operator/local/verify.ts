// Verifies the search that a folder holds.
import { copyFileSync, existsSync, realpathSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backup } from "node:sqlite";
import { UserError } from "@segnas/searchspace/errors.ts";
import { type Verification, verifySearch } from "../controllers/architecturesearch/verify.ts";
import { startPolicy } from "../policy/client.ts";
import { openToRead } from "./source.ts";
import { damageOf, holdFolder, isLocked, type LocalStore, openStore, STORE_FILE } from "./store.ts";

/**
 * Replays the ledger of the search in a folder as it is at this moment, and looks for what was changed from outside. A
 * process may run it, begin to or end meanwhile, and nothing need be writable there: a copy is verified.
 * @throws UserError where there is no search, or it cannot be read
 */
export async function verifyFolder(folder: string): Promise<Verification> {
  if (!existsSync(join(folder, STORE_FILE)))
    throw new UserError(`${folder}: holds no search; give the folder of one with --state`);
  const copy = await mkdtemp(join(tmpdir(), "segnas-"));
  /** Nobody knows the copy. */
  const named = (sentence: string) => sentence.replaceAll(copy, folder);
  try {
    const damage = await copyStore(folder, copy);
    if (damage !== undefined) return { ...nothing(folder), findings: [damage], notes: [NOT_REPLAYED] };
    const report = await verifyOwn(copy);
    const search = report.search === copy ? folder : report.search;
    return { ...report, search, findings: report.findings.map(named) };
  } catch (error) {
    throw error instanceof UserError ? new UserError(named(error.message)) : error;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

const NOT_REPLAYED = "what is damaged kept the ledger from being replayed";

/** @returns what is damaged there, where that keeps it from being copied */
async function copyStore(from: string, to: string): Promise<string | undefined> {
  const held = holdFolder(from);
  try {
    if (held === undefined && isLocked(from)) await copyOpened(from, to);
    else copyFiles(from, to);
    return undefined;
  } catch (error) {
    const damage = damageOf(error);
    if (damage !== undefined) return damage;
    throw new UserError(`${from}: its search cannot be read (${(error as Error).message})`);
  } finally {
    held?.close();
  }
}

/** What a process works on. In one step: between two of them it may write, and the copy would begin anew. */
async function copyOpened(from: string, to: string): Promise<void> {
  const database = openToRead(from);
  await backup(database, join(to, STORE_FILE), { rate: MAX_PAGES }).finally(() => database.close());
}

/** With the log that a process which was killed has left. */
function copyFiles(from: string, to: string): void {
  const file = realpathSync(join(from, STORE_FILE));
  copyFileSync(file, join(to, STORE_FILE));
  if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, join(to, `${STORE_FILE}-wal`));
}

/** More than there are. */
const MAX_PAGES = 2 ** 31 - 1;

async function verifyOwn(folder: string): Promise<Verification> {
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
    return { ...nothing(folder), findings, notes: [NOT_REPLAYED] };
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
