// Starts the trainer as its callers do, and writes small data sets for it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Progress } from "@segnas/trainer/training/session.ts";
import { encode } from "fast-png";

const MAIN = fileURLToPath(new URL("../../trainer/main.ts", import.meta.url));

/** A trial that takes a few seconds, with the given fields of `training` (stage by stage) and others in place. */
export function trialOf(training: Record<string, unknown> = {}, change: object = {}) {
  const stage = { epochs: 1, batchSize: 4 };
  return {
    name: "t-0",
    seed: 1,
    searchSeed: 1,
    architecture: "arch0",
    space: { aggregateChannels: 8, separableRepeats: 1 },
    objective: {},
    dataset: { format: "Shapes", heldOut: "0.2", shapes: { images: 20, height: 40, width: 48 } },
    ...change,
    training: {
      crop: { height: 32, width: 40 },
      statisticsBatches: 2,
      ...training,
      stage0: { ...stage, ...(training.stage0 as object) },
      stage1: { ...stage, ...(training.stage1 as object) },
    },
  };
}

export interface TrainerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  /** What is said to people; the log apart. */
  stderr: string;
  /** Lines of JSON. */
  log: string;
  /** Parsed; undefined where no result was written. */
  result: Record<string, unknown> | undefined;
}

interface StartOptions {
  mode?: string[];
  env?: Record<string, string | undefined>;
  /** A program that starts the trainer, with its first arguments. */
  within?: string[];
}

/** Starts the trainer in `folder` (result.json, cache, artifacts) with an IPC channel, as a search on this machine does. */
export function start(
  trial: unknown,
  folder: string,
  { mode = [], env = {}, within = [] }: StartOptions = {},
) {
  const own = Object.entries(process.env).filter(([name]) => !/^(SEGNAS_|TF_|NODE_TEST)/.test(name));
  mkdirSync(folder, { recursive: true });
  const result = join(folder, "result.json");
  const [program, ...args] = [...within, process.execPath, MAIN, ...mode] as [string, ...string[]];
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: {
      ...Object.fromEntries(own),
      SEGNAS_TRIAL: typeof trial === "string" ? trial : JSON.stringify(trial),
      SEGNAS_RESULT: result,
      SEGNAS_CACHE: join(folder, "cache"),
      SEGNAS_ARTIFACTS: join(folder, "artifacts"),
      SEGNAS_PORT: "0",
      TF_NUM_INTRAOP_THREADS: "1",
      TF_NUM_INTEROP_THREADS: "1",
      OMP_NUM_THREADS: "1",
      ...env,
    },
  });
  // Not "close", which never comes after a `disconnect` from this side.
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once("exit", (code, signal) => resolve([code, signal])),
  );
  const ended = Promise.all([exit, text(child.stdout!), text(child.stderr!)]).then(
    ([[code, signal], stdout, stderr]): TrainerEnd => ({
      code,
      signal,
      stdout,
      stderr: linesOf(stderr, (line) => !line.startsWith('{"')),
      log: linesOf(stderr, (line) => line.startsWith('{"')),
      result: existsSync(result) ? JSON.parse(readFileSync(result, "utf8") || "null") : undefined,
    }),
  );
  return { child, ended };
}

const linesOf = (text: string, wanted: (line: string) => boolean): string =>
  text.split("\n").filter(wanted).join("\n");

export const run = (...args: Parameters<typeof start>): Promise<TrainerEnd> => start(...args).ended;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await promisify(server.close.bind(server))();
  return port;
}

/** Looks again and again, for half a minute, until there is an answer. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 30_000;
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined) return seen;
    assert.ok(Date.now() < end, "waited for half a minute");
    await setTimeout(30);
  }
}

/** A trainer's progress once it is as wanted. */
export const progressOf = (port: number, wanted: (progress: Progress) => boolean): Promise<Progress> =>
  until(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/progress`);
    const progress = (await response.json()) as Progress;
    return wanted(progress) ? progress : undefined;
  });

/** Pixels of one image for `writeDataset`. */
export interface Picture {
  height: number;
  width: number;
  label: (y: number, x: number) => number;
}

/** Writes a Folder data set whose images follow their labels in brightness; returns its path. */
export function writeDataset(path: string, pictures: Picture[]): string {
  for (const kind of ["images", "labels"]) mkdirSync(join(path, "train", kind), { recursive: true });
  for (const [i, { height, width, label }] of pictures.entries()) {
    const labels = Uint8Array.from({ length: height * width }, (_, p) =>
      label(Math.floor(p / width), p % width),
    );
    const image = Uint8Array.from({ length: labels.length * 3 }, (_, at) => {
      const value = labels[Math.floor(at / 3)]!;
      return value === 255 ? (at * 37) % 256 : Math.min(255, 60 + 80 * value + ((at * 29) % 23));
    });
    const name = `film_${String(i).padStart(3, "0")}.png`;
    writeFileSync(join(path, "train", "images", name), encode({ width, height, channels: 3, data: image }));
    writeFileSync(join(path, "train", "labels", name), encode({ width, height, channels: 1, data: labels }));
  }
  return path;
}
