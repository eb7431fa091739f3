// Where the cluster's state lies, and how its programs are run and started.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { UserError } from "@segnas/searchspace/errors.ts";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** Names the folder of the node of this machine: its addresses leave room for one. */
export const CLAIM = "/run/segnas-cluster";
const OWN = join(REPOSITORY, ".cluster");
/**
 * Binaries and images stay here from one cluster to the next. Where another clone's node runs on this machine it is
 * that one's folder; SEGNAS_CLUSTER names another.
 */
export const HOME = process.env.SEGNAS_CLUSTER ?? nodeOfMachine() ?? OWN;
/** Whether another clone's node is used here, which nobody asked for. */
export const isBorrowed = HOME !== OWN && !process.env.SEGNAS_CLUSTER;
/** Of images: clones that share a node have each their own. */
export const TAG =
  HOME === OWN ? "test" : `test-${createHash("sha256").update(REPOSITORY).digest("hex").slice(0, 8)}`;
/** What belongs to one cluster, and goes with it. */
export const RUN = join(HOME, "run");
export const KUBECONFIG = join(RUN, "admin.kubeconfig");
export const CONTAINERD = join(RUN, "containerd.sock");
/** A label of nodes that a test keeps: whether they are ready says nothing of the cluster. */
export const STAND_IN = "segnas.dev/stand-in-node";

interface Options {
  cwd?: string;
  env?: Record<string, string>;
  input?: string;
  /** Show the command's output as it comes. */
  shown?: boolean;
}

/** Runs a command and returns what it printed. Throws a UserError that ends with the command's own words. */
export function run(
  command: string,
  args: string[],
  { shown = false, env, ...options }: Options = {},
): string {
  try {
    const output = execFileSync(command, args, {
      ...options,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { ...process.env, ...env },
      stdio: ["pipe", shown ? 2 : "pipe", shown ? 2 : "pipe"],
    });
    return output ?? "";
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string | null };
    const words = stderr?.trim() || message;
    throw new UserError(`${command} ${args.slice(0, 3).join(" ")} ... failed: ${words.slice(-2000)}`);
  }
}

/** Whether a command ends well. */
export function succeeds(command: string, args: string[], options: Options = {}): boolean {
  try {
    run(command, args, options);
    return true;
  } catch {
    return false;
  }
}

/** Prints what is about to happen, does it, and prints how long it took. */
export async function step<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.error(`cluster: ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/** Waits until `look` holds. Throws a UserError with the end of `log` after a minute and a half. */
export async function until(what: string, look: () => boolean, log?: string): Promise<void> {
  for (const end = Date.now() + 90_000; !look(); await setTimeout(200))
    if (Date.now() > end) throw new UserError(`waited in vain for ${what}${log ? `:\n${tail(log)}` : ""}`);
}

const tail = (file: string): string =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(-20).join("\n") : `${file} is not there`;

export const logOf = (name: string): string => join(RUN, "log", `${name}.log`);

/**
 * A log's lines, the oldest first. One that grows too large is moved aside by the API server: log/audit.log to
 * log/audit-<time>.log.
 */
export async function* linesOf(log: string): AsyncGenerator<string> {
  const moved = globSync(log.replace(/\.log$/, "-*.log")).sort();
  // All at once: what is open may be moved meanwhile.
  const files = [...moved, log].map((file) => openSync(file, "r"));
  for (const fd of files) yield* createInterface(createReadStream("", { fd }));
}

function pidFile(name: string, run = RUN): string {
  return join(run, "pid", name);
}

/** The folder of the node that runs on this machine, if one does. */
export function nodeOfMachine(claim = CLAIM): string | undefined {
  const home = existsSync(claim) ? readFileSync(claim, "utf8") : undefined;
  return home && running("etcd", join(home, "run")) ? home : undefined;
}

/** Starts a program that outlives this one; its output goes to log/NAME.log, its process id to pid/NAME. */
export function start(name: string, command: string, args: string[], env: Record<string, string> = {}): void {
  if (running(name)) return;
  for (const folder of ["log", "pid"]) mkdirSync(join(RUN, folder), { recursive: true });
  const log = openSync(logOf(name), "a");
  const stdio = ["ignore", log, log] as const;
  const child = spawn(command, args, {
    cwd: RUN,
    detached: true,
    stdio: [...stdio],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  if (child.pid === undefined) throw new UserError(`${command}: cannot be started`);
  writeFileSync(pidFile(name), `${child.pid} ${startTime(child.pid)}`);
  child.unref();
}

/** When a process started, in clock ticks after boot: with its id this names it for good. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The process that `start` started, if it is still there. */
export function running(name: string, run = RUN): number | undefined {
  const file = pidFile(name, run);
  if (!existsSync(file)) return undefined;
  const [pid, started] = readFileSync(file, "utf8").split(" ");
  return startTime(Number(pid)) === started ? Number(pid) : undefined;
}

/** Ends a program that `start` started, by force after five seconds. */
export async function stop(name: string): Promise<void> {
  const pid = running(name);
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    for (const end = Date.now() + 5000; running(name) && Date.now() < end; ) await setTimeout(50);
    if (running(name)) process.kill(pid, "SIGKILL");
    while (running(name)) await setTimeout(20);
  }
  rmSync(pidFile(name), { force: true });
}
