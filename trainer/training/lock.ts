// A lock among processes that share a folder, on network file systems too: a file that its holder's own thread beats
// in, whatever the main thread is busy with. Those who wait watch the beats by their own clock, since machines'
// clocks differ and a file's times are cached; a holder that has gone silent is dead, and its lock is taken away.
import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";

const BEAT_MS = 1000;
/** A holder that has not beaten for so long is dead: many beats, as a machine may be busy and a network slow. */
const SILENCE_MS = 10_000;

/**
 * One asker's view of a lock. It may fail to exclude only where a holder was silent and lives: what the lock guards
 * must bear being done twice.
 */
export class Lock {
  readonly #path: string;
  readonly #now: () => number;
  readonly #me = randomUUID();
  #seen: { beat: string; since: number } | undefined;
  #heart: Worker | undefined;

  /** `now` in milliseconds. */
  constructor(path: string, now = () => performance.now()) {
    this.#path = path;
    this.#now = now;
  }

  /** Whether the lock is ours now; ask again, often, where another holds it. Throws where the folder is unwritable. */
  async acquire(): Promise<boolean> {
    const beat = await this.#beat();
    if (beat === undefined) return this.#take();
    if (beat !== this.#seen?.beat) this.#seen = { beat, since: this.#now() };
    const silence = this.#now() - this.#seen.since;
    return silence >= SILENCE_MS && this.#takeOver(beat, silence);
  }

  async release(): Promise<void> {
    await this.#heart?.terminate();
    if ((await this.#beat())?.startsWith(this.#me)) await rm(this.#path, { force: true });
  }

  async #take(): Promise<boolean> {
    if (!(await create(this.#path, this.#me))) return false;
    const workerData = { path: this.#path, holder: this.#me, everyMs: BEAT_MS };
    this.#heart = new Worker(new URL("./heartbeat.ts", import.meta.url), { workerData });
    // A lock without a heart is taken sooner or later, and what it guards made twice.
    this.#heart.on("error", () => {});
    this.#heart.unref();
    return true;
  }

  /** Takes a dead holder's lock. A second file sees to it that nobody removes the lock of who was first to do so. */
  async #takeOver(beat: string, silence: number): Promise<boolean> {
    const grave = `${this.#path}.dead`;
    if (!(await create(grave, ""))) {
      // Its maker died here, of all places.
      if (silence > 2 * SILENCE_MS) await rm(grave, { force: true });
      return false;
    }
    try {
      if ((await this.#beat()) !== beat) return false;
      await rm(this.#path, { force: true });
      return await this.#take();
    } finally {
      await rm(grave, { force: true });
    }
  }

  /** What the file says; undefined where there is none. */
  async #beat(): Promise<string | undefined> {
    return readFile(this.#path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
  }
}

/** Whether the file was not there, and is now. */
async function create(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    // A full disk may take a file, but not its text.
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") await rm(path, { force: true });
    throw error;
  }
}
