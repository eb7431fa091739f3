// `segnas plan`: what a search will do and cost, and what is wrong with it, before it does anything.
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { checkConstraints } from "@segnas/operator/controllers/architecturesearch/constraints.ts";
import { planImports } from "@segnas/operator/controllers/architecturesearch/imports.ts";
import { sourceReader } from "@segnas/operator/local/source.ts";
import { bytes, counted, duration, large, whole } from "@segnas/operator/web/format.ts";
import { fieldsInWords, settingsInWords } from "@segnas/operator/web/settings.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { Command, Option } from "commander";
import {
  beginningInWords,
  beginningOf,
  type Plan,
  planOf,
  type Spread,
  totalSeconds,
  warningsOf,
} from "./estimate.ts";
import { type ManifestOptions, readSearch } from "./manifest.ts";
import { choiceOption, folderName, wholeNumber } from "./options.ts";
import { type Measurement, measureTrainer, trainerOf } from "./trainer.ts";

interface Options extends ManifestOptions {
  output: "text" | "json";
  measure: boolean;
  gpus?: number;
  trainer?: string;
}

export function planCommand(): Command {
  return new Command("plan")
    .description("Tell what a search will do and cost, and what is wrong with it, without doing it.")
    .requiredOption("-f, --file <file>", "manifest of an ArchitectureSearch, - for standard input")
    .option("--dataset <folder>", "the data set's folder, in place of spec.dataset.path")
    .option(
      "--start-from <folder>",
      "the folder of the search that this one begins with (default: .segnas/<startingPoints.search>)",
      folderName("--start-from"),
    )
    .option(
      "--gpus <n>",
      "GPUs to train on, a trial on each (default: all, where set up for CUDA; else the CPU)",
      wholeNumber("--gpus", 1),
    )
    .option(
      "--no-measure",
      "leave out the short measurement of two architectures, and the check of the data set",
    )
    .addOption(
      choiceOption("-o, --output <format>", "what standard output gets", ["text", "json"]).default("text"),
    )
    .addOption(new Option("--trainer <file>", "another trainer, a program for Node").hideHelp())
    .addHelpText("after", "\nExample:\n  segnas plan -f examples/camvid.yaml --dataset ~/data/CamVid")
    .action(plan);
}

async function plan(options: Options): Promise<void> {
  const search = await readSearch(options);
  checkConstraints(search);
  const trainer = trainerOf(options);
  const measured: Measurement[] = [];
  const problems: string[] = [];
  const noteProblem = (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    problems.push(error.message);
    return undefined;
  };
  const startFrom = options.startFrom && resolve(options.startFrom);
  const source = sourceReader(search, resolve(".segnas", search.metadata.name), startFrom);
  const beginning = await planImports(source, search).then(beginningOf, noteProblem);
  const { plan, samples } = planOf(search, trainer.gpus || undefined, beginning);
  if (options.measure) {
    try {
      for (const [i, sample] of samples.entries()) {
        console.error(`Measuring ${i === 0 ? "a median" : "a large"} architecture ...`);
        measured.push(await measureTrainer(trainer, search, sample));
      }
    } catch (error) {
      noteProblem(error);
    }
  }
  const warnings = warningsOf(search, plan, measured, availableParallelism());
  const seconds = totalSeconds(plan, measured);
  if (options.output === "json") {
    const training = measured[0]?.training ?? search.spec.training;
    const settings = { training, dataset: search.spec.dataset };
    console.log(
      JSON.stringify({ ...plan, settings, measured, totalSeconds: seconds, problems, warnings }, null, 2),
    );
  } else {
    console.log(planText(search, plan, { measured, seconds, warnings }));
  }
  // The same place and code as any other mistake in a manifest.
  if (problems.length > 0) throw new UserError(problems.join("\n"));
}

interface Findings {
  measured: Measurement[];
  seconds: number | undefined;
  warnings: string[];
}

/** The plan for people: settings, what will be done, what was measured, what to mind. */
export function planText(
  search: ArchitectureSearch,
  plan: Plan,
  { measured, seconds, warnings }: Findings,
): string {
  const { parameters, macs, encodings, sampled } = plan.space;
  const { beginning } = plan;
  const training = measured[0]?.training;
  // What the manifest left to the presets is known by now.
  const resolved: Record<string, string> = {
    Policy: fieldsInWords({ ...plan.policy }),
    ...(training && { Training: fieldsInWords(training) }),
  };
  const rows: [string, string][] = [
    ...settingsInWords(search).map(([label, value]): [string, string] => [label, resolved[label] ?? value]),
    ...(beginning ? ([["Takes over", beginningInWords(beginning)]] as [string, string][]) : []),
    ["Updates", `${counted(plan.policyUpdates, "update")} of the policy`],
    ["Architectures", `${Number(encodings).toExponential(2)} encodings; of ${sampled} drawn at random:`],
    ["  parameters", spreadText(parameters, whole)],
    ["  MACs", spreadText(macs, large)],
    ...measurementRows(measured),
    ...(seconds === undefined
      ? []
      : ([["Whole search", `about ${duration(seconds)}`]] as [string, string][])),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
  const notes = warnings.map((warning) => `Warning: ${warning}`);
  return [`Plan of ${plan.name}`, "", ...lines, ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}

const spreadText = (
  { smallest, median, ninetieth, largest }: Spread,
  text: (value: number) => string,
): string =>
  `${text(smallest)} to ${text(largest)}, median ${text(median)}, nine in ten under ${text(ninetieth)}`;

function measurementRows([median, large]: Measurement[]): [string, string][] {
  if (!median) return [];
  const rows: [string, string | undefined][] = [
    ["Images", imagesText(median)],
    ["Encoder", median.encoder],
    [
      "Features",
      median.secondsForFeatures === undefined
        ? undefined
        : `${duration(median.secondsForFeatures)}, once for all trials`,
    ],
    ["Median trial", trialText(median)],
    ["Large trial", large && trialText(large)],
  ];
  return rows.filter((row): row is [string, string] => Boolean(row[1]));
}

const imagesText = ({ trainingImages, heldOutImages }: Measurement): string | undefined =>
  trainingImages === undefined
    ? undefined
    : `${whole(trainingImages)} to train on, ${whole(heldOutImages ?? 0)} held out`;

const trialText = ({ secondsPerTrial, residentBytes }: Measurement): string =>
  [
    secondsPerTrial === undefined ? "" : `about ${duration(secondsPerTrial)}`,
    residentBytes === undefined ? "" : bytes(residentBytes),
  ]
    .filter(Boolean)
    .join(", ");
