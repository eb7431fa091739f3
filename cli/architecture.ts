// The architecture and the settings that a command is given: by name, as JSON, in a file, in a trial.
import {
  type Architecture,
  type NetworkSettings,
  PUBLISHED,
  parseArchitecture,
} from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Command } from "commander";
import { load } from "js-yaml";
import { readInput } from "./input.ts";
import { wholeNumber } from "./options.ts";

/** What `networkOptions` reads: the network's settings and the image's size. */
export interface NetworkOptions extends NetworkSettings {
  height: number;
  width: number;
}

/** What an argument that names an architecture may be. */
export const ARCHITECTURE_FORMS =
  `${Object.keys(PUBLISHED).join(", ")}, JSON, a JSON or YAML file, or - for standard input; ` +
  "spelled out, in short form, or a whole CandidateTrial";

/** Adds the options that an architecture needs to become a network. */
export function networkOptions(command: Command): Command {
  return command
    .option("--classes <n>", "classes to tell apart", wholeNumber("--classes", 2, 254), 19)
    .option(
      "--aggregate-channels <n>",
      "channels before the classifier",
      wholeNumber("--aggregate-channels", 1, 4096),
      64,
    )
    .option(
      "--separable-repeats <n>",
      "separable convolutions in a row",
      wholeNumber("--separable-repeats", 1, 4),
      2,
    )
    .option("--height <pixels>", "height of the image", wholeNumber("--height", 1, 16384), 360)
    .option("--width <pixels>", "width of the image", wholeNumber("--width", 1, 16384), 480);
}

/** The network's settings among a command's options. */
export const settingsOf = ({
  classes,
  aggregateChannels,
  separableRepeats,
}: NetworkOptions): NetworkSettings => ({
  classes,
  aggregateChannels,
  separableRepeats,
});

/** The architecture that the argument names, holds or leads to. Throws UserError. */
export async function readArchitecture(given: string): Promise<Architecture> {
  if (Object.hasOwn(PUBLISHED, given)) return parseArchitecture(given);
  if (/^\s*[[{]/.test(given)) return parseText("the given JSON", given, JSON.parse);
  const names = Object.keys(PUBLISHED).join(", ");
  const { name, text } = await readInput(given, `write ${names}, JSON, or the path of a file`);
  return parseText(name, text, load);
}

function parseText(name: string, text: string, parse: (text: string) => unknown): Architecture {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new UserError(`${name}: is not valid JSON or YAML: ${why}`);
  }
  if (isTrial(value)) {
    if (value.spec?.architecture === undefined) {
      throw new UserError(`${name}: spec.architecture: is missing, write it`);
    }
    value = value.spec.architecture;
  }
  try {
    return parseArchitecture(value);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${name}: ${error.message}`) : error;
  }
}

function isTrial(value: unknown): value is { spec?: { architecture?: unknown } } {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "CandidateTrial";
}
