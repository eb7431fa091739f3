// Files that trials share through the cache folder: one trial makes a file while the others wait for it. Where the
// folder cannot be used each does without, and says so.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { removePartials } from "../whole-file.ts";
import { Lock } from "./lock.ts";
import type { Session } from "./session.ts";

const POLL_MS = 200;

/** What is to be made once. */
export interface Making {
  path: string;
  /** Whether the file is there, and as it should be. */
  isThere(): Promise<boolean>;
  /** Puts the file there whole or not at all. Two makers must write the same. */
  make(): Promise<void>;
  /** Called often while another makes it; ends the wait by throwing. */
  waiting(): Promise<void>;
}

/** Sees to it that the file is there: makes it, or waits for the one who does. Throws what `make` throws. */
export async function makeOnce({ path, isThere, make, waiting }: Making): Promise<void> {
  if (await isThere()) return;
  await mkdir(dirname(path), { recursive: true });
  const lock = new Lock(`${path}.lock`);
  while (!(await isThere())) {
    if (!(await lock.acquire())) {
      await setTimeout(POLL_MS);
      await waiting();
      continue;
    }
    try {
      // They may be large.
      await removePartials(dirname(path), basename(path));
      if (!(await isThere())) await make();
    } catch (error) {
      // It may have lost the lock, and its half-made file, to another who has made it meanwhile.
      if (!(await isThere())) throw error;
    } finally {
      await lock.release();
    }
  }
}

/** A value that trials share as a file: read, or made and written. A trial that cannot makes it for itself. */
export async function sharedValue<T>(
  path: string,
  /** Undefined where the file is missing or damaged. */
  read: () => Promise<T | undefined>,
  make: () => Promise<T>,
  write: (value: T) => Promise<void>,
  session: Session,
): Promise<T> {
  let [found, made]: (T | undefined)[] = [];
  try {
    await makeOnce({
      path,
      async isThere() {
        found ??= await read();
        return found !== undefined;
      },
      async make() {
        if (existsSync(path)) session.onNote("warn", `${path}: is damaged, and is made again`);
        made = await make();
        await write(made);
      },
      waiting: () => session.advance(0),
    });
    return found!;
  } catch (error) {
    tellUnusable(error, dirname(path), "each trial makes what they could share", session);
    return made ?? make();
  }
}

/** Warns of a folder that cannot be read or written, and what follows; throws an error of any other kind. */
export function tellUnusable(error: unknown, folder: string, consequence: string, session: Session): void {
  if (!isSystemError(error)) throw error;
  session.onNote(
    "warn",
    `SEGNAS_CACHE: ${folder} cannot be used (${error.message}), so ${consequence}, which takes longer: free space there or make it writable`,
  );
}

/** Whether the system refused to read or write: a full disk, a folder that is not ours. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "errno" in error;
