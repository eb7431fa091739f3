// `segnas describe`: what an architecture is and costs, without training it.
import { inputSize, networkSettings } from "@segnas/operator/controllers/architecturesearch/networks.ts";
import type { Architecture } from "@segnas/searchspace/architecture.ts";
import { describe, describeText } from "@segnas/searchspace/describe.ts";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { choice } from "@segnas/searchspace/fields.ts";
import { Command } from "commander";
import {
  ARCHITECTURE_FORMS,
  type NetworkOptions,
  networkOptions,
  readArchitecture,
  settingsOf,
} from "./architecture.ts";
import { atPlace, type PlaceOptions, placeOptions } from "./place.ts";
import { PROGRAM } from "./program.ts";

const OUTPUTS = ["text", "json", "svg"] as const;

interface Options extends NetworkOptions, PlaceOptions {
  output: (typeof OUTPUTS)[number];
}

export function describeCommand(): Command {
  return placeOptions(networkOptions(new Command("describe")))
    .description(
      "Show what an architecture is and costs: sizes, parameters, multiply-accumulates, a drawing.",
    )
    .argument(
      "<architecture>",
      `${ARCHITECTURE_FORMS}; or trial/<name>, of a trial in the cluster or in --state, with its search's settings`,
    )
    .option(
      "-o, --output <format>",
      OUTPUTS.join(", "),
      (value) => choice(value, "--output", OUTPUTS),
      "text",
    )
    .addHelpText(
      "after",
      `\nExamples:\n  ${PROGRAM} describe arch0 --classes 19 -o svg > arch0.svg\n  ${PROGRAM} describe trial/quickstart-3 -n mine`,
    )
    .action(async (given: string, options: Options, command: Command) => {
      const [, name] = /^trial\/(.*)$/.exec(given) ?? [];
      const [architecture, settled] =
        name === undefined ? [readArchitecture(given), options] : await readTrial(name, options, command);
      console.log(render(architecture, settled));
    });
}

/** A trial's architecture, and the options with its search's settings for those that were not given. */
async function readTrial(name: string, options: Options, command: Command): Promise<[Architecture, Options]> {
  const { trial, search } = await atPlace(options, async ({ reader, namespace, where }) => {
    const trial =
      namespace === undefined
        ? (await reader.list("CandidateTrial")).find(({ metadata }) => metadata.name === name)
        : await reader.get("CandidateTrial", { namespace, name });
    if (!trial) throw new UserError(`there is no trial ${name} in ${where}; its name is <search>-<number>`);
    const key = { namespace: trial.metadata.namespace ?? "default", name: trial.spec.search };
    return { trial, search: await reader.get("ArchitectureSearch", key) };
  });
  const own = search && { ...networkSettings(search), ...inputSize(search) };
  const given = (option: string) => command.getOptionValueSource(option) !== "default";
  const settings = Object.entries(own ?? {}).filter(([option]) => !given(option));
  return [trial.spec.architecture as Architecture, { ...options, ...Object.fromEntries(settings) }];
}

function render(architecture: Architecture, options: Options): string {
  const { height, width, output } = options;
  const settings = settingsOf(options);
  if (output === "svg") return drawSvg(architecture, settings, { height, width }).trimEnd();
  const description = describe(architecture, settings, { height, width });
  return output === "json" ? JSON.stringify(description, null, 2) : describeText(description);
}
