// `segnas describe`: what an architecture is and costs, without training it.
import { readFileSync } from "node:fs";
import {
  type Architecture,
  type NetworkSettings,
  PUBLISHED,
  parseArchitecture,
} from "@segnas/searchspace/architecture.ts";
import { describe, describeText } from "@segnas/searchspace/describe.ts";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { choice, integer } from "@segnas/searchspace/fields.ts";
import { Command } from "commander";
import { load } from "js-yaml";

const OUTPUTS = ["text", "json", "svg"] as const;

interface Options extends NetworkSettings {
  height: number;
  width: number;
  output: (typeof OUTPUTS)[number];
}

export function describeCommand(): Command {
  const whole = (option: string, from: number, to: number) => (value: string) =>
    integer(/^-?\d+$/.test(value) ? Number(value) : value, option, from, to);
  return new Command("describe")
    .description(
      "Show what an architecture is and costs: sizes, parameters, multiply-accumulates, a drawing.",
    )
    .argument(
      "<architecture>",
      `${Object.keys(PUBLISHED).join(", ")}, JSON, a JSON or YAML file, or - for standard input; ` +
        "spelled out, in short form, or a whole CandidateTrial",
    )
    .option("--classes <n>", "classes to tell apart", whole("--classes", 2, 254), 19)
    .option(
      "--aggregate-channels <n>",
      "channels before the classifier",
      whole("--aggregate-channels", 1, 4096),
      64,
    )
    .option(
      "--separable-repeats <n>",
      "separable convolutions in a row",
      whole("--separable-repeats", 1, 4),
      2,
    )
    .option("--height <pixels>", "height of the image", whole("--height", 1, 16384), 360)
    .option("--width <pixels>", "width of the image", whole("--width", 1, 16384), 480)
    .option(
      "-o, --output <format>",
      OUTPUTS.join(", "),
      (value) => choice(value, "--output", OUTPUTS),
      "text",
    )
    .action((given: string, options: Options) => console.log(render(readArchitecture(given), options)));
}

function render(architecture: Architecture, options: Options): string {
  const { classes, aggregateChannels, separableRepeats, height, width, output } = options;
  const settings = { classes, aggregateChannels, separableRepeats };
  if (output === "svg") return drawSvg(architecture, settings, { height, width }).trimEnd();
  const description = describe(architecture, settings, { height, width });
  return output === "json" ? JSON.stringify(description, null, 2) : describeText(description);
}

/** The architecture that the argument names, holds or leads to. Throws UserError. */
function readArchitecture(given: string): Architecture {
  if (Object.hasOwn(PUBLISHED, given)) return parseArchitecture(given);
  if (/^\s*[[{]/.test(given)) return parseText("the given JSON", given, JSON.parse);
  if (given === "-") return parseText("standard input", read(0, "standard input"), load);
  return parseText(given, read(given, given), load);
}

function read(file: string | number, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const names = Object.keys(PUBLISHED).join(", ");
    throw new UserError(`${name}: cannot be read (${why}), write ${names}, JSON, or the path of a file`);
  }
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
