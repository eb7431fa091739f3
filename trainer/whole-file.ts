// Files that are there whole or not at all, whenever their writer is killed: written beside their place, then renamed.
import { randomUUID } from "node:crypto";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const ENDING = ".partial";

/** Where to write a file before it is renamed; another place for each writer. */
export const partialOf = (path: string): string => `${path}.${randomUUID()}${ENDING}`;

/** Writes the file, and returns when it is on the disk. */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  const partial = partialOf(path);
  try {
    await writeFile(partial, data, { flush: true });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Removes what killed writers have left in a folder, of one file where it is named; nobody may be writing there. */
export async function removePartials(folder: string, file?: string): Promise<void> {
  const start = file === undefined ? "" : `${file}.`;
  for (const name of await readdir(folder))
    if (name.startsWith(start) && name.endsWith(ENDING)) await rm(join(folder, name), { force: true });
}
