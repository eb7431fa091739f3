// How fast the trainer is, and how much memory it takes: npm run bench -- trainer [--only Training,Inference,...]
//   [--networks arch0,arch1] [--threads N] [--json FILE]
// Each case runs in a process of its own, one at a time. Goals: start to first step under 5 s, 1.5 GB at batch 4,
// reading cached features under 5% of a step.
// Against PyTorch: --against pytorch [--turns N] [--compile] [--processor-time], see trainer/contest.ts. Cases that FILE
// holds already are not run again. Goals: training 1.2x its images a second in the geometric mean and no network under
// 1x, 64x64 at least .8x, inference 1.2x.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { threadsEnvironment } from "@segnas/operator/controllers/candidatetrial/threads.ts";
import { PUBLISHED, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { countMacs } from "@segnas/searchspace/count.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { pyTorch } from "./rivals/pytorch.ts";
import { CASES, type Case, CLASSES, type Measured } from "./trainer/cases.ts";
import { contest } from "./trainer/contest.ts";

const RUN = fileURLToPath(new URL("./trainer/run.ts", import.meta.url));
const KERNELS_SHOWN = 12;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    networks: { type: "string" },
    threads: { type: "string", default: `${availableParallelism()}` },
    json: { type: "string" },
    against: { type: "string" },
    turns: { type: "string", default: "7" },
    compile: { type: "boolean", default: false },
    "processor-time": { type: "boolean", default: false },
  },
});
const listed = (text: string | undefined, value: string) => text?.split(",").includes(value) ?? true;
const cases = CASES.filter(
  ({ kind, network }) => listed(values.only, kind) && listed(values.networks, network),
);
if (cases.length === 0) {
  const known = (key: "kind" | "network") => [...new Set(CASES.map((one) => one[key]))].join(", ");
  console.error(`No case is like that: --only knows ${known("kind")}; --networks knows ${known("network")}.`);
  process.exit(1);
}

const threads = threadsEnvironment(Number(values.threads));
const env = { TF_CPP_MIN_LOG_LEVEL: "2", ...process.env, ...threads };

function measure(one: Case): Measured {
  const output = execFileSync(process.execPath, [RUN, JSON.stringify(one)], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output.trim().split("\n").at(-1)!) as Measured;
}

const sorted = (numbers: number[]) => numbers.toSorted((a, b) => a - b);
const median = (numbers: number[]): number => sorted(numbers)[numbers.length >> 1]!;
const ms = (number: number): string => number.toFixed(number < 100 ? 1 : 0);
const GB = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

function tell({ kind, network, height, width, batch }: Case, measured: Measured): string {
  const { milliseconds, residentBytes } = measured;
  const [least, most] = [sorted(milliseconds)[0]!, sorted(milliseconds).at(-1)!];
  const time = `${ms(median(milliseconds))} ms (${ms(least)} to ${ms(most)})`;
  const place = `${kind} ${network} ${height}x${width} batch ${batch}`.padEnd(42);
  if (kind === "StartUp") return `${place} ${time}, ${GB(residentBytes)}`;
  const rate = (1000 * batch) / median(milliseconds);
  return `${place} ${rate.toFixed(2).padStart(8)} images/s, ${time}, ${GB(residentBytes)}`;
}

/** Stage 0 without the encoder: what reading costs, and the gain beside the bound that MACs give. */
function tellStage0(
  { genotype, height, width }: Case,
  { milliseconds, reading, encoding }: Measured,
): string {
  const settings = { classes: CLASSES, aggregateChannels: 48, separableRepeats: 1 };
  const macs = countMacs(expand(parseArchitecture(genotype), settings, { height, width }));
  const step = median(milliseconds);
  // A step's backward pass costs about twice its forward pass.
  const bound = 1 + macs.encoder / (3 * macs.decoder);
  const gain = (step + encoding!) / (step + reading!);
  return `  reading ${ms(reading!)} ms, ${((100 * reading!) / step).toFixed(1)}% of a step; with the encoder each time ${ms(encoding!)} ms more: gain ${gain.toFixed(2)}x, bound by MACs ${bound.toFixed(2)}x`;
}

function tellKernels({ kernels }: Measured): string {
  const all = Object.values(kernels).reduce((sum, time) => sum + time, 0);
  const first = Object.entries(kernels)
    .sort(([, a], [, b]) => b - a)
    .slice(0, KERNELS_SHOWN)
    .map(([name, time]) => `${name} ${((100 * time) / all).toFixed(1)}%`);
  return `  ${first.join(", ")}`;
}

console.log(`${cpus()[0]?.model.trim()}, ${values.threads} threads, Node ${process.version}`);
if (values.against === undefined) {
  const results: (Case & Measured)[] = [];
  for (const one of cases) {
    const measured = measure(one);
    results.push({ ...one, ...measured });
    console.log(tell(one, measured));
    if (one.kind === "Stage0") console.log(tellStage0(one, measured));
    if (one.network in PUBLISHED && one.kind !== "StartUp") console.log(tellKernels(measured));
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
} else if (values.against === "pytorch") {
  const settings = { turns: Number(values.turns), file: values.json, env };
  const clock = values["processor-time"] ? "Processor" : "Wall";
  const shared = cases.filter(
    ({ kind, network }) => ["Training", "Inference"].includes(kind) && network in PUBLISHED,
  );
  await contest(shared, { ...settings, clock }, pyTorch(values.compile));
} else {
  console.error(`--against: ${values.against} is no rival, write pytorch`);
  process.exitCode = 64;
}
