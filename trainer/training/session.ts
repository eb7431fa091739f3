// What a trial's work shares: its progress, and the reasons for which it stops early.
import { setImmediate } from "node:timers/promises";

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
  meanIoU: number | null;
  imagesPerSecond: number | null;
}

export class Session {
  readonly progress: Progress;
  readonly #timeLimitSeconds: number | undefined;
  readonly #now: () => number;
  #firstStep: number | undefined;
  #lastTick: number;
  #interrupted = false;
  /** Told of each training step: loss and seconds. */
  onStep: (loss: number, seconds: number, images: number) => void = () => {};

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
      meanIoU: null,
      imagesPerSecond: null,
    };
  }

  interrupt(): void {
    this.#interrupted = true;
  }

  /** Begins a part of the work. */
  enter(stage: Stage, epoch: number, epochs: number, steps: number): void {
    Object.assign(this.progress, { stage, epoch, epochs, steps, step: 0 });
    this.#lastTick = this.#now();
  }

  /** After each image made or read: lets waiting requests and signals in. Throws where the trial must end. */
  async advance(images: number): Promise<void> {
    const now = this.#now();
    const seconds = (now - this.#lastTick) / 1000;
    this.#lastTick = now;
    this.progress.step++;
    this.progress.imagesPerSecond = seconds > 0 ? images / seconds : null;
    await setImmediate();
    if (this.#interrupted) throw new Interrupted("asked to stop");
    if (this.#firstStep === undefined || this.#timeLimitSeconds === undefined) return;
    if (now - this.#firstStep > this.#timeLimitSeconds * 1000)
      throw new Untrainable(
        "TimeLimit",
        `not done ${this.#timeLimitSeconds} s after its first training step`,
      );
  }

  /** After each training step of the trial itself. */
  async step(loss: number, images: number): Promise<void> {
    this.#firstStep ??= this.#lastTick;
    const { stage, epoch, step } = this.progress;
    if (!Number.isFinite(loss))
      throw new Untrainable(
        "NonFiniteLoss",
        `the loss became ${loss} in stage ${stage}, epoch ${epoch}, step ${step + 1}`,
      );
    this.progress.loss = loss;
    this.onStep(loss, (this.#now() - this.#lastTick) / 1000, images);
    await this.advance(images);
  }
}
