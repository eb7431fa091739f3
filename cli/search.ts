// `segnas search`: runs a search on this machine, shows how it goes, and leaves a report.
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TrialReason } from "@segnas/operator/api/conditions.ts";
import { checkConstraints } from "@segnas/operator/controllers/architecturesearch/constraints.ts";
import { planImports } from "@segnas/operator/controllers/architecturesearch/imports.ts";
import { EXIT } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { sourceReader } from "@segnas/operator/local/source.ts";
import { STORE_FILE } from "@segnas/operator/local/store.ts";
import { LOG_LEVELS, type LogLevel, openLog } from "@segnas/operator/log.ts";
import { counts, failures, type SearchSummary, summarise } from "@segnas/operator/web/summary.ts";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { Command, Option } from "commander";
import { type Display, display, isTerminal } from "./display.ts";
import { beginningInWords, beginningOf, sampleTrial } from "./estimate.ts";
import { interruption, runAndFollow, saveReport, stopOnSignals } from "./follow.ts";
import { readSearch } from "./manifest.ts";
import { choiceOption, folderName, wholeNumber } from "./options.ts";
import { openPage, type Page } from "./page.ts";
import { resultDocument, resultText } from "./results.ts";
import { checkTrainer, trainerOf } from "./trainer.ts";

interface Options {
  file: string;
  state?: string;
  dataset?: string;
  startFrom?: string;
  maxTrials?: number;
  parallelism?: number;
  gpus?: number;
  /** The port of the page; undefined where nothing was said, false where there is to be none. */
  page?: number | false;
  output: "text" | "json";
  /** Nothing is logged where it is undefined. */
  logLevel?: LogLevel;
  trainer?: string;
}

export function searchCommand(): Command {
  return new Command("search")
    .description("Run a search on this machine. Run again, it goes on where it stopped.")
    .requiredOption("-f, --file <file>", "manifest of an ArchitectureSearch, - for standard input")
    .option(
      "--state <folder>",
      "where the search is kept (default: .segnas/<name of the search>)",
      folderName("--state"),
    )
    .option("--dataset <folder>", "the data set's folder, in place of spec.dataset.path")
    .option(
      "--start-from <folder>",
      "the folder of the search that this one begins with (default: .segnas/<startingPoints.search>, beside its own)",
      folderName("--start-from"),
    )
    .option(
      "--max-trials <n>",
      "in place of spec.maxTrials; may be raised to go on",
      wholeNumber("--max-trials", 1),
    )
    .option(
      "--parallelism <n>",
      "trials at a time, in place of spec.parallelism",
      wholeNumber("--parallelism", 1),
    )
    .option(
      "--gpus <n>",
      "GPUs to train on, a trial on each (default: all, where set up for CUDA; else the CPU)",
      wholeNumber("--gpus", 1),
    )
    .option(
      "--page <port>",
      "where the search can be watched in a browser of this machine, one that has ended until Ctrl-C (0: a free port, which is the default where a terminal shows a search that runs)",
      wholeNumber("--page", 0, 65_535),
    )
    .option("--no-page", "serve no page")
    .addOption(
      choiceOption("-o, --output <format>", "what standard output gets", ["text", "json"]).default("text"),
    )
    .addOption(
      choiceOption(
        "--log-level <level>",
        "logs to standard error what matters so much or more, a line an event: JSON, or words where that is a terminal",
        LOG_LEVELS,
      ),
    )
    .addOption(new Option("--trainer <file>", "another trainer, a program for Node").hideHelp())
    .addHelpText(
      "after",
      "\nExamples:\n  segnas search -f examples/quickstart.yaml\n  segnas search -f examples/camvid.yaml --dataset ~/data/CamVid --max-trials 50",
    )
    .action(search);
}

