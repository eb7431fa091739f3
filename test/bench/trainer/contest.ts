// The trainer against a rival: at each case both do the same work from the same weights, each in a process of its own
// that stays, in turn, so that what else the machine does meets both. A ratio is the rival's time over ours within a
// turn; their median counts.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Case, Clock } from "./cases.ts";

const OURS = fileURLToPath(new URL("./contender.ts", import.meta.url));

export interface Rival {
  /** Starts it on a case that our side left in `folder`; it answers as contender.ts does. */
  command(folder: string): string[];
  /** What it runs best with, beside the environment of both. */
  env: NodeJS.ProcessEnv;
}

export interface ContestSettings {
  turns: number;
  clock: Clock;
  /** Where results are kept; the cases that it holds are not run again. */
  file: string | undefined;
  env: NodeJS.ProcessEnv;
}

interface Result {
  case: Case;
  clock: Clock;
  /** Milliseconds of each turn. */
  ours: number[];
  theirs: number[];
  /** The variants that the rival tried, with their milliseconds; it ran with the fastest. */
  tried: Record<string, number>;
  /** The machine's load average at the end. */
  load: number;
}

/** A process that does a piece of work whenever it is asked. */
class Contender {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor([program, ...args]: string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(program!, args, { env, stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** What it says next. Throws where it has ended. */
  async said(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnfile} has ended: see its message above`);
    return JSON.parse(value);
  }

  /** Milliseconds of one piece of work. */
  async work(): Promise<number> {
    this.#child.stdin.write("\n");
    return (await this.said()) as number;
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}

async function contestOne(one: Case, rival: Rival, { turns, clock, env }: ContestSettings): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "segnas-bench-"));
  const ours = new Contender([process.execPath, OURS, JSON.stringify(one), clock, folder], env);
  const contenders = [ours];
  try {
    await ours.said();
    const theirs = new Contender(rival.command(folder), { ...env, ...rival.env });
    contenders.push(theirs);
    const tried = (await theirs.said()) as Result["tried"];
    const result: Result = { case: one, clock, ours: [], theirs: [], tried, load: 0 };
    for (let turn = 0; turn < turns; turn++) {
      if (turn % 2 === 1) result.theirs.push(await theirs.work());
      result.ours.push(await ours.work());
      if (turn % 2 === 0) result.theirs.push(await theirs.work());
    }
    return { ...result, load: loadavg()[0]! };
  } finally {
    for (const contender of contenders) await contender.end();
    rmSync(folder, { recursive: true });
  }
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
const ratios = ({ ours, theirs }: Result): number[] => ours.map((time, turn) => theirs[turn]! / time);
const placeOf = ({ kind, height, width, batch }: Case): string => `${kind} ${height}x${width} batch ${batch}`;

function tell(result: Result): string {
  const { case: one, ours, theirs, tried, load } = result;
  const ms = (numbers: number[]) => `${median(numbers).toFixed(1)} ms`;
  const [variant] = Object.entries(tried).reduce((best, next) => (next[1] < best[1] ? next : best));
  const all = ratios(result);
  const range = `${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)}`;
  return `${placeOf(one).padEnd(32)} ${one.network}  ${median(all).toFixed(2)}x (${range}): ours ${ms(ours)}, theirs ${ms(theirs)} (${variant}), load ${load.toFixed(1)}`;
}

function tellMean(name: string, results: Result[]): string {
  const all = results.map((result) => median(ratios(result)));
  const mean = Math.exp(all.reduce((sum, ratio) => sum + Math.log(ratio), 0) / all.length);
  return `${name.padEnd(32)} geometric mean ${mean.toFixed(2)}x, least ${Math.min(...all).toFixed(2)}x`;
}

/** Runs cases of training and inference one by one, and tells the ratios. */
export async function contest(cases: Case[], settings: ContestSettings, rival: Rival): Promise<void> {
  const { clock, file } = settings;
  const kept: Result[] = file && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  const results: Result[] = [];
  for (const one of cases) {
    const same = (result: Result) =>
      result.clock === clock && JSON.stringify(result.case) === JSON.stringify(one);
    let result = kept.find(same);
    if (!result) {
      result = await contestOne(one, rival, settings);
      kept.push(result);
      if (file) writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
    }
    results.push(result);
    console.log(tell(result));
  }
  const groups = [
    ...Map.groupBy(results, (result) => placeOf(result.case)),
    ...Map.groupBy(results, (result) => result.case.kind),
  ];
  for (const [name, group] of groups) if (group.length > 1) console.log(tellMean(name, group));
}
