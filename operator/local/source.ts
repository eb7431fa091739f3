// A folder that holds a search, as it is read without being opened: nothing is written there, and whoever runs that
// search goes on.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import { hasLabels, type Kind, type KubernetesObject, type Objects, type Reader } from "../api/store.ts";
import { STORE_FILE } from "./store.ts";

const OTHERWISE = "; give the right folder with --start-from";

/** Where the search is read that a search begins with: the folder that is given, or that of its name beside its own. */
export const sourceReader = (
  { spec }: ArchitectureSearch,
  stateDir: string,
  startFrom: string | undefined,
): Reader => folderReader(startFrom ?? join(stateDir, "..", spec.startingPoints?.search ?? ""), OTHERWISE);

/** The name of the search in a folder that a search is to begin with. Throws UserError where there is none. */
export function searchIn(folder: string): string {
  const [search] = objects(folder, OTHERWISE, "ArchitectureSearch");
  if (!search) throw new UserError(`${folder} holds no search${OTHERWISE}`);
  return search.metadata.name;
}

/**
 * Reads the objects in a folder. Throws UserError, which says what to do `otherwise`, where it holds another search than
 * the one that is asked for, or none.
 */
export function folderReader(folder: string, otherwise = ""): Reader {
  return {
    async get(kind, { namespace, name }) {
      const all = objects(folder, otherwise, kind, namespace);
      const found = all.find(({ metadata }) => metadata.name === name);
      const [other] = all;
      if (found || kind !== "ArchitectureSearch" || !other) return found;
      throw new UserError(`${folder} holds the search ${other.metadata.name}, not ${name}${otherwise}`);
    },
    async list(kind, namespace, labels = {}) {
      return objects(folder, otherwise, kind, namespace).filter((object) => hasLabels(object, labels));
    },
  };
}

/** All objects of a kind, in the order of names; as they are at one moment. */
function objects<K extends Kind>(
  folder: string,
  otherwise: string,
  kind: K,
  namespace?: string,
): Objects[K][] {
  if (!existsSync(join(folder, STORE_FILE))) throw new UserError(`${folder} holds no search${otherwise}`);
  try {
    const database = openToRead(folder);
    try {
      const rows = database
        .prepare(
          "SELECT body FROM objects WHERE kind = ?1 AND namespace = coalesce(?2, namespace) ORDER BY name",
        )
        .all(kind, namespace ?? null) as { body: string }[];
      return rows.map(({ body }) => JSON.parse(body) as KubernetesObject as Objects[K]);
    } finally {
      database.close();
    }
  } catch (error) {
    throw new UserError(`${folder}: its search cannot be read (${(error as Error).message})`);
  }
}

/** The database in a folder as it is, for the caller to close; whoever writes there goes on. */
export function openToRead(folder: string): DatabaseSync {
  const file = join(folder, STORE_FILE);
  const url = pathToFileURL(file);
  // Without a log nobody has it open: then it can be read where nothing may be written, and nothing is left behind.
  if (!existsSync(`${file}-wal`)) url.searchParams.set("immutable", "1");
  return new DatabaseSync(url, { readOnly: true });
}
