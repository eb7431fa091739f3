// The page's source where `segnas search` runs: one search, in a folder.
import { keyOf } from "../../api/store.ts";
import { eventsOf } from "../../local/events.ts";
import type { LocalSearch, SearchView } from "../../local/run.ts";
import { inFolder } from "./elsewhere.ts";
import type { PageSource, PageView } from "./source.ts";

/** A search in a folder, as the page shows it. */
export const folderView = (view: SearchView, isLive: boolean): PageView => ({
  ...view,
  events: eventsOf(view),
  isLive,
});

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
      return key.namespace === namespace && key.name === name ? folderView(view, true) : undefined;
    },
    ...inFolder(stateDir),
  };
}
