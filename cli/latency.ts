// A latency table from timed networks: the fit, and how well it predicts networks that it has not seen. Pure.
import type { Architecture, NetworkSettings } from "@segnas/searchspace/architecture.ts";
import { sampleUniform } from "@segnas/searchspace/decisions.ts";
import { LAYER_KINDS, type LatencyTable, layerLoads, predictLatency } from "@segnas/searchspace/latency.ts";
import { expand, type Layer, type Network } from "@segnas/searchspace/network.ts";
import type { Random } from "@segnas/searchspace/random.ts";
import { nonNegativeLeastSquares } from "./nnls.ts";
import { quantile, spearman } from "./statistics.ts";

/** A network at the size at which it was timed. `group`: timings of one architecture share it. */
export interface Timing {
  group: number;
  network: Network;
  milliseconds: number;
}

/** Of networks that were left out of the fit. */
export interface HeldOut {
  networks: number;
  /** |predicted / measured - 1|. */
  medianError: number;
  ninetiethError: number;
  /** Spearman's rank correlation of predicted and measured. */
  rankCorrelation: number;
}

const FOLDS = 5;
/** Of the kinds of layer that a size allows, each is in a third of all architectures or more: none is missed in so many. */
const ENOUGH_DRAWS = 100;

/**
 * Random architectures, `samples` of them, and those that bring a kind of layer that no other has. At a few pixels some
 * kinds are in none at all (nothing is resized at 4 x 4).
 */
export function drawArchitectures(
  draw: Random,
  samples: number,
  settings: NetworkSettings,
  size: { height: number; width: number },
): Architecture[] {
  const met = new Set<string>();
  const architectures: Architecture[] = [];
  for (let n = 0; n < samples || (n < ENOUGH_DRAWS && met.size < LAYER_KINDS.length); n++) {
    const architecture = sampleUniform(draw);
    const before = met.size;
    for (const { kind } of expand(architecture, settings, size).layers) met.add(kind);
    if (n < samples || met.size > before) architectures.push(architecture);
  }
  return architectures;
}

/** The kinds of layer that some network has, in the order of LAYER_KINDS. */
function kindsIn(timings: Timing[]): Layer["kind"][] {
  const met = new Set(timings.flatMap(({ network }) => network.layers.map(({ kind }) => kind)));
  return LAYER_KINDS.filter((kind) => met.has(kind));
}

/** The table with the least squared relative error, no coefficient below 0, a row for each kind of layer that was timed. */
export function fitTable(device: string, timings: Timing[], kinds = kindsIn(timings)): LatencyTable {
  const rows = timings.map(({ network, milliseconds }) => {
    const loads = layerLoads(network);
    // Over the target, so that it is the relative error that counts.
    return kinds.flatMap((kind) => loads.get(kind) ?? [0, 0, 0]).map((load) => load / milliseconds);
  });
  const coefficients = nonNegativeLeastSquares(
    rows,
    timings.map(() => 1),
  );
  const decimal = (index: number) => String(Number(coefficients[index]!.toPrecision(4)));
  return {
    device,
    rows: kinds.map((layer, k) => ({
      layer,
      perLayer: decimal(3 * k),
      perGigaMac: decimal(3 * k + 1),
      perMegaElement: decimal(3 * k + 2),
    })),
  };
}

/**
 * Five-fold cross-validation: each of the `judged` timings is predicted from a fit to the four fifths of the
 * groups that it is not in. Needs two groups.
 */
export function heldOut(timings: Timing[], judged: (timing: Timing) => boolean): HeldOut {
  const kinds = kindsIn(timings);
  const pairs = Array.from({ length: FOLDS }, (_, fold) => {
    const isOut = ({ group }: Timing) => group % FOLDS === fold;
    const out = timings.filter((timing) => isOut(timing) && judged(timing));
    if (out.length === 0) return [];
    const table = fitTable(
      "",
      timings.filter((timing) => !isOut(timing)),
      kinds,
    );
    return out.map(({ network, milliseconds }) => ({
      predicted: predictLatency(table, network),
      measured: milliseconds,
    }));
  }).flat();
  const errors = pairs.map(({ predicted, measured }) => Math.abs(predicted / measured - 1));
  return {
    networks: pairs.length,
    medianError: quantile(errors, 0.5),
    ninetiethError: quantile(errors, 0.9),
    rankCorrelation: spearman(
      pairs.map((pair) => pair.predicted),
      pairs.map((pair) => pair.measured),
    ),
  };
}
