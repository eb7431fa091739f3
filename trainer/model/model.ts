// A network's weights while it learns, and what is done with them: evaluate, and take a training step.
import type { Network } from "@segnas/searchspace/network.ts";
import type { Target } from "../data/target.ts";
import { identity, scale, sumAll } from "../tensorflow/kernels.ts";
import { dispose, read, type Tensor, tensor, tidy } from "../tensorflow/runtime.ts";
import { targetTensors } from "../training/loss.ts";
import type { Optimizer } from "../training/optimizer.ts";
import { disposeFolded, type Folded, foldNorms } from "./folded.ts";
import { Functions } from "./functions.ts";
import { disposeRun, forward, layersBetween, type Mode, type Run, type Start } from "./network.ts";
import {
  type Arrays,
  type Layout,
  layoutOf,
  parameterSlots,
  SIDES,
  type Side,
  statisticsSlots,
  toArrays,
} from "./parameters.ts";
import { toVector, views } from "./vectors.ts";

/** Parameters, a flat vector for each side, and running statistics. Names do not depend on the image's size. */
export class Model {
  readonly layouts: Record<Side, Layout>;
  /** BN's epsilon in the encoder. */
  readonly encoderEpsilon: number;
  #vectors: Record<Side, Tensor>;
  #statistics: Map<string, Tensor>;
  /** The vectors cut into arrays, made when asked for; a step cuts for itself. */
  readonly #views: Partial<Record<Side, Map<string, Tensor> | undefined>> = {};
  /** What evaluations use in place of BN; made again when parameters or statistics change. */
  #folded: Folded | undefined;
  /** A copy has those of the model that it was copied from, whose they stay. */
  readonly #functions: Functions;
  readonly #isCopy: boolean;

  private constructor(
    layouts: Record<Side, Layout>,
    encoderEpsilon: number,
    vectors: Record<Side, Tensor>,
    statistics: Map<string, Tensor>,
    functions = new Functions(layouts, encoderEpsilon),
    isCopy = false,
  ) {
    this.layouts = layouts;
    this.encoderEpsilon = encoderEpsilon;
    this.#functions = functions;
    this.#isCopy = isCopy;
    this.#vectors = vectors;
    this.#statistics = statistics;
  }

  /** From named arrays; any expansion of the architecture will do. Throws where `arrays` lacks something. */
  static from(network: Network, arrays: Arrays, encoderEpsilon: number): Model {
    const layouts = bySide((side) => layoutOf(parameterSlots(network, side)));
    const statistics = SIDES.flatMap((side) => statisticsSlots(network, side)).map((slot) => {
      const values = arrays.get(slot.name);
      if (!values) throw new Error(`${slot.name}: missing`);
      return [slot.name, tensor(values, slot.shape)] as const;
    });
    return new Model(
      layouts,
      encoderEpsilon,
      bySide((side) => toVector(layouts[side], arrays)),
      new Map(statistics),
    );
  }

