// PyTorch as the trainer's rival: installed when first asked for, pinned by version and hash, and held against the
// goldens before anything is timed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Genotype, type NetworkSettings, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { expand } from "@segnas/searchspace/network.ts";
import type { Rival } from "../trainer/contest.ts";

const HOME = fileURLToPath(new URL("../../../.setup/rivals/pytorch", import.meta.url));
const GOLDENS = fileURLToPath(new URL("../../golden/forward.json", import.meta.url));
const fileOf = (name: string): string => fileURLToPath(new URL(`./pytorch/${name}`, import.meta.url));

/** It leaves no bytecode here; without NumPy, which nothing here needs, it would warn. */
const QUIET = ["-B", "-W", "ignore::UserWarning"];
/** PyTorch gives each large map back to the system and fetches the next from there, which costs it up to half its time. */
const KEEP_MEMORY =
  "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=8589934592:glibc.malloc.top_pad=67108864";

/** A golden, as far as its network goes. */
type Golden = NetworkSettings & { genotype: Genotype; height: number; width: number };

const execute = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
};

/** A Python that has PyTorch; 3 GB are fetched the first time. */
function install(): string {
  const python = join(HOME, "bin", "python");
  const requirements = fileOf("requirements.txt");
  const stamp = join(HOME, "stamp");
  const inputs = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === inputs) return python;
  console.error("PyTorch is fetched once, 3 GB ...");
  rmSync(HOME, { recursive: true, force: true });
  execute("python3", "-m", "venv", HOME);
  const options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"];
  execute(python, "-m", "pip", "install", ...options, "--requirement", requirements);
  writeFileSync(stamp, inputs);
  return python;
}

/** PyTorch, once it has met the goldens; `compile` lets it try torch.compile as well, which takes minutes a case. */
export function pyTorch(compile: boolean): Rival {
  const python = install();
  const goldens: Golden[] = JSON.parse(readFileSync(GOLDENS, "utf8"));
  const networks = goldens.map((golden) => expand(parseArchitecture(golden.genotype), golden, golden));
  const expanded = join(HOME, "goldens.json");
  writeFileSync(expanded, JSON.stringify(networks));
  execute(python, ...QUIET, fileOf("goldens.py"), expanded, GOLDENS);
  return {
    command: (folder) => [python, ...QUIET, fileOf("run.py"), folder, ...(compile ? ["--compile"] : [])],
    env: { GLIBC_TUNABLES: KEEP_MEMORY },
  };
}
