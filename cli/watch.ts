// `segnas watch`: follows a search that runs elsewhere, as `segnas search` shows one.
import { setTimeout as wait } from "node:timers/promises";
import { SearchCondition } from "@segnas/operator/api/conditions.ts";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { isFinished, isTrue } from "@segnas/operator/controllers/status.ts";
import type { SearchView } from "@segnas/operator/local/run.ts";
import { summarise } from "@segnas/operator/web/summary.ts";
import { Command } from "commander";
import { type Display, display, isTerminal } from "./display.ts";
import { showing } from "./follow.ts";
import { atPlace, commandFor, type Place, type PlaceOptions, placeOptions } from "./place.ts";
import { PROGRAM } from "./program.ts";
import { resultText } from "./results.ts";

/** Between two looks; longer where a look takes long, so that at most a third of the time is spent on looking. */
const PAUSE_MS = 2000;

export function watchCommand(): Command {
  return placeOptions(new Command("watch"))
    .description("Follow a search to its end. Ctrl-C ends the watching, not the search.")
    .argument("[search]", "its name in the cluster")
    .addHelpText(
      "after",
      `\nThe exit code is 0 where the search is complete, and 1 where it has failed or was stopped.\n\nExample:\n  ${PROGRAM} watch quickstart -n mine`,
    )
    .action(watch);
}

async function watch(name: string | undefined, options: PlaceOptions): Promise<void> {
  const screen = display(process.stdout, isTerminal(process.stdout));
  // The cursor is hidden while lines are redrawn.
  const end = () => {
    screen.end();
    process.exit(130);
  };
  process.once("SIGINT", end);
  try {
    await atPlace(options, (place) => follow(place, name, screen));
  } finally {
    screen.end();
    process.off("SIGINT", end);
  }
}

async function follow(place: Place, name: string | undefined, screen: Display): Promise<void> {
  const { metadata } = await place.find(name);
  const show = showing(screen);
  let isLost = false;
  for (;;) {
    const start = performance.now();
    try {
      const search = await place.find(metadata.name, metadata.uid);
      const view = await place.view(search);
      if (isLost) screen.show(["The API server answers again."]);
      isLost = false;
      const isOver = hasEnded(search) || !place.isLive();
      show(view, !isOver);
      if (isOver) return conclude(place, view);
    } catch (error) {
      if (!place.isPassing(error)) throw error;
      if (!isLost) screen.show([`${(error as Error).message}; trying again.`]);
      isLost = true;
    }
    await wait(Math.max(PAUSE_MS, 2 * (performance.now() - start)));
  }
}

/** A search goes on whose limits were raised, once that is seen. */
const hasEnded = (search: ArchitectureSearch): boolean =>
  isFinished(search) && search.status?.observedGeneration === search.metadata.generation;

function conclude(place: Place, view: SearchView): void {
  const { search } = view;
  const { name } = search.metadata;
  console.log(`\n${resultText(summarise(view, false))}\n\nReport: ${commandFor("report", name, place)}`);
  if (isTrue(search.status?.conditions, SearchCondition.Complete)) return;
  const failed = search.status?.conditions?.find(({ type }) => type === SearchCondition.Failed);
  console.error(failed ? `${name} failed: ${failed.message}` : `${name} was stopped`);
  process.exitCode = 1;
}
