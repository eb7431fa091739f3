// The name that the program was called by: kubectl finds it as kubectl-segnas.
import { basename } from "node:path";

/** "segnas", or "kubectl segnas". */
export const PROGRAM = basename(process.argv[1] ?? "").startsWith("kubectl-segnas")
  ? "kubectl segnas"
  : "segnas";
