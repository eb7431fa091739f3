// Runs a local search and follows it: progress on the screen, the report on disk, Ctrl-C.
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { LocalSearch, SearchView } from "@segnas/operator/local/run.ts";
import { inFolder } from "@segnas/operator/web/page/elsewhere.ts";
import { NEW, type Standing, standingOf } from "@segnas/operator/web/standing.ts";
import { counts, type SearchSummary, summarise } from "@segnas/operator/web/summary.ts";
import { writeWhole } from "@segnas/trainer/whole-file.ts";
import type { Display } from "./display.ts";
import { eventLines, frame, timeLeft } from "./progress.ts";
import { haltLines } from "./state.ts";

const LOOK_MS = 1000;
const REPORT_MS = 10_000;

interface Following {
  screen: Display;
  stateDir: string;
  signal: AbortSignal;
}

/** Runs the search to its end or until `signal`; meanwhile looks at it each second. */
export async function runAndFollow(local: LocalSearch, following: Following): Promise<void> {
  const ended = new AbortController();
  const broken = new AbortController();
  const running = local.run(AbortSignal.any([following.signal, broken.signal])).finally(() => ended.abort());
  const watching = follow(local, following, ended.signal).catch((error) => {
    broken.abort();
    throw error;
  });
  const outcomes = await Promise.allSettled([running, watching]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/**
 * What shows, each time that it is called, what is new in a search, and below it how it stands while it is live.
 * @param stood how it is known to have stood before
 */
export function showing(screen: Display, stood?: Standing) {
  let seen: SearchSummary | undefined;
  return (view: SearchView, live: boolean): SearchSummary => {
    const now = summarise(view, live);
    const stands = standingOf(view.search);
    const lines = [...eventLines(seen, now), ...(live ? haltLines(now.name, stood, stands) : [])];
    const left = timeLeft(now, view);
    const look = { width: screen.width(), height: screen.height(), left, paint: screen.paint };
    screen.show(lines, live ? frame(now, view.running, look) : []);
    [seen, stood] = [now, stands];
    return now;
  };
}

async function follow(local: LocalSearch, following: Following, ended: AbortSignal): Promise<void> {
  const { screen, stateDir } = following;
  // This very process takes it up.
  const show = showing(screen, NEW);
  let reported = { settled: -1, at: 0 };
  const look = async () => {
    const view = await local.view();
    const now = show(view, !ended.aborted);
    const { settled } = counts(now.trials);
    if (settled !== reported.settled && Date.now() - reported.at >= REPORT_MS) {
      await saveReport(view, true, stateDir);
      reported = { settled, at: Date.now() };
    }
  };
  while (!ended.aborted) {
    await look();
    await wait(LOOK_MS, undefined, { signal: ended }).catch(() => {});
  }
  await look();
}

/** Writes `<state>/report.html` and gives its path; errors of the disk carry it too. */
export async function saveReport(view: SearchView, isLive: boolean, stateDir: string): Promise<string> {
  // What the page is made of takes a while to load.
  const { folderView } = await import("@segnas/operator/web/page/local.ts");
  const { reportPage } = await import("@segnas/operator/web/page/report.ts");
  const file = join(stateDir, "report.html");
  const page = await reportPage(folderView(view, isLive), inFolder(stateDir), new Date());
  await writeWhole(file, page).catch((error: Error) => {
    throw Object.assign(error, { path: file });
  });
  return file;
}

const CODES = { SIGINT: 130, SIGTERM: 143 };

/** Resolves with the first SIGINT or SIGTERM; those that follow do nothing. */
export const interruption = (): Promise<void> =>
  new Promise((resolve) => {
    for (const name of Object.keys(CODES)) process.on(name, () => resolve());
  });

/**
 * The first SIGINT or SIGTERM aborts `signal`, so that running trials stop cleanly; the second ends the process at
 * once. `exitCode` is undefined until a signal has come.
 */
export function stopOnSignals(screen: Display) {
  const stop = new AbortController();
  let code: number | undefined;
  const hear = (name: NodeJS.Signals) => {
    if (code !== undefined) {
      screen.end();
      process.exit(code);
    }
    code = CODES[name as keyof typeof CODES];
    screen.show([
      "Stopping the running trials; run the same command again to go on. Once more stops at once.",
    ]);
    stop.abort();
  };
  for (const name of Object.keys(CODES)) process.on(name, hear);
  return {
    signal: stop.signal,
    exitCode: () => code,
    end: () => {
      for (const name of Object.keys(CODES)) process.off(name, hear);
    },
  };
}
