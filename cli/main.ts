#!/usr/bin/env node
// The program `segnas`: its commands, and the one place where errors end.
import { UserError } from "@segnas/searchspace/errors.ts";
import { type Command, CommanderError, Command as Program } from "commander";
import { describeCommand } from "./describe.ts";
import { encoderCommand } from "./encoder.ts";
import { measureCommand } from "./measure.ts";
import packageFile from "./package.json" with { type: "json" };
import { planCommand } from "./plan.ts";
import { PROGRAM } from "./program.ts";
import { reportCommand } from "./report.ts";
import { searchCommand } from "./search.ts";
import { statusCommand } from "./status.ts";
import { verifyCommand } from "./verify.ts";
import { watchCommand } from "./watch.ts";

const USAGE = 64; // EX_USAGE of sysexits: what was written is wrong
const SOFTWARE = 70; // EX_SOFTWARE: we are
const IO = 74; // EX_IOERR: a disk is full, say

function program(): Command {
  const segnas = new Program(PROGRAM)
    .description("Searches for compact segmentation networks, on this machine or in a cluster.")
    .version(packageFile.version)
    .showHelpAfterError(false)
    .exitOverride()
    // Errors are printed once, by `end` below.
    .configureOutput({ outputError: () => {} })
    .addHelpText(
      "after",
      `\nExamples:\n  ${PROGRAM} plan -f examples/quickstart.yaml\n  ${PROGRAM} search -f examples/quickstart.yaml\n  ${PROGRAM} status -n mine`,
    );
  const commands = [
    searchCommand(),
    planCommand(),
    statusCommand(),
    watchCommand(),
    reportCommand(),
    describeCommand(),
    measureCommand(),
    verifyCommand(),
    encoderCommand(),
  ];
  for (const command of commands) segnas.addCommand(inherit(command, segnas));
  return segnas;
}

/** Gives a command and those below it the settings of the one above. */
function inherit(command: Command, above: Command): Command {
  command.copyInheritedSettings(above);
  for (const below of command.commands) inherit(below, command);
  return command;
}

/** Prints an error as its reader needs it and gives the exit code. */
function end(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Without a command commander has printed the help already.
    if (error.code !== "commander.help") console.error(error.message.replace(/^error: /, ""));
    return USAGE;
  }
  if (error instanceof UserError) {
    console.error(error.message);
    return USAGE;
  }
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === "ENOSPC") {
    console.error(`${path ?? "The disk"}: no space is left there; free some and run the same command again`);
    return IO;
  }
  console.error(
    `Something went wrong inside segnas: ${error instanceof Error ? error.message : String(error)}`,
  );
  if (process.env.SEGNAS_DEBUG === "1") console.error(error instanceof Error ? error.stack : error);
  else console.error("Run it again with SEGNAS_DEBUG=1 for the stack.");
  return SOFTWARE;
}

// A reader that has seen enough (`| head`) is no error.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
    if (stream === process.stdout) console.error(`Standard output cannot be written: ${error.message}`);
    process.exit(IO);
  });

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = end(error);
}
