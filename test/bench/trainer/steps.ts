// Times steps of training, of stage 0 on cached features, and evaluations, and tells where a run's time goes.
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { expand, type Network } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { shapesSplit } from "@segnas/trainer/data/shapes.ts";
import type { Target } from "@segnas/trainer/data/target.ts";
import { ENCODER_SLOTS, SCRATCH } from "@segnas/trainer/model/encoder.ts";
import { Model } from "@segnas/trainer/model/model.ts";
import type { Start } from "@segnas/trainer/model/network.ts";
import { BN_EPSILON, initialArrays, SIDES, type Side, slotsOf } from "@segnas/trainer/model/parameters.ts";
import { dispose, read, tensor } from "@segnas/trainer/tensorflow/runtime.ts";
import { PRESETS } from "@segnas/trainer/training/configuration.ts";
import { openFeatures } from "@segnas/trainer/training/features.ts";
import { Optimizer } from "@segnas/trainer/training/optimizer.ts";
import { Session } from "@segnas/trainer/training/session.ts";
import { type Case, CLASSES, type Measured } from "./cases.ts";
import { profile } from "./profile.ts";

const WARM_UP = 2;
const { stage0, stage1 } = PRESETS.paper;

type Work = () => void | Promise<void>;

/** Milliseconds of each of `runs`, after some that are not timed. */
async function timed(runs: number, work: Work): Promise<number[]> {
  for (let i = 0; i < WARM_UP; i++) await work();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

/** Inputs in the range that an encoder sees. */
function inputs(network: Network, nodes: number[], batch: number): Start {
  const source = random(1, "inputs");
  return new Map(
    nodes.map((node) => {
      const { height, width, channels } = network.values[node]!;
      const numbers = Float32Array.from(
        { length: batch * height * width * channels },
        () => 2 * source.uniform() - 1,
      );
      return [node, tensor(numbers, [batch, height, width, channels])];
    }),
  );
}

/** Labels of all classes at a value's size. */
function labels(network: Network, value: number, batch: number): Target {
  const { height, width } = network.values[value]!;
  return { label: Uint8Array.from({ length: batch * height * width }, (_, i) => i % CLASSES), height, width };
}

/** A network with numbers to work on. */
export interface Prepared {
  network: Network;
  model: Model;
  start: Start;
  target: Target;
}

/** A case's network with untrained weights, images and labels. */
export function prepare({ genotype, height, width, batch }: Case): Prepared {
  const settings = { classes: CLASSES, aggregateChannels: 48, separableRepeats: 1 };
  const network = expand(parseArchitecture(genotype), settings, { height, width });
  const slots = SIDES.flatMap((side) => slotsOf(network, side));
  const model = Model.from(network, initialArrays(slots, random(1, "bench")), BN_EPSILON);
  const target = labels(network, network.logits, batch);
  return { network, model, start: inputs(network, [0], batch), target };
}

/** A training step, end to end; tells the loss. */
export function trainingStep({ network, model, start, target }: Prepared): () => number {
  const optimizer = (side: Side, learningRate: number) =>
    new Optimizer(model.vector(side), { ...stage1, learningRate });
  const optimizers = {
    encoder: optimizer("encoder", stage1.encoderLearningRate),
    decoder: optimizer("decoder", stage1.decoderLearningRate),
  };
  return () => model.step(network, start, target, optimizers);
}

/** An evaluation; tells the logits. A GPU works on after the call: only numbers read back say that it is done. */
export function evaluation({ network, model, start }: Prepared): () => Float32Array {
  return () => {
    const [logits] = model.evaluate(network, start, [network.logits]);
    const numbers = read(logits!);
    dispose(logits!);
    return numbers;
  };
}

/** Before a profile is taken, which is no part of a training: it makes a second model and runs it op by op. */
const residentPeak = (): number => process.resourceUsage().maxRSS * 1024;

export async function measureSteps(one: Case, folder: string): Promise<Measured> {
  const prepared = prepare(one);
  if (one.kind === "Stage0") return measureStage0(one, prepared, folder);
  const run = one.kind === "Training" ? trainingStep(prepared) : evaluation(prepared);
  const milliseconds = await timed(one.runs, () => void run());
  const residentBytes = residentPeak();
  // A graph's kernels cannot be told apart: a model's first step runs op by op.
  const again = one.kind === "Training" ? trainingStep(prepare(one)) : run;
  return { milliseconds, residentBytes, kernels: await profile(() => void again()) };
}

async function measureStage0(
  { batch, runs }: Case,
  { network, model, start: image }: Prepared,
  folder: string,
) {
  const { height, width } = network.values[0]!;
  const names = Array.from({ length: 4 * batch }, (_, index) => ({ name: `shapes_${index}`, index }));
  const cached = {
    split: shapesSplit({ seed: 1, classes: 6, height, width }, names),
    images: names.length,
    training: { ...PRESETS.paper, crop: { height, width } },
    encoder: { ...SCRATCH, arrays: initialArrays(ENCODER_SLOTS, random(1)), source: "bench" },
    seed: 1,
  };
  const cache = await openFeatures(folder, cached, model, network, new Session("bench", undefined));
  const nodes = network.nodes.slice(0, 2);
  const decoder = new Optimizer(model.vector("decoder"), stage0);
  const target = labels(network, nodes[0]!, batch);
  const order = random(1, "order");
  const readBatch = async () => {
    const { features } = await cache.read(Array.from({ length: batch }, () => order.integer(cache.records)));
    return features;
  };
  const features = await readBatch();
  const start: Start = new Map(
    nodes.map((node, i) => [node, tensor(features[i]!, [batch, ...cache.shapes[i]!])]),
  );
  const step = () => void model.step(network, start, target, { decoder });
  const milliseconds = await timed(runs, step);
  const reading = median(await timed(runs, async () => void (await readBatch())));
  const encoding = median(await timed(runs, () => dispose(...model.evaluate(network, image, nodes))));
  await cache.close();
  const residentBytes = residentPeak();
  return { milliseconds, residentBytes, reading, encoding, kernels: await profile(step) };
}