async function search(options: Options): Promise<void> {
  const manifest = await readSearch(options);
  if (manifest.spec.suspend) throw new UserError("spec.suspend is true: write false to run the search");
  const stateDir = resolve(options.state ?? join(".segnas", manifest.metadata.name));
  const startFrom = options.startFrom && resolve(options.startFrom);
  const trainer = trainerOf(options);
  const stream = options.output === "json" ? process.stderr : process.stdout;
  const isLive = options.output === "text" && isTerminal(stream);
  const screen = display(stream, isLive);
  const stop = stopOnSignals(screen);
  const check = () =>
    checkTrainer(trainer, manifest, sampleTrial(manifest, 0, parseArchitecture("arch0")), stop.signal);
  try {
    // Settings and data cannot be changed once the search has begun, so a new one is made only if they are right.
    const isNew = await holdsNoSearch(stateDir);
    if (isNew) checkConstraints(manifest);
    const source = sourceReader(manifest, stateDir, startFrom);
    const beginning = isNew ? beginningOf(await planImports(source, manifest)) : undefined;
    if (isNew) await check();
    if (beginning) screen.show([`Begins with ${beginningInWords(beginning)}`]);
    const local = await openLocalSearch({
      search: manifest,
      stateDir,
      ...(startFrom !== undefined && { startFrom }),
      trainer: { command: trainer.command },
      gpus: trainer.gpus,
      ...(options.logLevel && { logger: logFor(options.logLevel, screen, isLive) }),
    });
    let page: Page | undefined;
    try {
      const before = summarise(await local.view(), false);
      const isOver = isFinished(before);
      const place = options.page ?? (isLive && !isOver ? 0 : false);
      if (isOver) screen.show([`${before.name} has ended; a greater --max-trials makes it go on.`]);
      else if (!isNew) await check();
      if (place !== false) {
        page = await openPage(local, stateDir, place);
        screen.show([`Page: ${page.url}`]);
      }
      if (!isOver)
        await runAndFollow(local, {
          screen,
          stateDir,
          signal: stop.signal,
        });
      const last = await local.view();
      const after = summarise(last, false);
      await conclude(after, await saveReport(last, false, stateDir), stateDir, options.output);
      if (typeof options.page === "number" && hadEnded(before, after) && !stop.signal.aborted) {
        screen.show(["Nothing was left to do: the page is served until Ctrl-C."]);
        stop.end();
        await interruption();
      }
    } finally {
      page?.close();
      await local.close();
    }
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
  } finally {
    screen.end();
    stop.end();
  }
  if (stop.exitCode() !== undefined) {
    console.error("Stopped: run the same command again to go on.");
    process.exitCode = stop.exitCode();
  }
}

/** Above what is redrawn, where both are on one terminal. */
function logFor(level: LogLevel, screen: Display, isLive: boolean) {
  const { stderr } = process;
  const write =
    isLive && stderr.isTTY
      ? (line: string) => screen.show([line.trimEnd()])
      : (line: string) => stderr.write(line);
  return openLog(level, stderr.isTTY, write);
}

/**
 * Whether no search has begun in a folder, which may not be there yet, or hold the manifest and other files. Throws
 * UserError where it is none.
 */
async function holdsNoSearch(folder: string): Promise<boolean> {
  try {
    return !(await readdir(folder)).includes(STORE_FILE);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    throw new UserError(`--state: ${folder} cannot be used (${code}); give a folder of your own`);
  }
}

const isFinished = ({ state, trials, maxTrials }: SearchSummary): boolean =>
  state === "Complete" && counts(trials).settled >= maxTrials;

/** Whether a search is over, and was before this process took it up. */
const hadEnded = (before: SearchSummary, after: SearchSummary): boolean =>
  ["Complete", "Failed"].includes(after.state) &&
  counts(after.trials).settled === counts(before.trials).settled;

/** Prints what the search came to, and sets the exit code where nothing came of it. */
async function conclude(
  search: SearchSummary,
  report: string,
  stateDir: string,
  output: "text" | "json",
): Promise<void> {
  console.log(
    output === "json"
      ? JSON.stringify(resultDocument(search, report), null, 2)
      : `\n${resultText(search, report)}`,
  );
  const failed = search.state === "Failed";
  const fruitless = counts(search.trials).succeeded === 0 && (failed || search.state === "Complete");
  if (failed) console.error(`${search.name} failed: ${search.message ?? "no reason was given"}`);
  if (fruitless)
    console.error(
      `No trial has succeeded: mend the cause, and remove ${stateDir}, or give another --state, to begin again.`,
    );
  const refused = failures(search.trials).at(-1)?.cause === TrialReason.InvalidConfiguration;
  if (failed || fruitless) process.exitCode = refused ? EXIT.invalidConfiguration : 1;
}
