// The page's source where `segnas search` runs: one search, in a folder.
import { join } from "node:path";
import { keyOf } from "../../api/store.ts";
import type { LocalSearch } from "../../local/run.ts";
import type { PageSource } from "./source.ts";

/** Trainers are asked how far they are at each look: not more often than this. */
const PAUSE_MS = 1000;

export function localSource(local: Pick<LocalSearch, "view">, stateDir: string): PageSource {
  let looked = Number.NEGATIVE_INFINITY;
  let looking: ReturnType<LocalSearch["view"]> | undefined;
  function look(): ReturnType<LocalSearch["view"]> {
    if (looking && performance.now() - looked < PAUSE_MS) return looking;
    looked = performance.now();
    const look = local.view();
    looking = look;
    look.catch(() => {
      if (looking === look) looking = undefined;
    });
    return look;
  }
  return {
    searches: async () => [(await look()).search],
    async view({ namespace, name }) {
      const view = await look();
      const key = keyOf(view.search);
      return key.namespace === namespace && key.name === name ? { ...view, events: [] } : undefined;
    },
    commands: () => [
      { shows: "how it stands", command: `segnas status --state ${quoted(stateDir)}` },
      { shows: "a report in one file", command: `segnas report --state ${quoted(stateDir)}` },
    ],
    log: (_, job) => ({
      shows: "what the trainer printed",
      command: `less ${quoted(join(stateDir, "logs", `${job}.log`))}`,
    }),
    artifacts: () => ({ folder: join(stateDir, "artifacts") }),
  };
}

/** As a shell reads it. */
const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
