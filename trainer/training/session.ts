// What a trial's work shares: its progress, and the reasons for which it stops early.
import { setImmediate } from "node:timers/promises";
import { UserError } from "@segnas/searchspace/errors.ts";
import { LossCourse } from "./course.ts";

/** Why an architecture cannot be trained: a verdict on it, not on the machine. */
export type UntrainableCause = "NonFiniteLoss" | "OutOfMemory" | "TimeLimit";

export class Untrainable extends Error {
  override readonly name = "Untrainable";
  readonly reason: UntrainableCause;
  constructor(reason: UntrainableCause, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The trial was asked to stop (SIGTERM, or its parent is gone): nothing is said of its architecture. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

export type Stage = "Setup" | "WarmUp" | "Features" | 0 | 1 | "Validation";

/** Served at /progress. */
export interface Progress {
  name: string;
  stage: Stage;
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  loss: number | null;
  /** The course of the loss in this attempt, the oldest first. */
  losses: readonly number[];
  meanIoU: number | null;
  imagesPerSecond: number | null;
  /** Grows while there is work done, whatever it is: a trainer whose progress stands still hangs. */
  beats: number;
}

export class Session {
  readonly progress: Progress;
  /** What each stage had taken at the last tick. */
  readonly #stageSeconds = new Map<Stage, number>();
  readonly #course = new LossCourse();
  readonly #timeLimitSeconds: number | undefined;
  readonly #now: () => number;
  /** Seconds trained in earlier attempts. */
  #trainedBefore = 0;
  #firstStep: number | undefined;
  #lastTick: number;
  #interrupted = false;
  /** Told of each training step: loss and seconds. */
  onStep: (loss: number, seconds: number, images: number) => void = () => {};
  /** Told what people may want to know: a sentence. */
  onNote: (level: "info" | "warn", sentence: string) => void = () => {};

  /** `now` in milliseconds. The time limit runs from the first training step. */
  constructor(
    name: string,
    timeLimitSeconds: number | undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#timeLimitSeconds = timeLimitSeconds;
    this.#now = now;
    this.#lastTick = now();
    this.progress = {
      name,
      stage: "Setup",
      epoch: 0,
      epochs: 0,
      step: 0,
      steps: 0,
      loss: null,
      losses: this.#course.means,
      meanIoU: null,
      imagesPerSecond: null,
      beats: 0,
    };
  }

  /** Goes on where an earlier attempt was; the time that it trained counts. */
  resume({ loss, trainedSeconds }: { loss: number | null; trainedSeconds: number }): void {
    this.progress.loss = loss;
    this.#trainedBefore = trainedSeconds;
  }

  /** Since the first training step, earlier attempts included. */
  get trainedSeconds(): number {
    if (this.#firstStep === undefined) return this.#trainedBefore;
    return this.#trainedBefore + (this.#now() - this.#firstStep) / 1000;
  }

  interrupt(): void {
    this.#interrupted = true;
  }

  /** Begins a part of the work. */
  enter(stage: Stage, epoch: number, epochs: number, steps: number): void {
    this.#tick();
    Object.assign(this.progress, { stage, epoch, epochs, steps, step: 0 });
  }

  /** Returns the seconds since the last tick, which are the stage's. */
  #tick(): number {
    const now = this.#now();
    const seconds = (now - this.#lastTick) / 1000;
    this.#lastTick = now;
    const { stage } = this.progress;
    this.#stageSeconds.set(stage, (this.#stageSeconds.get(stage) ?? 0) + seconds);
    return seconds;
  }

  /** What each stage of this attempt has taken up to now. */
  get stageSeconds(): ReadonlyMap<Stage, number> {
    const { stage } = this.progress;
    const since = (this.#now() - this.#lastTick) / 1000;
    return new Map(this.#stageSeconds).set(stage, (this.#stageSeconds.get(stage) ?? 0) + since);
  }

  /**
   * After each image made or read, and often in other work (0 images, which is no step of the progress): lets
   * waiting requests and signals in. Throws where the trial must end.
   */
  async advance(images: number): Promise<void> {
    const seconds = this.#tick();
    this.progress.beats++;
    if (images > 0) {
      this.progress.step++;
      this.progress.imagesPerSecond = seconds > 0 ? images / seconds : null;
    }
    await setImmediate();
    if (this.#interrupted) throw new Interrupted("asked to stop");
    if (this.#firstStep === undefined || this.#timeLimitSeconds === undefined) return;
    if (this.trainedSeconds > this.#timeLimitSeconds)
      throw new Untrainable(
        "TimeLimit",
        `not done ${this.#timeLimitSeconds} s after its first training step`,
      );
  }

  /** After each training step. A warm-up, which all trials share, is no part of what this one is judged on. */
  async step(loss: number, images: number): Promise<void> {
    const { stage, epoch, step } = this.progress;
    if (stage !== "WarmUp") this.#firstStep ??= this.#lastTick;
    if (!Number.isFinite(loss) && stage === "WarmUp")
      throw new UserError(
        `training.encoder.source: the loss of the warm-up became ${loss}, write a smaller training.stage1.decoderLearningRate or another source`,
      );
    if (!Number.isFinite(loss))
      throw new Untrainable(
        "NonFiniteLoss",
        `the loss became ${loss} in stage ${stage}, epoch ${epoch}, step ${step + 1}`,
      );
    this.progress.loss = loss;
    if (stage !== "WarmUp") this.#course.add(loss);
    this.onStep(loss, (this.#now() - this.#lastTick) / 1000, images);
    await this.advance(images);
  }
}
