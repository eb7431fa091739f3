// `segnas report`: a search, running or ended, as a page of HTML or as data.
import { mkdir } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import type { SearchView } from "@segnas/operator/local/run.ts";
import { quoted } from "@segnas/operator/web/page/elsewhere.ts";
import type { PageView } from "@segnas/operator/web/page/source.ts";
import { summarise } from "@segnas/operator/web/summary.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { writeWhole } from "@segnas/trainer/whole-file.ts";
import { Command } from "commander";
import { csv, jsonLines } from "./export.ts";
import { anyOf, wrongValue } from "./options.ts";
import { atPlace, type Place, type PlaceOptions, placeOptions } from "./place.ts";
import { PROGRAM } from "./program.ts";
import { resultDocument } from "./results.ts";
import { tensorboardEvents } from "./tensorboard.ts";

const FORMATS = ["html", "json", "csv", "jsonl", "tfevents"] as const;
type Format = (typeof FORMATS)[number];

/** Where the report goes; standard output without a file. */
interface Output {
  format: Format;
  file?: string;
}

/** With what the page shows beside. */
type View = SearchView & Pick<PageView, "events" | "isLive">;

interface Options extends PlaceOptions {
  output?: Output;
}

export function reportCommand(): Command {
  return placeOptions(new Command("report"))
    .description("Write a report of a search, running or ended: a page of HTML, or its trials as data.")
    .argument("[search]", "its name in the cluster")
    .option(
      "-o, --output <file or format>",
      `a file that ends in ${anyOf(FORMATS.map((format) => `.${format}`))}; or one of these words for standard output (default: <search>.html). tfevents is for TensorBoard`,
      outputOf,
    )
    .addHelpText(
      "after",
      `\nExamples:\n  ${PROGRAM} report quickstart -n mine\n  ${PROGRAM} report quickstart -n mine -o csv > trials.csv\n  ${PROGRAM} report --state .segnas/quickstart -o report.html\n  ${PROGRAM} report --state .segnas/quickstart -o logs/quickstart/a.tfevents && tensorboard --logdir logs`,
    )
    .action(report);
}

/** Reads --output. Throws UserError where the format cannot be told. */
export function outputOf(value: string): Output {
  const known = (text: string) => FORMATS.find((format) => format === text);
  const format = known(value);
  if (format) return { format };
  // TensorBoard's own names go on after it: events.out.tfevents.1700000000.host
  const byName = /\.tfevents\./.test(basename(value))
    ? "tfevents"
    : known(extname(value).slice(1).toLowerCase());
  if (byName) return { format: byName, file: value };
  throw wrongValue("--output", value, `${anyOf(FORMATS)}, or a file that ends in a dot and one of these`);
}

async function report(name: string | undefined, options: Options): Promise<void> {
  await atPlace(options, async (place) => {
    const read = await place.view(await place.find(name));
    const { search, problem } = read;
    if (problem) console.error(`Trials that are gone are left out: ${problem}`);
    const view = {
      ...read,
      policy: await place.updates(search),
      events: await place.events(read),
      isLive: place.isLive(),
    };
    const { format, file } = options.output ?? { format: "html", file: `${search.metadata.name}.html` };
    const content = await render(view, place, format);
    if (file === undefined) {
      process.stdout.write(content);
      return;
    }
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeWhole(file, content);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new UserError(`--output ${quoted(file)}: cannot be written (${code})`);
    }
    console.log(`Report of ${search.metadata.name}: ${file}`);
  });
}

async function render(view: View, { elsewhere }: Place, format: Format): Promise<string | Uint8Array> {
  if (format === "html") {
    // What the page is made of takes a while to load.
    const { reportPage } = await import("@segnas/operator/web/page/report.ts");
    return reportPage(view, elsewhere, new Date());
  }
  const search = summarise(view, view.isLive);
  switch (format) {
    case "json":
      return `${JSON.stringify(resultDocument(search), null, 2)}\n`;
    case "csv":
      return csv(search.trials);
    case "jsonl":
      return jsonLines(search.trials);
    case "tfevents":
      return tensorboardEvents(search);
  }
}
