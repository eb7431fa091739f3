// `segnas status`: how searches stand, in a cluster or in a folder; of one, everything that a person wants to know.
import { listed } from "@segnas/operator/web/page/list.ts";
import { summarise } from "@segnas/operator/web/summary.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { Command, Option } from "commander";
import { choiceOption } from "./options.ts";
import { atPlace, commandFor, type Place, type PlaceOptions, placeOptions } from "./place.ts";
import { PROGRAM } from "./program.ts";
import { listText } from "./status-list.ts";
import { statusDocument, statusText } from "./status-text.ts";

interface Options extends PlaceOptions {
  output: "text" | "wide" | "json";
}

export function statusCommand(): Command {
  return placeOptions(new Command("status"))
    .description("Show how searches stand: all of a namespace, or one with all that it does.")
    .argument("[search]", "its name; without one, all searches there are listed")
    .addOption(
      new Option("-A, --all-namespaces", "the searches of every namespace").conflicts(["namespace", "state"]),
    )
    .addOption(
      choiceOption("-o, --output <format>", "what standard output gets; wide has more columns", [
        "text",
        "wide",
        "json",
      ]).default("text"),
    )
    .addHelpText(
      "after",
      `\nExamples:\n  ${PROGRAM} status -A\n  ${PROGRAM} status quickstart -n mine\n  ${PROGRAM} status --state .segnas/quickstart`,
    )
    .action(status);
}

async function status(name: string | undefined, options: Options): Promise<void> {
  if (name !== undefined && options.allNamespaces)
    throw new UserError("--all-namespaces: lists searches; name one with its namespace, -n");
  const text = await atPlace(options, async (place) =>
    name === undefined && options.state === undefined
      ? await list(place, options)
      : await one(place, name, options),
  );
  console.log(text);
}

async function list({ reader, namespace, where }: Place, { output }: Options): Promise<string> {
  const searches = await reader.list("ArchitectureSearch", namespace);
  if (output === "json")
    return JSON.stringify(
      searches.map((search) => listed(search)),
      null,
      2,
    );
  if (searches.length > 0) {
    return listText(searches, {
      now: new Date(),
      namespaces: namespace === undefined,
      wide: output === "wide",
    });
  }
  const elsewhere = namespace === undefined ? "" : ` (-A shows those of every namespace)`;
  return `There are no searches in ${where}${elsewhere}. Begin one: kubectl ${namespace === undefined ? "" : `-n ${namespace} `}apply -f search.yaml`;
}

async function one(place: Place, name: string | undefined, { output }: Options): Promise<string> {
  const view = await place.view(await place.find(name));
  const events = await place.events(view);
  const isLive = place.isLive();
  const status = { view, summary: summarise(view, isLive), events, isLive, now: new Date() };
  if (output === "json") return JSON.stringify(statusDocument(status), null, 2);
  return statusText(status, {
    where: place.where,
    report: commandFor("report", view.search.metadata.name, place),
  });
}
