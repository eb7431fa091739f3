// Trains what the plan asks for and is not in docs/results/runs.json yet, two at a time, one thread each, and keeps each
// there as it ends. Delete that file when the trainer's arithmetic or examples/camvid.yaml changes.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { threadsEnvironment } from "@segnas/operator/controllers/candidatetrial/threads.ts";
import { readSearch } from "../../../cli/manifest.ts";
import {
  architectureOf,
  isSame,
  LONG_EPOCHS,
  PLAN,
  type Run,
  SIZES,
  type Training,
  WARM_UP_EPOCHS,
} from "./plan.ts";

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const TRAINER = path("../../../trainer/main.ts");
const SEARCH = path("../../../examples/camvid.yaml");
export const FOLDER = path("../../../docs/results/");
const FILE = join(FOLDER, "runs.json");
const AT_ONCE = 2;
const PRIORITY = 10;

/** The runs that there are. */
export const kept = (): Run[] => (existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : []);

/** Trains what is missing. A training that fails ends it: the others are told to stop, and may be asked for again. */
export async function trainMissing(dataset: string): Promise<void> {
  const search = await readSearch({ file: SEARCH, dataset });
  const missing = PLAN.filter((one) => !kept().some((run) => isSame(run, one)));
  setPriority(PRIORITY);
  const children = new Set<ChildProcess>();
  try {
    const worker = async () => {
      for (let next = missing.shift(); next; next = missing.shift()) {
        const run = await train(search, next, children);
        keep(run);
        console.log(`${nameOf(next)}: ${run.reward.toFixed(4)} in ${run.seconds.toFixed(0)} s`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    for (const child of children) child.kill();
  }
}

const nameOf = ({ architecture, encoder, budget, seed }: Training): string =>
  `${architecture}-${encoder}-${budget}-${seed}`.toLowerCase();

/** SEGNAS_TRIAL of a training, as the search of the example would give it. */
export function trialOf({ spec }: ArchitectureSearch, one: Training): object {
  const { space, objective, dataset, training } = spec;
  return {
    ...{ name: nameOf(one), seed: one.seed, searchSeed: spec.seed, space, objective, dataset },
    architecture: architectureOf(one.architecture),
    training: {
      ...training,
      ...SIZES,
      stage1: {
        ...training?.stage1,
        polyakDecay: one.budget === "shortDecay9" ? "0.9" : "0.99",
        ...(one.budget === "long" && { epochs: LONG_EPOCHS }),
      },
      ...(one.encoder === "WarmUp" && { encoder: { source: "WarmUp", warmUpEpochs: WARM_UP_EPOCHS } }),
    },
  };
}

/** Runs the trainer as a search on this machine would. Throws its own words where it has no result. */
async function train(search: ArchitectureSearch, one: Training, children: Set<ChildProcess>): Promise<Run> {
  const folder = join(tmpdir(), "segnas-results");
  mkdirSync(folder, { recursive: true });
  const result = join(folder, `${nameOf(one)}.json`);
  rmSync(result, { force: true });
  const child = spawn(process.execPath, [TRAINER], {
    // As a search starts it: in a session of its own, told by the channel when we are gone.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: {
      ...process.env,
      ...threadsEnvironment(1),
      SEGNAS_TRIAL: JSON.stringify(trialOf(search, one)),
      SEGNAS_RESULT: result,
      SEGNAS_CACHE: join(folder, "cache"),
      SEGNAS_PORT: "0",
      SEGNAS_TENSORFLOW: "cpu",
    },
  });
  children.add(child);
  const [said, [code]] = await Promise.all([text(child.stderr!), once(child, "exit")]);
  children.delete(child);
  if (code !== 0) throw new Error(`${nameOf(one)} ended with ${code}:\n${said}`);
  const { reward, slots, parameters, macs, seconds } = JSON.parse(readFileSync(result, "utf8"));
  return { ...one, reward, slots, parameters, macs, seconds };
}

function keep(run: Run): void {
  const rounded = JSON.parse(JSON.stringify(run), (key, value) =>
    typeof value === "number" ? Number(value.toFixed(key === "seconds" ? 0 : 5)) : value,
  );
  mkdirSync(FOLDER, { recursive: true });
  const lines = [...kept(), rounded].map((one) => JSON.stringify(one));
  // Whole or not at all: an interruption loses no run.
  writeFileSync(`${FILE}.new`, `[\n${lines.join(",\n")}\n]\n`);
  renameSync(`${FILE}.new`, FILE);
}
