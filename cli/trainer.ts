// Starts the trainer before a search does: to check its settings and data, and to measure a trial.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { EXIT, TRAINER, trainerInput } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { lastWords } from "@segnas/operator/controllers/candidatetrial/outcome.ts";
import { trainerEnvironment } from "@segnas/operator/local/trainer-process.ts";
import { UserError } from "@segnas/searchspace/errors.ts";

/** How trials are run on this machine: the trainer's command line, and the GPUs (0: on the CPU). */
export interface Trainer {
  command: [string, ...string[]];
  gpus: number;
}

/** Our trainer, or the file of another one that keeps its contract. */
export const trainerOf = ({ trainer, gpus }: { trainer?: string; gpus?: number }): Trainer => ({
  command: [process.execPath, trainer ?? fileURLToPath(new URL("../trainer/main.ts", import.meta.url))],
  gpus: gpus ?? gpusHere(),
});

/** The machine's GPUs where TensorFlow was set up for CUDA (at least one: without it trials say so), else none. */
function gpusHere(): number {
  const flavour = fileURLToPath(new URL("../.setup/flavour", import.meta.url));
  if (!existsSync(flavour) || readFileSync(flavour, "utf8").trim() !== "cuda") return 0;
  return Math.max(1, readdirSync("/dev").filter((device) => /^nvidia\d+$/.test(device)).length);
}

/** What `--measure` says; a field is absent where it could not be measured. */
export interface Measurement {
  trainingImages?: number;
  heldOutImages?: number;
  encoder?: string;
  /** The training settings in full: the manifest's over the preset's. */
  training?: Record<string, unknown>;
  /** Wall-clock seconds of one whole trial, features not counted. */
  secondsPerTrial?: number;
  residentBytes?: number;
  /** Seconds that the encoder's features take, once for all trials. */
  secondsForFeatures?: number;
}

/** Throws UserError where the trainer finds its settings or the data set wrong, in its own words. */
export async function checkTrainer(
  trainer: Trainer,
  search: ArchitectureSearch,
  trial: CandidateTrial,
  signal?: AbortSignal,
): Promise<void> {
  await run(trainer, "--check", search, trial, signal);
}

/** Measures one trial. Throws UserError as `checkTrainer` does, Error where the measurement fails. */
export async function measureTrainer(
  trainer: Trainer,
  search: ArchitectureSearch,
  trial: CandidateTrial,
  signal?: AbortSignal,
): Promise<Measurement> {
  const output = await run(trainer, "--measure", search, trial, signal);
  const line = output.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line) as Measurement;
  } catch {
    throw new Error(`the trainer's measurement is not JSON: ${line.slice(0, 200)}`);
  }
}

/** Runs the trainer in one of its modes, in a folder of its own that goes again; gives its standard output. */
async function run(
  { command: [program, ...args], gpus }: Trainer,
  mode: "--check" | "--measure",
  search: ArchitectureSearch,
  trial: CandidateTrial,
  signal: AbortSignal | undefined,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "segnas-"));
  const container = search.spec.trialTemplate?.spec?.containers.find((it) => it.name === TRAINER);
  const env = Object.fromEntries(container?.env?.map(({ name, value }) => [name, value ?? ""]) ?? []);
  try {
    const child = spawn(program, [...args, mode], {
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal && { signal }),
      env: {
        ...process.env,
        ...env,
        // As a trial has it, so that a measurement is one of a trial.
        ...trainerEnvironment(container, gpus > 0 ? 0 : undefined, {
          result: join(folder, "result.json"),
          cache: join(folder, "cache"),
          artifacts: join(folder, "artifacts"),
        }),
        SEGNAS_TRIAL: trainerInput(search, trial),
      },
    });
    const ended = successOf(child, "the trainer could not start");
    const [output] = await Promise.all([text(child.stdout), ended]);
    return output;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Waits until a trainer has ended well. Throws UserError with its own words where it finds its configuration wrong,
 * and otherwise Error that begins with `failed`.
 */
export async function successOf(
  child: ChildProcessByStdio<Writable | null, Readable, Readable>,
  failed: string,
): Promise<void> {
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killedBy) => resolve(code ?? killedBy));
  });
  const [code, errors] = await Promise.all([ended, text(child.stderr)]);
  if (code === EXIT.result) return;
  if (code === EXIT.invalidConfiguration) throw new UserError(errors.trim());
  throw new Error(
    `${failed} (${typeof code === "number" ? `exit code ${code}` : code}): ${lastWords(errors) || "it said nothing"}`,
  );
}
