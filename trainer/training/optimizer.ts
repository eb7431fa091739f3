// Adam, gradient clipping and Polyak averages, each a few ops on one flat vector of a part's parameters.
import { add, divide, identity, scale, square, squareRoot, subtract, sumAll } from "../tensorflow/kernels.ts";
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

  /** The parameters after one step; frees the old ones. The gradient stays the caller's. */
  step(parameters: Tensor, gradient: Tensor): Tensor {
    const { weightDecay, gradientClip, polyakDecay, factorAt } = this.settings;
    const learningRate = this.settings.learningRate * (factorAt?.(this.#steps) ?? 1);
    this.#steps++;
    const [updated, first, second, average] = tidy(() => {
      const norm = Math.sqrt(read(sumAll(square(gradient)))[0]!);
      const clipped = scale(gradient, Math.min(1, gradientClip / (norm + 1e-6)));
      const g = weightDecay > 0 ? add(clipped, scale(parameters, weightDecay)) : clipped;
      const m = add(scale(this.#first, BETA1), scale(g, 1 - BETA1));
      const v = add(scale(this.#second, BETA2), scale(square(g), 1 - BETA2));
      // As PyTorch writes it: lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon).
      const root = scale(squareRoot(v), 1 / Math.sqrt(1 - BETA2 ** this.#steps));
      const move = divide(scale(m, learningRate / (1 - BETA1 ** this.#steps)), add(root, scalar(EPSILON)));
      const next = subtract(parameters, move);
      const averaged = add(scale(this.average, polyakDecay), scale(next, 1 - polyakDecay));
      return [next, m, v, averaged] as [Tensor, Tensor, Tensor, Tensor];
    });
    dispose(parameters, this.#first, this.#second, this.average);
    [this.#first, this.#second, this.average] = [first, second, average];
    return updated;
  }

  dispose(): void {
    dispose(this.#first, this.#second, this.average);
  }
}
