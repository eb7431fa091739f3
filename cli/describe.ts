// `segnas describe`: what an architecture is and costs, without training it.
import { inputSize, networkSettings } from "@segnas/operator/controllers/architecturesearch/networks.ts";
import type { Architecture } from "@segnas/searchspace/architecture.ts";
import { describe, describeText } from "@segnas/searchspace/describe.ts";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { Command } from "commander";
import {
  ARCHITECTURE_FORMS,
  type NetworkOptions,
  networkOptions,
  readArchitecture,
  settingsOf,
} from "./architecture.ts";
import { choiceOption, wrongValue } from "./options.ts";
import { atPlace, type PlaceOptions, placeOptions } from "./place.ts";
import { PROGRAM } from "./program.ts";

/** What the name of a trial comes after. */
const TRIAL = "trial/";
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
    .addOption(choiceOption("-o, --output <format>", "what standard output gets", OUTPUTS).default("text"))
    .addHelpText(
      "after",
      `\nExamples:\n  ${PROGRAM} describe arch0 --classes 19 -o svg > arch0.svg\n  ${PROGRAM} describe trial/quickstart-3 -n mine`,
    )
    .action(async (given: string, options: Options, command: Command) => {
      const [architecture, settled] = given.startsWith(TRIAL)
        ? await readTrial(given.slice(TRIAL.length), options, command)
        : [await readElsewhere(given, options), options];
      console.log(render(architecture, settled));
    });
}

/** An architecture that is no trial of a place: options that name one would be passed over, so they are refused. */
function readElsewhere(given: string, options: Options): Promise<Architecture> {
  const { state, namespace, context, kubeconfig } = options;
  for (const [name, value] of Object.entries({ state, namespace, context, kubeconfig }))
    if (value !== undefined)
      throw wrongValue(`--${name}`, value, `${TRIAL}<name> for a trial there, or leave the option out`);
  return readArchitecture(given);
}

/** A trial's architecture, and the options with its search's settings for those that were not given. */
async function readTrial(name: string, options: Options, command: Command): Promise<[Architecture, Options]> {
  if (name === "") throw new UserError(`${TRIAL}: write the trial's name after it, <search>-<number>`);
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
