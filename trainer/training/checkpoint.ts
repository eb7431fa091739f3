// Checkpoints: all that a trial needs to go on after an epoch as if it had never stopped. One file among the trial's
// artifacts, written whole or not at all after an epoch, read by the trial's next attempt together with the curve, which
// has a file of its own that only grows. Random streams are keyed by seed, stage and epoch, so none of them has a state
// to keep.
import { createHash } from "node:crypto";
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { encoderHash } from "../model/encoder.ts";
import type { Model } from "../model/model.ts";
import { type Arrays, SIDES, type Side, slotsOf } from "../model/parameters.ts";
import { type NamedTensor, readSafetensors, writeSafetensors } from "../model/safetensors.ts";
import type { Artifacts, CurvePoint } from "./artifacts.ts";
import type { Place } from "./gate.ts";
import type { Optimizer, OptimizerState } from "./optimizer.ts";
import type { Prepared } from "./prepared.ts";
import type { Session } from "./session.ts";

/** What has been done: the epoch is trained, and not yet validated. */
export interface Checkpoint extends Place {
  /** Parameters and BN statistics. */
  arrays: Arrays;
  optimizers: Partial<Record<Side, OptimizerState>>;
  /** The validations before it. */
  curve: CurvePoint[];
  /** Of the last step. */
  loss: number | null;
  trainedSeconds: number;
}

/** Counts up: a change of what a checkpoint holds, or of what training does with it, must not meet an old file. */
const FORMAT = 3;
const FILE = "checkpoint.safetensors";
const MOMENTS = ["first", "second", "average"] as const;

/** A checkpoint's key: a hash of what makes the trial the one it is, the data set's names for its contents. */
function keyOf({ trial, dataset, encoder }: Prepared): string {
  const names = [dataset.training.names, dataset.heldOut.names];
  return createHash("sha256")
    .update(JSON.stringify([FORMAT, trial, names, encoderHash(encoder)]))
    .digest("hex");
}

/** The checkpoints of one trial; without a folder of artifacts there are none. */
export class Checkpoints {
  readonly #artifacts: Artifacts;
  readonly #session: Session;
  readonly #prepared: Prepared;
  readonly #key: string;
  readonly #leastMs: number;
  #last = performance.now();

  /** One is written at most every `leastSeconds`. */
  constructor(artifacts: Artifacts, prepared: Prepared, leastSeconds: number, session: Session) {
    this.#artifacts = artifacts;
    this.#prepared = prepared;
    this.#key = keyOf(prepared);
    this.#leastMs = leastSeconds * 1000;
    this.#session = session;
  }

  /** That of an earlier attempt at this trial. One that is damaged, or of something else, is told of and not used. */
  async read(): Promise<Checkpoint | undefined> {
    let found: Checkpoint | undefined;
    await this.#artifacts.keep(async (folder) => {
      const path = join(folder, FILE);
      if (await access(path).catch(() => "missing")) return;
      // Gone, it cannot be taken up with what the trial does from now on.
      const unused = async (why: string) => {
        this.#session.onNote("warn", `the checkpoint is not used and the trial starts over: ${why}`);
        await rm(path);
      };
      try {
        const { metadata, tensors } = await readSafetensors(path);
        if (metadata.key !== this.#key) await unused(`${path} is of another trial, configuration or version`);
        else found = decode(metadata.state!, tensors, await this.#artifacts.curve());
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        await unused(error.message);
      }
    });
    return found;
  }

  /** After an epoch, with so many validations before it: writes a checkpoint where the last is old enough. */
  async write(
    place: Place,
    model: Model,
    optimizers: Partial<Record<Side, Optimizer>>,
    validations: number,
  ): Promise<void> {
    if (performance.now() - this.#last < this.#leastMs) return;
    await this.#artifacts.keep(async (folder) => {
      const arrays = model.arrays();
      const slots = SIDES.flatMap((side) => slotsOf(this.#prepared.network, side));
      const tensors = new Map(slots.map(({ name, shape }) => [name, { shape, values: arrays.get(name)! }]));
      const steps: Partial<Record<Side, number>> = {};
      for (const side of SIDES) {
        const state = optimizers[side]?.state();
        if (!state) continue;
        steps[side] = state.steps;
        for (const moment of MOMENTS)
          tensors.set(`optimizer/${side}/${moment}`, {
            shape: [state[moment].length],
            values: state[moment],
          });
      }
      const { progress, trainedSeconds } = this.#session;
      const state: State = { ...place, steps, validations, loss: progress.loss, trainedSeconds };
      const metadata = { key: this.#key, state: JSON.stringify(state) };
      await writeSafetensors(join(folder, FILE), { metadata, tensors });
    });
    this.#last = performance.now();
  }
}

/** What a checkpoint says beside its tensors. */
interface State extends Omit<Checkpoint, "arrays" | "optimizers" | "curve"> {
  steps: Partial<Record<Side, number>>;
  validations: number;
}

/** Throws UserError where the curve ends before the checkpoint. */
function decode(text: string, tensors: Map<string, NamedTensor>, points: CurvePoint[]): Checkpoint {
  const { steps, validations, ...state } = JSON.parse(text) as State;
  if (points.length < validations)
    throw new UserError(`the curve beside it has ${points.length} of its ${validations} validations`);
  const curve = points.slice(0, validations);
  const optimizers: Checkpoint["optimizers"] = {};
  for (const side of SIDES) {
    const values = (moment: string) => tensors.get(`optimizer/${side}/${moment}`)!.values;
    if (steps[side] !== undefined)
      optimizers[side] = {
        steps: steps[side],
        first: values("first"),
        second: values("second"),
        average: values("average"),
      };
  }
  const arrays = new Map([...tensors].map(([name, { values }]) => [name, values]));
  return { ...state, arrays, optimizers, curve };
}

/** Once a trial has its verdict its checkpoint is of no use. */
export async function removeCheckpoint(artifacts: string | undefined): Promise<void> {
  if (artifacts) await rm(join(artifacts, FILE), { force: true });
}
