#!/usr/bin/env node
// The trainer: one trial in, one result out (the trainer contract of docs/trainer-contract.md).
//
//   main.ts            trains the trial in SEGNAS_TRIAL, writes its result to SEGNAS_RESULT
//   main.ts --check    only opens the data set and the encoder
//   main.ts --measure  takes a few steps and prints what a trial will cost, as a line of JSON
//   main.ts --latency  times the networks that standard input lists (no trial), a line of JSON each
//
// Exit codes: 0 a result; 64 the configuration is wrong; 65 the architecture cannot be trained; 75 stopped, try
// again; 1 anything else.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { UserError } from "@segnas/searchspace/errors.ts";
import { choice, integer } from "@segnas/searchspace/fields.ts";
import { createLogger, format, transports } from "winston";
import { spread } from "./data/sample.ts";
import { stageSecondsOf, verdictOf, writeResult } from "./result.ts";
import { serveProgress } from "./server.ts";
import { Unwritable } from "./training/artifacts.ts";
import { removeCheckpoint } from "./training/checkpoint.ts";
import { parseTrial } from "./training/configuration.ts";
import { Interrupted, Session } from "./training/session.ts";

const EXIT = { result: 0, unexpected: 1, invalidConfiguration: 64, untrainable: 65, tryAgain: 75 };
const MODES = ["--check", "--measure", "--latency"];
const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
const DEFAULT_PORT = 9090;
/** A checkpoint takes some tens of milliseconds: a thousandth of this. */
const DEFAULT_CHECKPOINT_SECONDS = 30;
/** --check decodes so many images of each part at most: all of a small data set, in seconds of a large one. */
const CHECKED_IMAGES = 400;

const logger = createLogger({
  format: format.combine(format.timestamp(), format.json()),
  transports: [new transports.Console({ stderrLevels: ["error", "warn", "info"] })],
});

/** The verdict on an error, as the exit code says it. */
async function main(mode: string | undefined): Promise<number> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  const resultPath = process.env.SEGNAS_RESULT ?? "/dev/termination-log";
  const artifacts = process.env.SEGNAS_ARTIFACTS;
  const writes = mode === undefined;
  try {
    if (mode !== undefined && !MODES.includes(mode))
      throw new UserError(`${mode}: is not known, write ${MODES.join(", ")} or nothing`);
    logger.level = choice(process.env.SEGNAS_LOG_LEVEL || "info", "SEGNAS_LOG_LEVEL", LOG_LEVELS);
    if (mode === "--latency") {
      const { measureLatencies, parseRequest } = await import("./training/latency.ts");
      const request = parseRequest(await text(process.stdin));
      for (const measured of measureLatencies(request)) console.log(JSON.stringify(measured));
      return EXIT.result;
    }
    const trial = parseTrial(process.env.SEGNAS_TRIAL);
    const port = numberIn("SEGNAS_PORT", DEFAULT_PORT, 65_535);
    const checkpointSeconds = numberIn("SEGNAS_CHECKPOINT_SECONDS", DEFAULT_CHECKPOINT_SECONDS, 1e9);
    const session = new Session(trial.name, trial.training.timeLimitSeconds);
    session.onNote = (level, sentence) => logger.log(level, sentence);
    if (writes) for (const end of ["SIGTERM", "disconnect"]) process.on(end, () => session.interrupt());
    // TensorFlow loads only once the configuration is known to be right.
    const { prepare } = await import("./training/prepared.ts");
    if (mode === "--check") {
      const { dataset, model } = await prepare(trial);
      for (const split of [dataset.training, dataset.heldOut])
        for (const index of spread(split.names.length, CHECKED_IMAGES)) await split.read(index);
      model.dispose();
      return EXIT.result;
    }
    if (mode === "--measure") {
      const { measure } = await import("./training/measure.ts");
      const measured = await measure(trial);
      console.log(JSON.stringify({ ...measured, training: trial.training }));
      return EXIT.result;
    }
    const { runTrial } = await import("./training/trial.ts");
    const surroundings = {
      cache: process.env.SEGNAS_CACHE ?? mkdtempSync(join(tmpdir(), "segnas-")),
      artifacts,
      checkpointSeconds,
    };
    const server = await serveProgress(session, port, (sentence) => logger.warn(sentence));
    try {
      logger.info("trial started", { trial: trial.name });
      const result = await runTrial(trial, surroundings, session);
      const stageSeconds = stageSecondsOf(session); // before the whole, which is never less than its stages
      const times = { seconds: seconds(), stageSeconds };
      await writeResult(resultPath, { outcome: "Succeeded", ...result, ...times });
      await removeCheckpoint(artifacts);
      logger.info("trial done", { trial: trial.name, reward: result.reward, seconds: seconds() });
    } finally {
      server.close();
      server.closeAllConnections();
    }
    return EXIT.result;
  } catch (error) {
    const verdict = verdictOf(error);
    if (verdict === undefined) {
      if (error instanceof Interrupted) {
        logger.info("stopped: asked to");
        return EXIT.tryAgain;
      }
      if (error instanceof Unwritable) {
        console.error(error.message);
        return EXIT.tryAgain;
      }
      console.error(error);
      return EXIT.unexpected;
    }
    console.error(verdict.message);
    if (writes)
      await writeResult(resultPath, { outcome: "Failed", ...verdict, seconds: seconds() }).catch(() => {});
    if (verdict.cause === "InvalidConfiguration") return EXIT.invalidConfiguration;
    if (writes) await removeCheckpoint(artifacts).catch(() => {});
    return EXIT.untrainable;
  }
}

/** A whole number of the environment. Throws UserError with what was written there. */
function numberIn(name: string, usual: number, to: number): number {
  const written = process.env[name] || usual;
  const number = Number(written);
  return integer(Number.isNaN(number) ? written : number, name, 0, to);
}

process.exitCode = await main(process.argv[2]);
// Nothing may keep a finished trial alive: an open IPC channel would.
process.exit();
