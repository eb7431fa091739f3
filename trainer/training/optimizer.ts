// Adam, gradient clipping and Polyak averages, each a few ops on one flat vector of a part's parameters.
import {
  add,
  divide,
  identity,
  minimum,
  multiply,
  scale,
  split,
  square,
  squareRoot,
  subtract,
  sumAll,
} from "../tensorflow/kernels.ts";
import { dispose, read, scalar, type Tensor, tensor, tidy } from "../tensorflow/runtime.ts";

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

export interface OptimizerSettings {
  learningRate: number;
  /** What the learning rate is multiplied by at each step, counted from 0; left out: 1. */
  factorAt?: (step: number) => number;
  /** L2, added to the clipped gradient. */
  weightDecay: number;
  /** The gradient's norm is brought down to this. */
  gradientClip: number;
  /** Decay of the Polyak average, which starts at the first weights. */
  polyakDecay: number;
}

/** What an optimiser knows beside its settings: with it another one goes on as this one would have. */
export interface OptimizerState {
  steps: number;
  first: Float32Array;
  second: Float32Array;
  average: Float32Array;
}

/** Adam's moments and the Polyak average of a vector of parameters. */
export type Moments = { first: Tensor; second: Tensor; average: Tensor };

/** All that a step changes. */
export type Learned = Moments & { parameters: Tensor };

/** Adam's moments (arXiv 1412.6980) and the weights' Polyak average for one vector of parameters. */
export class Optimizer {
  readonly settings: OptimizerSettings;
  average: Tensor;
  #first: Tensor;
  #second: Tensor;
  #steps: number;

  /** A fresh one, or one that goes on from `state`. */
  constructor(parameters: Tensor, settings: OptimizerSettings, state?: OptimizerState) {
    const { shape } = parameters;
    this.settings = settings;
    this.#steps = state?.steps ?? 0;
    this.#first = tensor(state?.first ?? new Float32Array(shape[0]!), shape);
    this.#second = tensor(state?.second ?? new Float32Array(shape[0]!), shape);
    [this.average] = tidy(() => [state ? tensor(state.average, shape) : identity(parameters)]);
  }

  state(): OptimizerState {
    return {
      steps: this.#steps,
      first: read(this.#first),
      second: read(this.#second),
      average: read(this.average),
    };
  }

  /** What the next step starts from; all of it stays the optimiser's. */
  get moments(): Moments {
    return { first: this.#first, second: this.#second, average: this.average };
  }

  /** What `learn` takes for the next step, as numbers: those of the step are in it. */
  get rates(): Float32Array {
    const { learningRate, weightDecay, gradientClip, polyakDecay, factorAt } = this.settings;
    const step = this.#steps + 1;
    return Float32Array.of(
      gradientClip,
      weightDecay,
      // As PyTorch writes it: lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon).
      (learningRate * (factorAt?.(this.#steps) ?? 1)) / (1 - BETA1 ** step),
      1 / Math.sqrt(1 - BETA2 ** step),
      polyakDecay,
      1 - polyakDecay,
    );
  }

  /** A step has been taken: puts what it made in place of what it started from. */
  advance({ first, second, average }: Moments): void {
    dispose(this.#first, this.#second, this.average);
    [this.#first, this.#second, this.average] = [first, second, average];
    this.#steps++;
  }

  dispose(): void {
    dispose(this.#first, this.#second, this.average);
  }
}

/** One step by a gradient and an optimiser's `rates`. */
export function learn(before: Learned, gradient: Tensor, rates: Tensor): Learned {
  const [clip, decay, rate, correction, kept, added] = split(rates, [1, 1, 1, 1, 1, 1], 0) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const norm = add(squareRoot(sumAll(square(gradient))), scalar(1e-6));
  const clipped = multiply(gradient, minimum(scalar(1), divide(clip, norm)));
  const g = add(clipped, multiply(before.parameters, decay));
  const first = add(scale(before.first, BETA1), scale(g, 1 - BETA1));
  const second = add(scale(before.second, BETA2), scale(square(g), 1 - BETA2));
  const root = add(multiply(squareRoot(second), correction), scalar(EPSILON));
  const parameters = subtract(before.parameters, divide(multiply(first, rate), root));
  const average = add(multiply(before.average, kept), multiply(parameters, added));
  return { parameters, first, second, average };
}
