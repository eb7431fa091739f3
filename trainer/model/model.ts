// A network's weights while it learns, and what is done with them: evaluate, and take a training step.
import type { Layer, Network } from "@segnas/searchspace/network.ts";
import type { Target } from "../data/target.ts";
import { identity, scale, sumAll } from "../tensorflow/kernels.ts";
import { dispose, read, type Tensor, tensor, tidy } from "../tensorflow/runtime.ts";
import { lossOf } from "../training/loss.ts";
import type { Optimizer } from "../training/optimizer.ts";
import { disposeFolded, type Folded, foldNorms } from "./folded.ts";
import { backward, disposeRun, forward, type Mode, type Run } from "./network.ts";
import {
  type Arrays,
  BN_MOMENTUM,
  type Layout,
  layoutOf,
  parameterSlots,
  SIDES,
  type Side,
  statisticsSlots,
  toArrays,
} from "./parameters.ts";
import { joinVector, toVector, views } from "./vectors.ts";

/** Values that a run starts from, by index: the image (value 0), or the encoder's two nodes. */
export type Start = Map<number, Tensor>;

/** Parameters, a flat vector for each side, and running statistics. Names do not depend on the image's size. */
export class Model {
  readonly layouts: Record<Side, Layout>;
  /** BN's epsilon in the encoder. */
  readonly encoderEpsilon: number;
  #vectors: Record<Side, Tensor>;
  #statistics: Map<string, Tensor>;
  /** The vectors cut into arrays; made again when a vector changes. */
  #views: Record<Side, Map<string, Tensor>>;
  /** What evaluations use in place of BN; made again when parameters or statistics change. */
  #folded: Folded | undefined;

  private constructor(
    layouts: Record<Side, Layout>,
    encoderEpsilon: number,
    vectors: Record<Side, Tensor>,
    statistics: Map<string, Tensor>,
  ) {
    this.layouts = layouts;
    this.encoderEpsilon = encoderEpsilon;
    this.#vectors = vectors;
    this.#statistics = statistics;
    this.#views = { encoder: this.#cut("encoder"), decoder: this.#cut("decoder") };
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
    );
  }

  vector(side: Side): Tensor {
    return this.#vectors[side];
  }

  /** Puts a copy of a vector in place of one side's parameters. */
  assign(side: Side, vector: Tensor): void {
    this.#unfold();
    dispose(this.#vectors[side], ...this.#views[side].values());
    [this.#vectors[side]] = tidy(() => [identity(vector)]);
    this.#views[side] = this.#cut(side);
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
    this.#folded ??= foldNorms(network.layers, this.#weights());
    const run = this.#forward(network, start, wanted, { kind: "Evaluation", folded: this.#folded });
    return wanted.map((value) => run.values.get(value)!);
  }

  /**
   * One training step on a batch; returns the loss. A side without an optimiser keeps its parameters.
   * Where the loss is not finite nothing changes.
   */
  step(network: Network, start: Start, target: Target, optimizers: Partial<Record<Side, Optimizer>>): number {
    const layers = layersBetween(network, start, [network.logits]);
    const run = this.#forward(network, start, [network.logits], { kind: "Training", momentum: BN_MOMENTUM });
    const { loss, gradient } = lossOf(run.values.get(network.logits)!, target);
    if (Number.isFinite(loss)) {
      this.#unfold();
      const gradients = backward(network, layers, this.#weights(), run, network.logits, gradient);
      for (const side of SIDES) {
        const optimizer = optimizers[side];
        if (!optimizer) continue;
        const joined = joinVector(this.layouts[side], gradients);
        this.#vectors[side] = optimizer.step(this.#vectors[side], joined);
        dispose(joined, ...this.#views[side].values());
        this.#views[side] = this.#cut(side);
      }
      dispose(...gradients.values());
      this.#keepStatistics(run);
    }
    dispose(gradient);
    disposeRun(run);
    return loss;
  }

  /** Moves the running statistics towards one batch's: `momentum` is its share. Parameters stay. */
  observe(network: Network, start: Start, momentum: number): void {
    const run = this.#forward(network, start, [network.logits], { kind: "Training", momentum });
    this.#unfold();
    this.#keepStatistics(run);
    disposeRun(run);
  }

  dispose(): void {
    this.#unfold();
    dispose(...Object.values(this.#vectors), ...this.#statistics.values());
    for (const side of SIDES) dispose(...this.#views[side].values());
  }

  #unfold(): void {
    if (this.#folded) disposeFolded(this.#folded);
    this.#folded = undefined;
  }

  #cut(side: Side): Map<string, Tensor> {
    return views(this.layouts[side], this.#vectors[side]);
  }

  #weights() {
    const parameters = new Map([...this.#views.encoder, ...this.#views.decoder]);
    return { parameters, statistics: this.#statistics, encoderEpsilon: this.encoderEpsilon };
  }

  #forward(network: Network, start: Start, wanted: number[], mode: Mode): Run {
    return forward(network, layersBetween(network, start, wanted), this.#weights(), start, wanted, mode);
  }

  #keepStatistics(run: Run): void {
    for (const [name, value] of run.statistics) {
      dispose(this.#statistics.get(name)!);
      this.#statistics.set(name, value);
    }
    run.statistics.clear();
  }
}

const bySide = <T>(make: (side: Side) => T): Record<Side, T> => ({
  encoder: make("encoder"),
  decoder: make("decoder"),
});

/** The layers that lead from `start` to `wanted`, in order. */
function layersBetween(network: Network, start: Start, wanted: number[]): Layer[] {
  const needed = new Set(wanted);
  const layers: Layer[] = [];
  for (const layer of network.layers.toReversed()) {
    if (!needed.has(layer.output) || start.has(layer.output)) continue;
    layers.push(layer);
    for (const input of layer.inputs) needed.add(input);
  }
  return layers.reverse();
}
