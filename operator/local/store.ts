// The Kubernetes API on one machine: objects in SQLite. Every write is one transaction, so that whatever kills the
// process leaves a whole store; one process at a time works on it.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import {
  AlreadyExistsError,
  ConflictError,
  hasLabels,
  type Key,
  type Kind,
  type KubernetesObject,
  keyOf,
  NotFoundError,
  type Objects,
  type Reader,
  type Store,
  type WatchEvent,
} from "../api/store.ts";
import { timestamp } from "../controllers/status.ts";
import { lostFrom } from "./wal.ts";

/** What a folder that holds a search has. */
export const STORE_FILE = "objects.sqlite";

export interface LocalStore extends Store {
  /** Of all namespaces. */
  searches(): ArchitectureSearch[];
  /** What is not as it was written, in words. */
  damage(): string[];
  close(): void;
}

interface Row {
  kind: string;
  namespace: string;
  name: string;
  uid: string;
  owner: string | null;
  body: string;
  digest: string;
}

/** None of a body that is damaged, so that it can be told of, replaced and deleted. */
const LABELS = "CASE WHEN json_valid(body) THEN json_extract(body, '$.metadata.labels') END";

const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
`;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS objects (
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL UNIQUE,
    owner TEXT,
    body TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (kind, namespace, name)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS owned ON objects (owner);
  CREATE INDEX IF NOT EXISTS labelled ON objects (kind, namespace, name, ${LABELS});
  CREATE TABLE IF NOT EXISTS version (last INTEGER NOT NULL) STRICT;
  INSERT INTO version SELECT 0 WHERE NOT EXISTS (SELECT * FROM version);
`;

/** What a folder holds is not as it was written, and nothing can be made of it. */
class DamageError extends UserError {
  /** What is damaged, in words. */
  readonly finding: string;

  constructor(
    folder: string,
    finding: string,
    otherwise = "give another folder with --state, or its backup",
  ) {
    super(`${folder}: cannot be used for a search (${finding}); ${otherwise}`);
    this.finding = finding;
  }
}

/**
 * Opens the store in a folder, which is made where it is not there.
 * @throws UserError where another process has it open, or the folder cannot be used; DamageError where it is damaged;
 * Error with code ENOSPC, as every write does, where no space is left
 */
