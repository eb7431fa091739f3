// What is done with a network, as functions of tensors: a training step, from what is learned so far and a batch to
// the loss and what is learned then, and an evaluation. They decide by names and shapes alone, so that TensorFlow can
// run each as one graph.
import type { Network } from "@segnas/searchspace/network.ts";
import { GraphFunction } from "../tensorflow/graph.ts";
import { dispose, type Tensor } from "../tensorflow/runtime.ts";
import { lossOf, type TargetTensors } from "../training/loss.ts";
import { type Learned, learn, type Moments } from "../training/optimizer.ts";
import type { Folded } from "./folded.ts";
import { backward, disposeRun, forward, layersBetween, type Start } from "./network.ts";
import { BN_MOMENTUM, type Layout, SIDES, type Side } from "./parameters.ts";
import { joinVector, views } from "./vectors.ts";

interface StepInputs {
  start: Start;
  target: TargetTensors;
  parameters: Record<Side, Tensor>;
  /** Of the sides that learn: their optimisers' moments and rates. */
  optimizers: Partial<Record<Side, { moments: Moments; rates: Tensor }>>;
  statistics: Map<string, Tensor>;
}

interface StepOutputs {
  loss: Tensor;
  learned: Partial<Record<Side, Learned>>;
  /** Those that the step has moved. */
  statistics: Map<string, Tensor>;
}

/** A network's training step. */
const stepFunction = (network: Network, layouts: Record<Side, Layout>, encoderEpsilon: number) =>
  new GraphFunction(({ start, target, parameters, optimizers, statistics }: StepInputs): StepOutputs => {
    const layers = layersBetween(network, start, [network.logits]);
    const cut = SIDES.flatMap((side) => [...views(layouts[side], parameters[side])]);
    const weights = { parameters: new Map(cut), statistics, encoderEpsilon };
    const mode = { kind: "Training", momentum: BN_MOMENTUM } as const;
    const run = forward(network, layers, weights, start, [network.logits], mode);
    const { loss, gradient } = lossOf(run.values.get(network.logits)!, target);
    const gradients = backward(network, layers, weights, run, network.logits, gradient);
    const learned: StepOutputs["learned"] = {};
    for (const side of SIDES) {
      const optimizer = optimizers[side];
      if (!optimizer) continue;
      const before = { parameters: parameters[side], ...optimizer.moments };
      learned[side] = learn(before, joinVector(layouts[side], gradients), optimizer.rates);
    }
    const moved = new Map(run.statistics);
    run.statistics.clear();
    disposeRun(run);
    dispose(...gradients.values());
    return { loss, learned, statistics: moved };
  });

interface EvaluationInputs {
  start: Start;
  folded: Folded;
  parameters: Map<string, Tensor>;
  statistics: Map<string, Tensor>;
}

/** A network's evaluation up to the values `wanted`. */
const evaluationFunction = (network: Network, wanted: number[], encoderEpsilon: number) =>
  new GraphFunction(({ start, folded, parameters, statistics }: EvaluationInputs) => {
    const layers = layersBetween(network, start, wanted);
    const weights = { parameters, statistics, encoderEpsilon };
    const { values } = forward(network, layers, weights, start, wanted, { kind: "Evaluation", folded });
    return { values };
  });

type Step = ReturnType<typeof stepFunction>;
type Evaluation = ReturnType<typeof evaluationFunction>;

/** A data set may have images of many sizes, and each size is a network of its own: so many of them keep their graphs. */
const SIZES = 16;

/** The functions of an architecture's networks, made when first asked for. */
export class Functions {
  readonly #layouts: Record<Side, Layout>;
  readonly #encoderEpsilon: number;
  readonly #steps = new Map<Network, Step>();
  readonly #evaluations = new Map<Network, Map<string, Evaluation>>();

  constructor(layouts: Record<Side, Layout>, encoderEpsilon: number) {
    this.#layouts = layouts;
    this.#encoderEpsilon = encoderEpsilon;
  }

  step(network: Network): Step {
    return known(this.#steps, network, () => stepFunction(network, this.#layouts, this.#encoderEpsilon));
  }

  evaluation(network: Network, wanted: number[]): Evaluation {
    const ofNetwork = known(this.#evaluations, network, () => new Map<string, Evaluation>());
    if (this.#evaluations.size > SIZES) {
      const [oldest, functions] = this.#evaluations.entries().next().value!;
      for (const each of functions.values()) each.dispose();
      this.#evaluations.delete(oldest);
    }
    return known(ofNetwork, `${wanted}`, () => evaluationFunction(network, wanted, this.#encoderEpsilon));
  }

  dispose(): void {
    const evaluations = [...this.#evaluations.values()].flatMap((functions) => [...functions.values()]);
    for (const each of [...this.#steps.values(), ...evaluations]) each.dispose();
  }
}

/** What a map has under a key, made where it has nothing. */
function known<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
