// What the operating system knows of a process: how much memory it holds, and whether it is still the same one.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const KIB = 1024;

/** Resident memory in bytes; undefined where the process is gone. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const kib =
    process.platform === "linux"
      ? /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""))?.[1]
      : await ps(pid, "rss=");
  return kib ? Number(kib) * KIB : undefined;
}

/** What tells a process from a later one of the same number: when it started. Undefined where it is gone. */
export async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return (await ps(pid, "lstart="))?.replaceAll(/\W+/g, "-");
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // Field 22, counted behind the name, which may hold anything.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

async function ps(pid: number, field: string): Promise<string | undefined> {
  const { stdout } = await run("ps", ["-o", field, "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.trim() || undefined;
}

/** Sends a signal to a process that leads a group and to all in it; nothing where it is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // EPERM: the number is somebody else's by now, or (macOS) only a zombie is left.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
