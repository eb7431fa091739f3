// Files that trials share through the cache folder: one trial makes a file while the others wait for it.
import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { lock } from "proper-lockfile";

/** A lock that nobody has touched for so long is a dead process's. */
const STALE_MS = 60_000;
const POLL_MS = 200;

/**
 * Sees to it that `path` is there: runs `make`, which must put the file there whole or not at all, or waits for the
 * one who does. `waiting` is called meanwhile, and ends the wait by throwing.
 */
export async function makeOnce(
  path: string,
  make: () => Promise<void>,
  waiting: () => Promise<void>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  while (!(await exists(path))) {
    const release = await acquire(path);
    if (!release) {
      await setTimeout(POLL_MS);
      await waiting();
      continue;
    }
    try {
      if (!(await exists(path))) await make();
    } finally {
      await release().catch(() => {});
    }
  }
}

/** Undefined where another holds the lock. One that is lost (a machine that slept) costs a second making only. */
async function acquire(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lock(path, { realpath: false, stale: STALE_MS, onCompromised: () => {} });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
    throw error;
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
