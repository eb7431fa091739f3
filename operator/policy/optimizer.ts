// Adam on a flat array of parameters, with the gradient clipped by its norm.

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;
/** Added to the norm before dividing by it, as the published form does. */
const NORM_EPSILON = 1e-6;

/** Adam's memory: the running means of the gradient and of its square, and how many steps they have seen. */
export interface Adam {
  first: Float64Array;
  second: Float64Array;
  steps: number;
}

export function newAdam(parameters: number): Adam {
  return { first: new Float64Array(parameters), second: new Float64Array(parameters), steps: 0 };
}

/**
 * One step of `values` against `gradient` scaled by min(1, clip / (norm + 1e-6)), in place (Kingma and Ba,
 * arXiv 1412.6980). Returns the norm before clipping.
 */
export function adamStep(
  adam: Adam,
  values: Float64Array,
  gradient: Float64Array,
  learningRate: number,
  clip: number,
): number {
  let squares = 0;
  for (let at = 0; at < gradient.length; at++) squares += gradient[at]! * gradient[at]!;
  const norm = Math.sqrt(squares);
  const scale = Math.min(1, clip / (norm + NORM_EPSILON));
  adam.steps++;
  const rate = learningRate / (1 - BETA1 ** adam.steps);
  const correction = 1 / Math.sqrt(1 - BETA2 ** adam.steps);
  const { first, second } = adam;
  for (let at = 0; at < values.length; at++) {
    const slope = scale * gradient[at]!;
    const mean = BETA1 * first[at]! + (1 - BETA1) * slope;
    const square = BETA2 * second[at]! + (1 - BETA2) * slope * slope;
    first[at] = mean;
    second[at] = square;
    values[at]! -= (rate * mean) / (Math.sqrt(square) * correction + EPSILON);
  }
  return norm;
}
