// How long networks take to evaluate on this machine, and how much memory: `segnas measure` asks.
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { type NetworkSettings, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { fields } from "@segnas/searchspace/fields.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { Model } from "../model/model.ts";
import { BN_EPSILON, initialArrays, SIDES, slotsOf } from "../model/parameters.ts";
import { dispose, read, tensor, USES_GPU, VERSION } from "../tensorflow/runtime.ts";

/** Networks in the order in which they are timed, each `runs` times; an architecture in any of its forms. */
export interface LatencyRequest {
  settings: NetworkSettings;
  runs: number;
  networks: { architecture: unknown; height: number; width: number }[];
}

export interface MeasuredLatency {
  /** Processor or GPU, TensorFlow and threads. */
  device: string;
  /** Each timed run's, from an image in TensorFlow to the logits read back, batch 1. */
  milliseconds: number[];
  /** This process's largest resident memory so far: TensorFlow itself and all networks before this one too. */
  residentBytes: number;
}

/** Runs before those that are timed: the first finds the kernels and fills the allocator. */
const WARM_UP = 2;

/** A request as JSON. Throws UserError where it is none; who sends it is our own program, so no further questions. */
export function parseRequest(text: string): LatencyRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError("standard input: is not JSON, write what `segnas measure` writes");
  }
  return fields(value, "standard input", ["settings", "runs", "networks"]) as unknown as LatencyRequest;
}

/** Evaluates each network with untrained weights: the work is the same. Throws UserError for a bad architecture. */
export function* measureLatencies({ settings, runs, networks }: LatencyRequest): Generator<MeasuredLatency> {
  const device = deviceText();
  for (const { architecture, height, width } of networks) {
    const network = expand(parseArchitecture(architecture), settings, { height, width });
    const slots = SIDES.flatMap((side) => slotsOf(network, side));
    const model = Model.from(network, initialArrays(slots, random(0, "measure")), BN_EPSILON);
    const pixels = Float32Array.from({ length: height * width * 3 }, (_, i) => ((i * 37) % 255) / 127.5 - 1);
    const image = tensor(pixels, [1, height, width, 3]);
    const once = () => {
      const start = performance.now();
      const [logits] = model.evaluate(network, new Map([[0, image]]), [network.logits]);
      // A GPU works on after the call: only the numbers read back say that it is done.
      read(logits!);
      const milliseconds = performance.now() - start;
      dispose(logits!);
      return milliseconds;
    };
    for (let i = 0; i < WARM_UP; i++) once();
    const milliseconds = Array.from({ length: runs }, once);
    dispose(image);
    model.dispose();
    yield { device, milliseconds, residentBytes: process.resourceUsage().maxRSS * 1024 };
  }
}

/** What the figures hold for, as a person would name it. */
function deviceText(): string {
  if (USES_GPU) return `${gpuName()}, TensorFlow ${VERSION} with CUDA`;
  const threads = process.env.TF_NUM_INTRAOP_THREADS ?? `${cpus().length}`;
  return `${cpus()[0]?.model.trim() ?? "unknown processor"}, TensorFlow ${VERSION} on the CPU, ${threads} ${threads === "1" ? "thread" : "threads"}`;
}

/** The first GPU's name as the driver tells it. */
function gpuName(): string {
  const folder = "/proc/driver/nvidia/gpus";
  try {
    const [first] = readdirSync(folder);
    const about = readFileSync(join(folder, first!, "information"), "utf8");
    return /^Model:\s*(.+)$/m.exec(about)?.[1] ?? "NVIDIA GPU";
  } catch {
    return "NVIDIA GPU";
  }
}
