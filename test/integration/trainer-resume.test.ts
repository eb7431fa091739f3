// A trial that was broken off goes on from its checkpoint, and ends as if it had never stopped: to the bit.
import "./one-thread.ts";
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { liveTensors } from "@segnas/trainer/tensorflow/runtime.ts";
import { parseTrial } from "@segnas/trainer/training/configuration.ts";
import { Interrupted, type Progress, Session, Untrainable } from "@segnas/trainer/training/session.ts";
import { runTrial, type TrialResult } from "@segnas/trainer/training/trial.ts";
import { testFolder } from "../unit/trainer/folder.ts";
import { freePort, progressOf, start, type TrainerEnd, trialOf } from "./trainer-fixtures.ts";

const folder = testFolder();
const cache = join(folder, "cache");
/** With all that has a course of its own: schedules, averages, statistics. */
const trial = trialOf({
  stage0: { epochs: 3, schedule: { type: "Polynomial" } },
  stage1: { epochs: 3, schedule: { type: "OneCycle" } },
  classWeights: { type: "Balanced" },
  copyAverages: true,
});
const CHECKPOINT = "checkpoint.safetensors";

/** A session that is asked to stop at a moment of its progress. */
class Stopping extends Session {
  readonly notes: string[] = [];
  readonly #when: (progress: Progress) => boolean;
  constructor(when: (progress: Progress) => boolean, timeLimitSeconds?: number, now?: () => number) {
    super("t", timeLimitSeconds, now);
    this.#when = when;
    this.onNote = (level, sentence) => this.notes.push(`${level}: ${sentence}`);
  }
  override advance(images: number): Promise<void> {
    if (this.#when(this.progress)) this.interrupt();
    return super.advance(images);
  }
}

interface Options {
  value?: unknown;
  session?: Stopping;
  checkpointSeconds?: number;
}

/** One attempt at the trial with its artifacts in `place`. */
async function attempt(place: string, { value = trial, session, checkpointSeconds = 0 }: Options = {}) {
  const used = session ?? new Stopping(() => false);
  const surroundings = { cache, artifacts: join(folder, place), checkpointSeconds };
  const result = await runTrial(parseTrial(JSON.stringify(value)), surroundings, used);
  return { result, notes: used.notes };
}

/** An attempt that is stopped when the progress is as said. */
async function stopped(place: string, when: (progress: Progress) => boolean): Promise<string[]> {
  const session = new Stopping(when);
  await assert.rejects(attempt(place, { session }), Interrupted);
  return session.notes;
}

const read = (place: string, name: string) => readFileSync(join(folder, place, name));
let whole: TrialResult;
function assertSame(place: string, result: TrialResult): void {
  assert.deepEqual(result, whole);
  assert.equal(`${read(place, "curve.jsonl")}`, `${read("whole", "curve.jsonl")}`);
  assert.ok(read(place, "weights.safetensors").equals(read("whole", "weights.safetensors")), "the weights");
  const prediction = join("predictions", "shapes_16.png");
  assert.ok(read(place, prediction).equals(read("whole", prediction)), "the predictions");
}

before(async () => {
  ({ result: whole } = await attempt("whole", { checkpointSeconds: 1e9 }));
  assert.ok(!existsSync(join(folder, "whole", CHECKPOINT)));
  assert.equal(whole.slots.length, 4);
});

describe("a trial that is stopped and tried again ends as it would have", () => {
  const at = (stage: Progress["stage"], epoch: number, step: number) => (progress: Progress) =>
    progress.stage === stage && progress.epoch === epoch && progress.step === step;
  const moments: [what: string, when: (progress: Progress) => boolean, after: string | undefined][] = [
    ["in stage 0's first epoch", at(0, 1, 2), undefined],
    ["in the middle of stage 0", at(0, 2, 3), "stage 0, epoch 1"],
    ["in stage 0's validation", at("Validation", 3, 1), "stage 0, epoch 3"],
    ["in the middle of stage 1", at(1, 3, 2), "stage 1, epoch 2"],
    ["in a validation of stage 1", at("Validation", 2, 3), "stage 1, epoch 2"],
  ];
  for (const [i, [what, when, after]] of moments.entries())
    it(what, async () => {
      const live = liveTensors();
      await stopped(`stop-${i}`, when);
      const { result, notes } = await attempt(`stop-${i}`);
      assert.deepEqual(notes, after ? [`info: goes on from the checkpoint after ${after}`] : []);
      assertSame(`stop-${i}`, result);
      assert.ok(liveTensors() >= live);
    });

  it("again and again", async () => {
    const notes: string[] = [];
    for (const when of [at(0, 2, 1), at(0, 3, 1), at("Validation", 1, 2), at(1, 2, 4), at(1, 3, 1)])
      notes.push(...(await stopped("often", when)));
    const { result } = await attempt("often");
    assert.equal(notes.length, 4);
    assertSame("often", result);
  });

  it("stage 1 alone, and stage 0 alone", async () => {
    const whens = [at(1, 2, 1), at(0, 2, 1)];
    for (const [i, none] of ["stage0", "stage1"].entries()) {
      const value = trialOf({ stage0: { epochs: 2 }, stage1: { epochs: 2 }, [none]: { epochs: 0 } });
      const { result } = await attempt(`alone-${i}`, { value });
      const session = new Stopping(whens[i]!);
      await assert.rejects(attempt(`stopped-${i}`, { value, session }), Interrupted);
      assert.deepEqual((await attempt(`stopped-${i}`, { value })).result, result);
      const weights = [`alone-${i}`, `stopped-${i}`].map((place) => read(place, "weights.safetensors"));
      assert.ok(weights[0]!.equals(weights[1]!));
    }
  });

  it("with its time limit, of which it has used up a part", async () => {
    const limited = { ...trial, training: { ...trial.training, timeLimitSeconds: 10 } };
    // A step takes a second.
    let seconds = 0;
    const clocked = (when: (progress: Progress) => boolean) => {
      const session = new Stopping(when, 10, () => seconds * 1000);
      session.onStep = () => seconds++;
      return session;
    };
    const session = clocked(at(0, 2, 3));
    await assert.rejects(attempt("limit", { value: limited, session }), Interrupted);
    const again = clocked(() => false);
    await assert.rejects(
      attempt("limit", { value: limited, session: again }),
      (error) => error instanceof Untrainable && error.reason === "TimeLimit",
    );
    // Four steps were in the checkpoint; the limit is seen after the step that goes past it.
    assert.deepEqual([again.progress.stage, again.progress.epoch, again.progress.step], [0, 3, 3]);
  });
});

const flip = (bytes: Buffer, place: number): Buffer => {
  bytes[place]! ^= 1;
  return bytes;
};

describe("a checkpoint that does not fit is told of, and the trial starts over", () => {
  const saved = () => join(folder, "saved");
  before(() => stopped("saved", ({ stage, epoch, step }) => stage === 1 && epoch === 2 && step === 1));

  const damages: [what: string, damage: (bytes: Buffer) => Buffer][] = [
    ["a changed byte among the numbers", (bytes) => flip(bytes, bytes.length - 99)],
    ["a changed byte in the header", (bytes) => flip(bytes, bytes.indexOf("epoch"))],
    ["cut short", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["empty", () => Buffer.alloc(0)],
  ];
  for (const [what, damage] of damages)
    it(what, async () => {
      const place = `damaged ${what}`;
      cpSync(saved(), join(folder, place), { recursive: true });
      const bytes = read(place, CHECKPOINT);
      const changed = damage(Buffer.from(bytes));
      assert.ok(!changed.equals(bytes));
      writeFileSync(join(folder, place, CHECKPOINT), changed);
      const session = new Stopping(({ stage, epoch, step }) => stage === 0 && epoch === 1 && step === 2);
      await assert.rejects(attempt(place, { session }), Interrupted);
      assert.equal(session.notes.length, 1);
      assert.match(
        session.notes[0]!,
        /^warn: the checkpoint is not used and the trial starts over: .*checkpoint\.safetensors/,
      );
    });

  it("without a line of its curve", async () => {
    cpSync(saved(), join(folder, "curveless"), { recursive: true });
    writeFileSync(join(folder, "curveless", "curve.jsonl"), '{"stage":0,"epo');
    const session = new Stopping(({ stage, epoch, step }) => stage === 0 && epoch === 1 && step === 2);
    await assert.rejects(attempt("curveless", { session }), Interrupted);
    assert.deepEqual(session.notes, [
      "warn: the checkpoint is not used and the trial starts over: the curve beside it has 0 of its 1 validations",
    ]);
  });

  it("to the same end", async () => {
    const { result } = await attempt("damaged cut short");
    assertSame("damaged cut short", result);
  });

  const others: [what: string, value: object][] = [
    ["another trial's", { ...trial, name: "t-1" }],
    ["another seed's", { ...trial, seed: 2 }],
    ["another architecture's", { ...trial, architecture: "arch1" }],
    ["of another configuration", { ...trial, training: { ...trial.training, statisticsBatches: 1 } }],
    ["of another data set", { ...trial, dataset: { ...trial.dataset, heldOut: "0.3" } }],
  ];
  for (const [what, value] of others)
    it(what, async () => {
      const place = `other ${what}`;
      cpSync(saved(), join(folder, place), { recursive: true });
      const session = new Stopping(({ stage }) => stage === 0);
      await assert.rejects(attempt(place, { value, session }), Interrupted);
      assert.match(session.notes.join(), /^warn: .* is of another trial, configuration or version$/);
      assert.ok(!existsSync(join(folder, place, "curve.jsonl")), "the other's curve is gone");
    });
});

describe("the trainer, killed", () => {
  const port = freePort();
  const faults = `--import ${new URL("./trainer-faults.ts", import.meta.url)}`;
  const env = async (more = {}) => ({
    SEGNAS_CACHE: cache,
    SEGNAS_CHECKPOINT_SECONDS: "0",
    ...more,
    SEGNAS_PORT: `${await port}`,
  });
  const place = join("process", "artifacts");
  const noteOf = (end: TrainerEnd) =>
    /goes on from the checkpoint after (stage \d, epoch \d)/.exec(end.log)?.[1];

  /** An attempt that gets a signal once its progress is as said. */
  async function killed(signal: NodeJS.Signals, when: (progress: Progress) => boolean): Promise<TrainerEnd> {
    const { child, ended } = start(trial, join(folder, "process"), { env: await env() });
    await progressOf(await port, when);
    child.kill(signal);
    return ended;
  }

  it("in each stage, inside writing a checkpoint, and by SIGTERM: the same in the end", async () => {
    const first = await killed("SIGKILL", ({ stage, epoch }) => stage === 0 && epoch === 2);
    assert.deepEqual([first.signal, noteOf(first), first.result], ["SIGKILL", undefined, undefined]);

    const inside = start(trial, join(folder, "process"), { env: await env({ NODE_OPTIONS: faults }) });
    const second = await inside.ended;
    assert.equal(second.signal, "SIGKILL", second.stderr);
    assert.match(noteOf(second)!, /^stage 0/);
    const halves = () => readdirSync(join(folder, place)).filter((name) => name.endsWith(".partial"));
    assert.equal(halves().length, 1, "it was killed while it wrote");

    const third = await killed("SIGTERM", ({ stage }) => stage === 1);
    assert.deepEqual([third.code, third.result, third.stderr], [75, undefined, ""]);
    assert.equal(noteOf(third), noteOf(second), "what was half written counts for nothing");
    assert.deepEqual(halves(), []);

    const fourth = await killed("SIGKILL", ({ stage, epoch }) => stage === 1 && epoch === 2);
    assert.equal(fourth.signal, "SIGKILL");
    const last = await start(trial, join(folder, "process"), { env: await env() }).ended;
    assert.equal(last.code, 0, last.stderr);
    assert.match(noteOf(last)!, /^stage 1/);
    const { outcome, seconds, stageSeconds, ...result } = last.result as unknown as TrialResult & {
      outcome: string;
      seconds: number;
      stageSeconds: object;
    };
    assertSame(place, result);
    assert.ok(!existsSync(join(folder, place, CHECKPOINT)), "a checkpoint goes once there is a result");
  });

  it("after an architecture that cannot be trained no checkpoint is left either", async () => {
    const value = trialOf({ stage0: { epochs: 3 }, stage1: { encoderLearningRate: "1e39" } });
    const end = await start(value, join(folder, "untrainable"), { env: await env() }).ended;
    assert.equal(end.code, 65, end.stderr);
    const left = readdirSync(join(folder, "untrainable", "artifacts"));
    assert.deepEqual(
      left.filter((name) => name.startsWith("checkpoint")),
      [],
    );
  });

  it("a bad SEGNAS_CHECKPOINT_SECONDS is refused in a sentence", async () => {
    mkdirSync(join(folder, "refused"));
    const { ended } = start(trial, join(folder, "refused"), { env: { SEGNAS_CHECKPOINT_SECONDS: "often" } });
    const { code, stderr } = await ended;
    assert.equal(code, 64);
    assert.match(
      stderr,
      /^SEGNAS_CHECKPOINT_SECONDS: "often" is not allowed, write a whole number from 0 to/,
    );
  });
});