export function openStore(
  folder: string,
  { now = () => new Date(), newUid = randomUUID as () => string } = {},
): LocalStore {
  usable(folder, () => mkdirSync(folder, { recursive: true }));
  const lock = usable(folder, () => lockFolder(folder));
  const file = join(folder, STORE_FILE);
  const database = usable(folder, () => openDatabase(folder), lock);
  const { ino } = statSync(file);
  const select = database.prepare("SELECT * FROM objects WHERE kind = ? AND namespace = ? AND name = ?");
  const selectAll = database.prepare(
    "SELECT * FROM objects WHERE kind = ?1 AND namespace = coalesce(?2, namespace) ORDER BY name",
  );
  // What the index holds is all that it asks for: a snapshot's chunks, 700 KB each, are not read to be passed over.
  const selectLabels = database.prepare(`
    SELECT namespace, name, ${LABELS} AS labels FROM objects INDEXED BY labelled
    WHERE kind = ?1 AND namespace = coalesce(?2, namespace) ORDER BY name
  `);
  const selectOwned = database.prepare("SELECT * FROM objects WHERE owner = ?");
  const insert = database.prepare("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)");
  const remove = database.prepare("DELETE FROM objects WHERE uid = ?");
  const count = database.prepare("UPDATE version SET last = last + 1 RETURNING last");
  const listeners = new Map<Kind, Set<(event: WatchEvent<never>) => void>>();

  const read = (kind: Kind, { namespace, name }: Key): KubernetesObject | undefined => {
    const row = select.get(kind, namespace, name) as Row | undefined;
    return row && parse(row);
  };
  const parse = ({ kind, name, body }: Row): KubernetesObject => {
    try {
      return JSON.parse(body);
    } catch {
      throw new UserError(`${folder}: the record of ${kind} ${name} is damaged; give its backup`);
    }
  };
  /** Returns the object as it is stored: as JSON has it, without what is undefined. */
  const save = <K extends Kind>(object: Objects[K]): Objects[K] => {
    const { namespace, name } = keyOf(object);
    const { uid, ownerReferences } = object.metadata;
    const owner = ownerReferences?.[0]?.uid ?? null;
    const row = { kind: object.kind, namespace, name, uid: uid!, owner, body: JSON.stringify(object) };
    insert.run(...Object.values(row), rowDigest(row));
    return JSON.parse(row.body);
  };
  const nextVersion = (): string => String((count.get() as { last: number }).last);

  function tell(type: WatchEvent<Kind>["type"], object: KubernetesObject): void {
    const told = listeners.get(object.kind);
    if (!told?.size) return;
    const text = JSON.stringify(object);
    // Each listener gets an object of its own, after the caller has its answer.
    for (const listener of told) {
      setImmediate(() => {
        if (told.has(listener)) listener({ type, object: JSON.parse(text) } as WatchEvent<never>);
      });
    }
  }

  /** Runs `change` as one transaction, then tells what it changed. */
  function write<T>(
    change: (changed: (type: WatchEvent<Kind>["type"], object: KubernetesObject) => void) => T,
  ): T {
    // A file that was removed takes what is written, and is lost with the process.
    if (statSync(file, { throwIfNoEntry: false })?.ino !== ino)
      throw new UserError(`${folder}: was removed while the search ran; what it held is lost`);
    const events: [WatchEvent<Kind>["type"], KubernetesObject][] = [];
    let result: T;
    try {
      database.exec("BEGIN IMMEDIATE");
      result = change((type, object) => events.push([type, object]));
      database.exec("COMMIT");
    } catch (error) {
      // Where the disk is full SQLite has rolled back itself.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw isFull(error) ? noSpace(folder) : error;
    }
    for (const [type, object] of events) tell(type, object);
    return result;
  }

  /** Replaces what is there by what `merge` makes of it, if it is the version that `object` was made from. */
  function rewrite<K extends Kind>(
    object: Objects[K],
    merge: (before: Objects[K]) => Objects[K],
  ): Objects[K] {
    return write((changed) => {
      const { kind, metadata } = object;
      const before = read(kind, keyOf(object)) as Objects[K] | undefined;
      if (!before || (metadata.uid && metadata.uid !== before.metadata.uid)) {
        throw new NotFoundError(`${kind} ${metadata.name} is gone`);
      }
      if (metadata.resourceVersion !== before.metadata.resourceVersion) {
        throw new ConflictError(`${kind} ${metadata.name} has changed since it was read`);
      }
      const after = merge(before);
      if (isDeepStrictEqual(clone(after), before)) return before;
      after.metadata = { ...after.metadata, resourceVersion: nextVersion() };
      changed("MODIFIED", after);
      return save(after);
    });
  }

  const reader: Reader = {
    async get(kind, key) {
      return read(kind, key) as never;
    },
    async list(kind, namespace, labels) {
      if (!labels) return (selectAll.all(kind, namespace ?? null) as unknown as Row[]).map(parse) as never;
      const rows = selectLabels.all(kind, namespace ?? null) as unknown as (Key & {
        labels: string | null;
      })[];
      const found = rows.filter((row) =>
        hasLabels({ metadata: { labels: JSON.parse(row.labels ?? "{}") } }, labels),
      );
      return found.map((key) => read(kind, key)) as never;
    },
  };
  return {
    ...reader,
    live: reader,
    async create(object) {
      return write((changed) => {
        const { kind } = object;
        const key = keyOf(object);
        if (read(kind, key)) throw new AlreadyExistsError(`${kind} ${key.name} is already there`);
        const metadata = {
          ...object.metadata,
          namespace: key.namespace,
          uid: newUid(),
          resourceVersion: nextVersion(),
          generation: 1,
          creationTimestamp: timestamp(now()),
        };
        const { status: _, ...rest } = object as Objects[typeof kind] & { status?: unknown };
        const created = { ...rest, metadata } as KubernetesObject;
        changed("ADDED", created);
        return save(created) as never;
      });
    },
    async update(object) {
      return rewrite(object, (before) => {
        const { generation = 1, uid, creationTimestamp, namespace } = before.metadata;
        const same = isDeepStrictEqual(clone(object.spec), before.spec);
        const kept = { uid, creationTimestamp, namespace, generation: same ? generation : generation + 1 };
        const metadata = { ...object.metadata, ...kept };
        return { ...before, metadata, spec: object.spec } as typeof before;
      });
    },
    async updateStatus(object) {
      return rewrite(
        object,
        (before) => ({ ...before, status: (object as { status?: unknown }).status }) as typeof before,
      );
    },
    async delete(kind, key, { uid }) {
      write((changed) => {
        const object = read(kind, key);
        if (!object) return;
        if (object.metadata.uid !== uid) throw new ConflictError(`${kind} ${key.name} is another by now`);
        const doomed = [object];
        for (const owner of doomed) {
          const owned = selectOwned.all(owner.metadata.uid!) as unknown as Row[];
          doomed.push(...owned.map(parse));
        }
        for (const victim of doomed) {
          remove.run(victim.metadata.uid!);
          changed("DELETED", victim);
        }
      });
    },
    watch(kind, listener) {
      const set = listeners.get(kind) ?? new Set();
      listeners.set(kind, set.add(listener as never));
      return () => set.delete(listener as never);
    },
    searches() {
      const rows = database.prepare("SELECT * FROM objects WHERE kind = 'ArchitectureSearch'").all();
      return (rows as unknown as Row[]).map(parse) as ArchitectureSearch[];
    },
    damage() {
      const pages = database.prepare("PRAGMA integrity_check(3)").all() as { integrity_check: string }[];
      const found = pages.flatMap(({ integrity_check: what }) =>
        what === "ok" ? [] : [`${STORE_FILE}: ${what}`],
      );
      try {
        const rows = database.prepare("SELECT * FROM objects").all() as unknown as Row[];
        for (const { digest, ...row } of rows)
          if (rowDigest(row) !== digest)
            found.push(`the record of ${row.kind} ${row.name} is not as it was written`);
      } catch (error) {
        const damage = damageOf(error);
        if (damage === undefined) throw error;
        found.push(damage);
      }
      return found;
    },
    close() {
      database.close();
      lock.close();
    },
  };
}

