// `segnas describe`: what an architecture is and costs, without training it.
import type { Architecture } from "@segnas/searchspace/architecture.ts";
import { describe, describeText } from "@segnas/searchspace/describe.ts";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import { choice } from "@segnas/searchspace/fields.ts";
import { Command } from "commander";
import {
  ARCHITECTURE_FORMS,
  type NetworkOptions,
  networkOptions,
  readArchitecture,
  settingsOf,
} from "./architecture.ts";

const OUTPUTS = ["text", "json", "svg"] as const;

interface Options extends NetworkOptions {
  output: (typeof OUTPUTS)[number];
}

export function describeCommand(): Command {
  return networkOptions(new Command("describe"))
    .description(
      "Show what an architecture is and costs: sizes, parameters, multiply-accumulates, a drawing.",
    )
    .argument("<architecture>", ARCHITECTURE_FORMS)
    .option(
      "-o, --output <format>",
      OUTPUTS.join(", "),
      (value) => choice(value, "--output", OUTPUTS),
      "text",
    )
    .action((given: string, options: Options) => console.log(render(readArchitecture(given), options)));
}

function render(architecture: Architecture, options: Options): string {
  const { height, width, output } = options;
  const settings = settingsOf(options);
  if (output === "svg") return drawSvg(architecture, settings, { height, width }).trimEnd();
  const description = describe(architecture, settings, { height, width });
  return output === "json" ? JSON.stringify(description, null, 2) : describeText(description);
}
