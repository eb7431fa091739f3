// What Linux knows of a process: how much memory it holds, and whether it is still the same one.
import { readFile } from "node:fs/promises";

const KIB = 1024;

/** Resident memory in bytes; undefined where the process is gone. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(status) ?? [];
  return kib ? Number(kib) * KIB : undefined;
}

/** What tells a process from a later one of the same number: when it started. Undefined where it is gone. */
export async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // Field 22, counted behind the name, which may hold anything.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** Sends a signal to a process that leads a group and to all in it; nothing where it is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // EPERM: the number is somebody else's by now.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
