// What the trainer's benchmark measures: each case runs in a process of its own, so that its memory is its own.
import { type Genotype, PUBLISHED, toGenotype } from "@segnas/searchspace/architecture.ts";
import { sampleUniform } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";

export interface Case {
  /** Training: end to end. Stage0: the decoder on cached features. StartUp: from the process's start to a first step. */
  kind: "Training" | "Stage0" | "Inference" | "StartUp";
  network: string;
  genotype: Genotype;
  height: number;
  width: number;
  batch: number;
  /** Runs that are timed, after one or two that are not. */
  runs: number;
}

/** How a contest counts time: by the wall's clock, or what the processors spent on one thread. */
export type Clock = "Wall" | "Processor";

/** What a case's process says. */
export interface Measured {
  /** Of each timed run: a step, an evaluation, or the start-up. */
  milliseconds: number[];
  /** The process's largest resident memory while it was timed. */
  residentBytes: number;
  /** Milliseconds in TensorFlow's kernels, of one run; on a GPU, where kernels run on after the call, not to be trusted. */
  kernels: Record<string, number>;
  /** Stage0: reading one batch of features, and making them by the encoder instead. */
  reading?: number;
  encoding?: number;
}

/** CamVid's. */
export const CLASSES = 11;
const RANDOM_NETWORKS = 10;

const published = Object.entries(PUBLISHED);
const drawn = Array.from({ length: RANDOM_NETWORKS }, (_, i): [string, Genotype] => [
  `random${i}`,
  toGenotype(sampleUniform(random(1, "bench", i))),
]);

function casesOf(
  kind: Case["kind"],
  networks: [string, Genotype][],
  sizes: [height: number, width: number, batch: number][],
  runs: number,
): Case[] {
  return sizes.flatMap(([height, width, batch]) =>
    networks.map(([network, genotype]) => ({ kind, network, genotype, height, width, batch, runs })),
  );
}

export const CASES: Case[] = [
  ...casesOf(
    "Training",
    [...published, ...drawn],
    [
      [321, 321, 4],
      [321, 321, 16],
      [64, 64, 8],
    ],
    5,
  ),
  ...casesOf(
    "Inference",
    [...published, ...drawn],
    [
      [360, 480, 1],
      [360, 480, 8],
      [1024, 2048, 1],
    ],
    7,
  ),
  ...casesOf("Stage0", published, [[321, 321, 8]], 5),
  ...casesOf("StartUp", published.slice(0, 1), [[64, 64, 8]], 1),
];