  /** A second model with the same numbers, or other parameters where given (it keeps copies). */
  copy(vectors: Partial<Record<Side, Tensor>> = {}): Model {
    const twin = (value: Tensor) => tidy(() => [identity(value)])[0]!;
    return new Model(
      this.layouts,
      this.encoderEpsilon,
      bySide((side) => twin(vectors[side] ?? this.#vectors[side])),
      new Map([...this.#statistics].map(([name, value]) => [name, twin(value)])),
      this.#functions,
      true,
    );
  }

  vector(side: Side): Tensor {
    return this.#vectors[side];
  }

  /** Puts a copy of a vector in place of one side's parameters. */
  assign(side: Side, vector: Tensor): void {
    this.#unfold();
    this.#replace(side, tidy(() => [identity(vector)])[0]!);
  }

  /** Whether every parameter is a finite number: the last step may have broken them, with no loss after it to tell. */
  isFinite(): boolean {
    return SIDES.every((side) => {
      // 0 x is 0 for a finite x only.
      const [zero] = tidy(() => [sumAll(scale(this.#vectors[side], 0))]);
      const finite = read(zero!)[0] === 0;
      dispose(zero!);
      return finite;
    });
  }

  /** All parameters and statistics as named arrays. */
  arrays(): Arrays {
    const parameters = SIDES.flatMap((side) => [...toArrays(this.layouts[side], read(this.#vectors[side]))]);
    return new Map([
      ...parameters,
      ...[...this.#statistics].map(([name, value]) => [name, read(value)] as const),
    ]);
  }

  /** Evaluates up to the values `wanted`; the caller frees what it gets, in the order asked for. */
  evaluate(network: Network, start: Start, wanted: number[]): Tensor[] {
    const weights = this.#weights();
    this.#folded ??= foldNorms(network.layers, weights);
    const { parameters, statistics } = weights;
    const inputs = { start, folded: this.#folded, parameters, statistics };
    const { values } = this.#functions.evaluation(network, wanted).call(inputs);
    return wanted.map((value) => values.get(value)!);
  }

  /**
   * One training step on a batch; returns the loss. A side without an optimiser keeps its parameters.
   * Where the loss is not finite nothing changes.
   */
  step(network: Network, start: Start, target: Target, optimizers: Partial<Record<Side, Optimizer>>): number {
    const sides = SIDES.filter((side) => optimizers[side]);
    const given = targetTensors(target);
    const learning = sides.map((side) => {
      const { moments, rates } = optimizers[side]!;
      return [side, { moments, rates: tensor(rates, [rates.length]) }] as const;
    });
    const { loss, learned, statistics } = this.#functions.step(network).call({
      start,
      target: given,
      parameters: this.#vectors,
      optimizers: Object.fromEntries(learning),
      statistics: this.#statistics,
    });
    const [value] = read(loss);
    dispose(loss, given.label, given.shares, ...learning.map(([, { rates }]) => rates));
    if (!Number.isFinite(value)) {
      dispose(...statistics.values(), ...Object.values(learned).flatMap((tensors) => Object.values(tensors)));
      return value!;
    }
    this.#unfold();
    for (const side of sides) {
      const { parameters, ...moments } = learned[side]!;
      optimizers[side]!.advance(moments);
      this.#replace(side, parameters);
    }
    this.#keepStatistics(statistics);
    return value!;
  }

  /** Moves the running statistics towards one batch's: `momentum` is its share. Parameters stay. */
  observe(network: Network, start: Start, momentum: number): void {
    const run = this.#forward(network, start, [network.logits], { kind: "Training", momentum });
    this.#unfold();
    this.#keepStatistics(run.statistics);
    run.statistics.clear();
    disposeRun(run);
  }

  dispose(): void {
    this.#unfold();
    dispose(...Object.values(this.#vectors), ...this.#statistics.values());
    for (const side of SIDES) dispose(...(this.#views[side]?.values() ?? []));
    if (!this.#isCopy) this.#functions.dispose();
  }

  #unfold(): void {
    if (this.#folded) disposeFolded(this.#folded);
    this.#folded = undefined;
  }

  #weights() {
    for (const side of SIDES) this.#views[side] ??= views(this.layouts[side], this.#vectors[side]);
    const parameters = new Map(SIDES.flatMap((side) => [...this.#views[side]!]));
    return { parameters, statistics: this.#statistics, encoderEpsilon: this.encoderEpsilon };
  }

  #forward(network: Network, start: Start, wanted: number[], mode: Mode): Run {
    return forward(network, layersBetween(network, start, wanted), this.#weights(), start, wanted, mode);
  }

  #keepStatistics(moved: Map<string, Tensor>): void {
    for (const [name, value] of moved) {
      dispose(this.#statistics.get(name)!);
      this.#statistics.set(name, value);
    }
  }

  /** Puts a vector in place of a side's parameters. */
  #replace(side: Side, vector: Tensor): void {
    dispose(this.#vectors[side], ...(this.#views[side]?.values() ?? []));
    this.#vectors[side] = vector;
    this.#views[side] = undefined;
  }
}

const bySide = <T>(make: (side: Side) => T): Record<Side, T> => ({
  encoder: make("encoder"),
  decoder: make("decoder"),
});
