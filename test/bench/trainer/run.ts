// One case of the trainer's benchmark: node test/bench/trainer/run.ts '<case as JSON>' prints its figures as JSON.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Case, Measured } from "./cases.ts";

const one = JSON.parse(process.argv[2]!) as Case;
const folder = mkdtempSync(join(tmpdir(), "segnas-bench-"));
try {
  // Start-up counts what is loaded, so nothing of the trainer is before it is asked for.
  const startUp = one.kind === "StartUp";
  if (!startUp) await import("./profile.ts");
  const measure = startUp
    ? (await import("./start-up.ts")).measureStartUp
    : (await import("./steps.ts")).measureSteps;
  const measured: Measured = await measure(one, folder);
  console.log(JSON.stringify(measured));
} finally {
  rmSync(folder, { recursive: true });
}
process.exit();
