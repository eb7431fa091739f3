// Our side of a contest: node test/bench/trainer/contender.ts '<case as JSON>' CLOCK FOLDER leaves in FOLDER what a
// rival needs to do the same work from the same weights, and what comes out. It then does the work once for each line
// that it reads, and answers with the milliseconds.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { random } from "@segnas/searchspace/random.ts";
import { Model } from "@segnas/trainer/model/model.ts";
import { BN_EPSILON, SIDES, slotsOf } from "@segnas/trainer/model/parameters.ts";
import { type NamedTensor, writeSafetensors } from "@segnas/trainer/model/safetensors.ts";
import { read } from "@segnas/trainer/tensorflow/runtime.ts";
import { PRESETS } from "@segnas/trainer/training/configuration.ts";
import type { Case, Clock } from "./cases.ts";
import { evaluation, type Prepared, prepare, trainingStep } from "./steps.ts";

/** Steps whose losses a rival must meet (run.py has a tolerance for each): the later ones show its optimiser too. */
const CHECKED_STEPS = 3;

/** What FOLDER/case.json says beside weights.safetensors (before any step) and data.safetensors (image, label, logits). */
export interface Exchange {
  kind: Case["kind"];
  threads: number;
  /** Milliseconds by the wall's clock, or those that all of the process's threads spent on a processor. */
  clock: Clock;
  network: Prepared["network"];
  optimizer: typeof PRESETS.paper.stage1;
  /** Of the first training steps. */
  losses: number[];
}

const [json, clock, folder] = process.argv.slice(2) as [string, Clock, string];
const one = JSON.parse(json) as Case;
const prepared = withStatistics(prepare(one));
const { network, start, target } = prepared;
const slots = SIDES.flatMap((side) => slotsOf(network, side));
const arrays = prepared.model.arrays();
const weights = slots.map(({ name, shape }) => [name, { shape, values: arrays.get(name)! }] as const);
await writeSafetensors(join(folder, "weights.safetensors"), { metadata: {}, tensors: new Map(weights) });

const { height, width, channels } = network.values[network.logits]!;
const run: () => number | Float32Array =
  one.kind === "Training" ? trainingStep(prepared) : evaluation(prepared);
const made = Array.from({ length: CHECKED_STEPS }, run);
const image = start.get(0)!;
const data = new Map<string, NamedTensor>([
  ["image", { shape: [...image.shape], values: read(image) }],
  ["label", { shape: [one.batch, target.height, target.width], values: Float32Array.from(target.label) }],
]);
const [first] = made;
if (first instanceof Float32Array)
  data.set("logits", { shape: [one.batch, height, width, channels], values: first });
await writeSafetensors(join(folder, "data.safetensors"), { metadata: {}, tensors: data });
const exchange: Exchange = {
  kind: one.kind,
  threads: Number(process.env.TF_NUM_INTRAOP_THREADS),
  clock,
  network,
  optimizer: PRESETS.paper.stage1,
  losses: made.filter((value) => typeof value === "number"),
};
writeFileSync(join(folder, "case.json"), JSON.stringify(exchange));
console.log("{}");

for await (const _ of createInterface({ input: process.stdin })) {
  const begin = milliseconds();
  run();
  console.log(milliseconds() - begin);
}
process.exit();

function milliseconds(): number {
  if (clock === "Wall") return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** BN's arrays drawn at random: with its first ones a network in evaluation hardly shows whether they are used right. */
function withStatistics({ network, model, ...rest }: Prepared): Prepared {
  const source = random(1, "statistics");
  const arrays = model.arrays();
  for (const { name, role } of SIDES.flatMap((side) => slotsOf(network, side)))
    if (["gamma", "beta", "mean", "variance"].includes(role))
      arrays.set(
        name,
        arrays.get(name)!.map((value) => value + 0.4 * (source.uniform() - 0.5)),
      );
  model.dispose();
  return { network, model: Model.from(network, arrays, BN_EPSILON), ...rest };
}