/** A copy as JSON has it: without what is undefined. */
const clone = <T>(value: T): T => JSON.parse(JSON.stringify(value));

const rowDigest = ({ kind, namespace, name, uid, owner, body }: Omit<Row, "digest">): string =>
  createHash("sha256")
    .update(JSON.stringify([kind, namespace, name, uid, owner, body]))
    .digest("base64url");

/** Nothing is written into a file that is damaged or another program's. */
function openDatabase(folder: string): DatabaseSync {
  const file = join(folder, STORE_FILE);
  checkLog(folder, `${file}-wal`);
  const database = new DatabaseSync(file);
  try {
    if (!isNew(database)) checkDatabase(database);
    database.exec(PRAGMAS + SCHEMA);
    checkVersion(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Whether there is nothing yet: a process may have been killed before it had made the tables. */
function isNew(database: DatabaseSync): boolean {
  const { page_count: pages } = database.prepare("PRAGMA page_count").get() as { page_count: number };
  return pages <= 1 && sqlOf(database).size === 0;
}

/** What a process that was killed left behind is lost for good, where it is damaged, once the database is opened. */
function checkLog(folder: string, log: string): void {
  const at = existsSync(log) ? lostFrom(readFileSync(log)) : undefined;
  if (at === undefined) return;
  throw new DamageError(
    folder,
    `${STORE_FILE}-wal: from byte ${at} on not as it was written, which loses what was written last`,
    `give another folder with --state, or its backup, or cut the file to go on without that: truncate -s ${at} ${log}`,
  );
}

function checkDatabase(database: DatabaseSync): void {
  try {
    database.prepare("SELECT kind, namespace, name, uid, owner, body, digest FROM objects LIMIT 0");
  } catch (error) {
    const { message } = error as Error;
    if (!/no such (table|column)/.test(message)) throw error;
    throw new Error(`${STORE_FILE} is another program's, or of another version of segnas: ${message}`);
  }
  const written = sqlOf(database);
  const own = new DatabaseSync(":memory:");
  own.exec(SCHEMA);
  const expected = sqlOf(own);
  own.close();
  for (const [name, sql] of expected)
    if ((written.get(name) ?? sql) !== sql)
      throw corrupt(`${name} is not made as this version of segnas makes it`);
  const [damage] = database.prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[];
  if (damage?.quick_check !== "ok") throw corrupt("database disk image is malformed");
}

/** How tables and indices were made, by their names; spaces do not count. */
const sqlOf = (database: DatabaseSync): Map<string, string> => {
  const rows = database.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  return new Map(
    (rows as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql.replace(/\s+/g, " ")]),
  );
};

const MAX_VERSION = 2 ** 52;

/** What is written gets a later version than all that is there, or nobody would take it for news. */
function checkVersion(database: DatabaseSync): void {
  // Each write makes a new row: the last is that of the latest version.
  const { counted } = database
    .prepare(`
      SELECT last < ${MAX_VERSION} AND last >= coalesce((
        SELECT CASE WHEN json_valid(body) THEN CAST(json_extract(body, '$.metadata.resourceVersion') AS INTEGER) END
        FROM objects ORDER BY rowid DESC LIMIT 1
      ), 0) AS counted FROM version
    `)
    .get() as { counted: 0 | 1 };
  if (!counted) throw corrupt("counts its versions wrong");
}

/**
 * What `open` gives. Throws UserError where the folder is read-only, damaged or another program's, and what `noSpace`
 * says.
 */
function usable<T>(folder: string, open: () => T, lock?: DatabaseSync): T {
  try {
    return open();
  } catch (error) {
    lock?.close();
    if (error instanceof UserError) throw error;
    if (isFull(error)) throw noSpace(folder);
    const damage = lock && damageOf(error);
    if (damage !== undefined) throw new DamageError(folder, damage);
    throw new UserError(
      `${folder}: cannot be used for a search (${(error as Error).message}); give another folder with --state, or its backup`,
    );
  }
}

/** Holds the folder's lock, a transaction that stays open: the system ends it with the process, however that ends. */
function lockFolder(folder: string): DatabaseSync {
  const lock = new DatabaseSync(join(folder, LOCK));
  try {
    lock.exec("BEGIN IMMEDIATE");
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new UserError(
      `${folder}: another process runs this search; wait for its end, or give this one another folder with --state`,
    );
  }
}

/** Keeps every other process out of a folder until it is let go; undefined where that is not possible. */
export function holdFolder(folder: string): { close(): void } | undefined {
  try {
    return lockFolder(folder);
  } catch {
    return undefined;
  }
}

/** Whether a process holds a folder: its lock is tried, and let go at once. */
export function isLocked(folder: string): boolean {
  const file = join(folder, LOCK);
  if (!statSync(file, { throwIfNoEntry: false })) return false;
  try {
    const lock = new DatabaseSync(file);
    try {
      lock.exec("BEGIN IMMEDIATE; ROLLBACK");
      return false;
    } finally {
      lock.close();
    }
  } catch (error) {
    return isBusy(error);
  }
}

/** What an error says of a damaged file; undefined where it says nothing of one. */
export function damageOf(error: unknown): string | undefined {
  if (error instanceof DamageError) return error.finding;
  const isDamage = [SQLITE_CORRUPT, SQLITE_NOTADB].includes(codeOf(error) & 0xff);
  return isDamage ? `${STORE_FILE}: ${(error as Error).message}` : undefined;
}

const corrupt = (what: string): Error => Object.assign(new Error(what), { errcode: SQLITE_CORRUPT });

/** As the system says it of a file. */
const noSpace = (folder: string): Error =>
  Object.assign(new Error(`${folder}: no space is left there`), { code: "ENOSPC", path: folder });

const LOCK = "lock.sqlite";
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
/** The log's index, which lies beside it, cannot grow. */
const SQLITE_IOERR_SHMSIZE = 4874;
/** SQLite's own, with what extends it; 0 of another error. */
const codeOf = (error: unknown): number => (error as { errcode?: number }).errcode ?? 0;
const isBusy = (error: unknown): boolean => codeOf(error) === SQLITE_BUSY;
const isFull = (error: unknown): boolean =>
  [SQLITE_FULL, SQLITE_IOERR_SHMSIZE].includes(codeOf(error)) ||
  (error as NodeJS.ErrnoException).code === "ENOSPC";
