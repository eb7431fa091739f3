// One trial as a child process under the trainer contract: its environment, its limits and its end.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import type { Container, ContainerStateTerminated, Job } from "../api/store.ts";
import { TRAINER, TRIAL_LABEL } from "../controllers/candidatetrial/job.ts";
import { MAX_RESULT_BYTES } from "../controllers/candidatetrial/outcome.ts";
import { quantity, threadsEnvironment } from "../controllers/candidatetrial/threads.ts";
import { residentBytes, signalGroup } from "./process.ts";

export interface TrainerProcess {
  pid: number | undefined;
  ended: Promise<ContainerStateTerminated>;
  /** SIGTERM, and SIGKILL ten seconds later. */
  stop(): void;
  /** SIGKILL. */
  kill(): void;
}

export interface TrainerOptions {
  /** Program and arguments that play the container `trainer`. */
  command: string[];
  env: Record<string, string>;
  stateDir: string;
  port: number;
  /** The GPU it may use; none: the CPU. */
  gpu: number | undefined;
  now: () => Date;
}

const GRACE_MS = 10_000;
const MEMORY_LOOK_MS = 1_000;
/** As much of a log as Kubernetes takes for a message (FallbackToLogsOnError). */
const LOG_BYTES = 2048;

const KILLED = "killed by SIGKILL: by somebody, or by the kernel as memory ran out";

/** Starts the trainer of a Job. It leads a process group of its own, and knows by its IPC channel when we are gone. */
export function startTrainer(job: Job, options: TrainerOptions): TrainerProcess {
  const { command, stateDir, now } = options;
  const container = job.spec.template.spec.containers.find(({ name }) => name === TRAINER)!;
  const { name } = job.metadata;
  const paths = {
    result: join(stateDir, "results", name),
    log: join(stateDir, "logs", `${name}.log`),
    cache: join(stateDir, "cache"),
    artifacts: join(stateDir, "artifacts", job.metadata.labels![TRIAL_LABEL]!),
  };
  for (const folder of [dirname(paths.result), dirname(paths.log), paths.cache, paths.artifacts]) {
    mkdirSync(folder, { recursive: true });
  }
  rmSync(paths.result, { force: true });
  const log = openSync(paths.log, "w");
  const startedAt = now().toISOString();
  const child = spawn(command[0]!, command.slice(1), {
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
    env: {
      ...process.env,
      ...options.env,
      ...containerEnvironment(container),
      ...trainerEnvironment(container, options.gpu, paths),
      SEGNAS_PORT: String(options.port),
    },
  });
  closeSync(log);

  let killedForMemory = false;
  const limit = container.resources?.limits?.memory;
  const most = quantity(limit ?? 0);
  // 0 is no limit, as in Kubernetes.
  const watch = most > 0 ? setInterval(look, MEMORY_LOOK_MS, most) : undefined;
  async function look(most: number): Promise<void> {
    const bytes = child.pid && (await residentBytes(child.pid));
    if (!bytes || bytes <= most || child.exitCode !== null) return;
    killedForMemory = true;
    signalGroup(child.pid!, "SIGKILL");
  }

  const kill = () => child.pid && signalGroup(child.pid, "SIGKILL");
  let grace: NodeJS.Timeout | undefined;
  const ended = exitOf(child).then((exit): ContainerStateTerminated => {
    clearInterval(watch);
    clearTimeout(grace);
    // What it started and left behind goes with it.
    if (child.pid) signalGroup(child.pid, "SIGKILL");
    const { exitCode, signal } = exit;
    const reason = killedForMemory && signal ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error";
    const written =
      exit.error ??
      (reason === "OOMKilled" ? `it used more memory than its limit of ${limit}` : undefined) ??
      (signal === constants.signals.SIGKILL && !grace ? KILLED : undefined) ??
      (head(paths.result, MAX_RESULT_BYTES) || (exitCode === 0 ? "" : tail(paths.log, LOG_BYTES)));
    return {
      exitCode,
      ...(signal && { signal }),
      reason,
      message: written,
      startedAt,
      finishedAt: now().toISOString(),
    };
  });

  return {
    pid: child.pid,
    ended,
    stop() {
      if (!child.pid || grace) return;
      signalGroup(child.pid, "SIGTERM");
      grace = setTimeout(kill, GRACE_MS);
    },
    kill,
  };
}

/** Exit code as a shell counts it: 128 and the signal's number for a process that a signal ended. */
function exitOf(child: ChildProcess): Promise<{ exitCode: number; signal?: number; error?: string }> {
  return new Promise((resolve) => {
    child.on("error", (error) => {
      if (child.pid === undefined)
        resolve({ exitCode: 128, error: `the trainer could not be started: ${error.message}` });
    });
    child.on("exit", (code, name) => {
      const signal = name ? constants.signals[name] : undefined;
      resolve(signal === undefined ? { exitCode: code! } : { exitCode: 128 + signal, signal });
    });
  });
}

const containerEnvironment = ({ env = [] }: Container): Record<string, string> =>
  Object.fromEntries(
    env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value.replaceAll("$$(", "$(")]])),
  );

/** What this machine tells a trainer beside its container's own environment; `gpu` is the one it may use. */
export function trainerEnvironment(
  container: Container | undefined,
  gpu: number | undefined,
  paths: { result: string; cache: string; artifacts: string },
): Record<string, string> {
  return {
    SEGNAS_RESULT: paths.result,
    SEGNAS_CACHE: paths.cache,
    SEGNAS_ARTIFACTS: paths.artifacts,
    ...threadsEnvironment(container?.resources?.limits?.cpu ?? 1),
    // The trainer refuses where TensorFlow cannot use what it was given.
    SEGNAS_TENSORFLOW: gpu === undefined ? "cpu" : "cuda",
    CUDA_VISIBLE_DEVICES: gpu === undefined ? "" : String(gpu),
  };
}

const read = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
};
const head = (file: string, bytes: number): string => read(file).subarray(0, bytes).toString();
const tail = (file: string, bytes: number): string => read(file).subarray(-bytes).toString();
