// The thread of a lock's holder (lock.ts): it changes the lock's file every moment for as long as the process lives.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

const { path, holder, everyMs } = workerData as { path: string; holder: string; everyMs: number };
let beats = 0;

setInterval(() => {
  try {
    // Opened each time: that is when network file systems pass on what was written.
    const file = openSync(path, "r+");
    if (readFileSync(file, "utf8").startsWith(holder)) writeSync(file, `${holder} ${++beats}`, 0);
    closeSync(file);
  } catch {
    // The lock is lost, or the disk full: whoever waits may take over.
  }
}, everyMs);
