// `segnas measure`: the latency and memory of an architecture on this machine, or a table that predicts latency.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { threadsEnvironment } from "@segnas/operator/controllers/candidatetrial/threads.ts";
import { bytes } from "@segnas/operator/web/format.ts";
import { toGenotype } from "@segnas/searchspace/architecture.ts";
import { LAYER_KINDS, type LatencyTable } from "@segnas/searchspace/latency.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import type { LatencyRequest, MeasuredLatency } from "@segnas/trainer/training/latency.ts";
import { Command } from "commander";
import { dump } from "js-yaml";
import {
  ARCHITECTURE_FORMS,
  type NetworkOptions,
  networkOptions,
  readArchitecture,
  settingsOf,
} from "./architecture.ts";
import { display, isTerminal } from "./display.ts";
import { drawArchitectures, fitTable, type HeldOut, heldOut, type Timing } from "./latency.ts";
import { choiceOption, wholeNumber, wrongValue } from "./options.ts";
import { quantile } from "./statistics.ts";
import { successOf, trainerOf } from "./trainer.ts";

const OUTPUTS = ["text", "yaml", "json"] as const;

interface Options extends NetworkOptions {
  samples: number;
  seed: number;
  threads: number;
  output?: (typeof OUTPUTS)[number];
}

/** Timed runs of one architecture. */
const RUNS = 30;
/** Networks for a table are timed in rounds, so that a moment when the machine was busy spoils none of them. */
const TABLE = { rounds: 3, runs: 3 };
/** One in so many is timed at half the size too: what a layer costs and what its size costs come apart. */
const HALVED = 3;

export function measureCommand(): Command {
  return networkOptions(new Command("measure"))
    .description(
      "Time an architecture on this machine (evaluation, batch 1, untrained weights), or, without one, " +
        "make the table for spec.objective.constraints.latency.",
    )
    .argument("[architecture]", ARCHITECTURE_FORMS)
    .option("--samples <n>", "random architectures for the table", wholeNumber("--samples", 5, 1000), 80)
    .option("--seed <n>", "where they are drawn from", wholeNumber("--seed", 0, 2 ** 31 - 1), 1)
    .option(
      "--threads <n>",
      "threads of TensorFlow on a CPU",
      wholeNumber("--threads", 1, 1024),
      availableParallelism(),
    )
    .addOption(
      choiceOption(
        "-o, --output <format>",
        "text or json for an architecture (default: text), yaml or json for the table (default: yaml)",
        OUTPUTS,
      ),
    )
    .addHelpText("after", "\nExample:\n  segnas measure arch0\n  segnas measure --height 512 > table.yaml")
    .action(async (given: string | undefined, options: Options) => {
      if (given === undefined && options.output === "text")
        throw wrongValue("--output", "text", "yaml or json for the table");
      if (given !== undefined && options.output === "yaml")
        throw wrongValue("--output", "yaml", "text or json for an architecture");
      console.log(given === undefined ? await measureTable(options) : await measureOne(given, options));
    });
}

async function measureOne(given: string, options: Options): Promise<string> {
  const architecture = await readArchitecture(given);
  const { height, width } = options;
  const request = { settings: settingsOf(options), runs: RUNS, networks: [{ architecture, height, width }] };
  const [measured] = await time(request, options.threads, () => {});
  const { device, milliseconds, residentBytes } = measured!;
  const [tenth, median, ninetieth] = [0.1, 0.5, 0.9].map((share) => quantile(milliseconds, share));
  if (options.output === "json")
    return JSON.stringify(
      {
        genotype: toGenotype(architecture),
        settings: request.settings,
        input: { height, width },
        device,
        milliseconds: { median, tenth, ninetieth, runs: RUNS },
        residentBytes,
      },
      null,
      2,
    );
  const ms = (value: number | undefined) => value!.toPrecision(4);
  return [
    `device   ${device}`,
    `input    3 x ${height} x ${width}, batch 1`,
    `latency  ${ms(median)} ms (median of ${RUNS}; one in ten under ${ms(tenth)}, nine in ten under ${ms(ninetieth)})`,
    `memory   ${bytes(residentBytes)} of the process at most, TensorFlow itself included`,
  ].join("\n");
}

async function measureTable(options: Options): Promise<string> {
  const { height, width, threads, output } = options;
  const settings = settingsOf(options);
  const half = { height: Math.ceil(height / 2), width: Math.ceil(width / 2) };
  const drawn = drawArchitectures(random(options.seed, "measure"), options.samples, settings, options);
  const networks = drawn.flatMap((architecture, group) =>
    [{ height, width }, ...(group % HALVED === 0 ? [half] : [])].map((size) => ({
      group,
      architecture,
      ...size,
      network: expand(architecture, settings, size),
    })),
  );
  const rounds = Array.from({ length: TABLE.rounds }, () =>
    networks.map(({ architecture, ...it }) => ({ architecture, height: it.height, width: it.width })),
  ).flat();
  const measured = await time(
    { settings, runs: TABLE.runs, networks: rounds },
    threads,
    progress(rounds.length),
  );
  const timings = networks.map(({ group, network }, n): Timing => {
    const runs = measured.filter((_, i) => i % networks.length === n).flatMap((it) => it.milliseconds);
    return { group, network, milliseconds: quantile(runs, 0.5) };
  });
  const table = fitTable(measured[0]!.device, timings);
  const check = heldOut(timings, ({ network }) => network.values[0]!.height === height);
  if (output === "json") return JSON.stringify({ table, heldOut: check }, null, 2);
  return tableText(table, check, `${width}x${height}`);
}

function tableText(table: LatencyTable, check: HeldOut, size: string): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  const head = [
    `# Made by segnas measure from ${check.networks} random architectures at ${size}.`,
    `# Predicted without having been fitted to, they were off by ${percent(check.medianError)} (median), nine in ten`,
    `# by less than ${percent(check.ninetiethError)}; rank correlation ${check.rankCorrelation.toFixed(3)}.`,
  ];
  const missing = LAYER_KINDS.filter((kind) => !table.rows.some(({ layer }) => layer === kind));
  if (missing.length > 0)
    head.push(
      `# No network of this size has the layer ${missing.join(" or ")}: the table has no row for it.`,
    );
  const yaml = dump({ table }, { flowLevel: 3, lineWidth: -1 });
  return [...head, yaml.trimEnd()].join("\n");
}

/** Tells how far the timing is: a line that is drawn anew, or one at each tenth. */
function progress(total: number): (done: number) => void {
  const live = isTerminal(process.stderr);
  const screen = display(process.stderr, live);
  return (done) => {
    const line = `Timed ${done} of ${total}`;
    if (live) return done < total ? screen.show([], [line]) : screen.end();
    if (Math.floor((10 * done) / total) > Math.floor((10 * (done - 1)) / total)) screen.show([line]);
  };
}

/** Has the trainer time the networks, in a process of its own; `onTimed` is told how many are done. */
async function time(
  request: LatencyRequest,
  threads: number,
  onTimed: (done: number) => void,
): Promise<MeasuredLatency[]> {
  const [program, ...args] = trainerOf({}).command;
  const child = spawn(program, [...args, "--latency"], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...threadsEnvironment(threads) },
  });
  const ended = successOf(child, "the trainer could not time the networks");
  // It is waited for once its lines have been read.
  ended.catch(() => {});
  // A trainer that ends before it has read says why on its way out.
  child.stdin.on("error", () => {}).end(JSON.stringify(request));
  const measured: MeasuredLatency[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    measured.push(JSON.parse(line));
    onTimed(measured.length);
  }
  await ended;
  return measured;
}
