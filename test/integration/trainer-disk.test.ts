// Disks that are full or read-only, and a maker of the shared cache that is killed: real file systems, real kills.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { TrialResult } from "@segnas/trainer/training/trial.ts";
import { testFolder } from "../unit/trainer/folder.ts";
import { freePort, progressOf, run, start, type TrainerEnd, trialOf } from "./trainer-fixtures.ts";

const folder = testFolder();
/** Starts a program that sees a file system of its own at DISK. */
const mounted = (options: string) => [
  ...["unshare", "--mount", "--map-root-user", "sh", "-c"],
  `mount -t tmpfs -o ${options} none "$DISK" && exec "$0" "$@"`,
];
const probe = join(folder, "probe");
mkdirSync(probe);
const [program, ...args] = mounted("size=64k") as [string, ...string[]];
const { status } = spawnSync(program, [...args, "true"], { env: { ...process.env, DISK: probe } });
const skip = status !== 0 && "this machine lets nobody mount a file system";

const trial = trialOf();
let runs = 0;

/** A run whose cache or artifacts lie on a file system with these mount options. */
function runOn(
  which: "SEGNAS_CACHE" | "SEGNAS_ARTIFACTS",
  options: string,
  { value = trial, env = {} }: { value?: object; env?: object } = {},
): Promise<TrainerEnd> {
  const place = join(folder, `run-${runs++}`);
  const disk = join(place, "disk");
  mkdirSync(disk, { recursive: true });
  return run(value, place, { within: mounted(options), env: { ...env, DISK: disk, [which]: disk } });
}

function resultOf(end: TrainerEnd): TrialResult {
  assert.equal(end.code, 0, end.stderr);
  const { outcome, seconds, stageSeconds, ...result } = end.result as unknown as TrialResult & {
    outcome: string;
    seconds: number;
    stageSeconds: object;
  };
  return result;
}

describe("a cache that cannot be written: the trial trains without it, to the same result", { skip }, () => {
  let usual: TrialResult;
  before(async () => {
    usual = resultOf(await run(trial, join(folder, "usual")));
  });

  for (const [what, options, reason] of [
    ["a full disk", "size=64k", "ENOSPC"],
    ["a read-only one", "ro", "EROFS"],
  ] as const)
    it(what, async () => {
      const end = await runOn("SEGNAS_CACHE", options);
      assert.deepEqual(resultOf(end), usual);
      assert.match(
        end.log,
        new RegExp(`"warn".*cannot be used \\(${reason}.*features are computed at each use`),
      );
      assert.equal(end.stderr, "");
    });

  it("a warm-up on a full disk", async () => {
    const value = trialOf({ encoder: { source: "WarmUp", warmUpEpochs: 1 }, stage1: { epochs: 0 } });
    const shared = resultOf(await run(value, join(folder, "shared")));
    const end = await runOn("SEGNAS_CACHE", "size=64k", { value });
    assert.deepEqual(resultOf(end), shared);
    assert.match(end.log, /ENOSPC.*each trial makes what they could share/);
  });
});

describe("artifacts on a full disk: exit 75 with one sentence, no result", { skip, concurrency: 2 }, () => {
  for (const [what, options, env] of [
    ["at the first checkpoint", "size=512k", { SEGNAS_CHECKPOINT_SECONDS: "0" }],
    ["at the pictures", "size=32k", {}],
    ["at the weights", "size=900k", {}],
    ["from the beginning, read-only", "ro", {}],
  ] as const)
    it(what, async () => {
      const end = await runOn("SEGNAS_ARTIFACTS", options, { env });
      assert.deepEqual([end.code, end.result], [75, undefined], end.stderr);
      assert.match(
        end.stderr,
        /^SEGNAS_ARTIFACTS: \S+ cannot be written \((ENOSPC|EROFS): [^)]+\), free space there or make it writable\n$/,
      );
    });
});

describe("a cache that somebody damages or dies over", () => {
  it("a warmed-up encoder with a changed byte is made again, to the same", async () => {
    const place = join(folder, "warm");
    const value = trialOf({ encoder: { source: "WarmUp", warmUpEpochs: 1 }, stage1: { epochs: 0 } });
    const first = resultOf(await run(value, place));
    const file = readdirSync(join(place, "cache")).find((name) => name.startsWith("encoder-"))!;
    const path = join(place, "cache", file);
    const bytes = readFileSync(path);
    const changed = Buffer.from(bytes);
    changed[bytes.length - 1000]! ^= 1;
    writeFileSync(path, changed);
    const again = await run(value, place);
    assert.deepEqual(resultOf(again), first);
    assert.match(again.log, /encoder-\w+\.safetensors: is damaged, and is made again/);
    assert.ok(readFileSync(path).equals(bytes));
  });

  it("a maker that is killed: the next trial takes its lock over, and its half-made file is gone", async () => {
    const place = join(folder, "killed");
    const value = trialOf({ stage0: { views: 12 }, stage1: { epochs: 0 }, statisticsBatches: 0 });
    const port = await freePort();
    const { child, ended } = start(value, place, { env: { SEGNAS_PORT: `${port}` } });
    await progressOf(port, ({ stage, step }) => stage === "Features" && step > 3);
    child.kill("SIGKILL");
    assert.equal((await ended).signal, "SIGKILL");
    const left = readdirSync(join(place, "cache")).map((name) => name.split(".").at(-1));
    assert.deepEqual(left.sort(), ["lock", "partial"]);
    resultOf(await run(value, place));
    assert.match(`${readdirSync(join(place, "cache"))}`, /^features-\w+\.bin$/);
  });
});
