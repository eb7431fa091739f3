// How long a network takes on a machine, predicted from a table that `segnas measure` made there: a linear model
// over the layers, with three coefficients for each kind.
import { layerMacs } from "./count.ts";
import { UserError } from "./errors.ts";
import { choice, show } from "./fields.ts";
import type { Layer, Network } from "./network.ts";

/** Milliseconds that a layer of one kind costs; reals are decimal strings, as in a manifest. */
export interface LatencyRow {
  layer: string;
  /** Whatever its size. */
  perLayer: string;
  /** For each 10^9 multiply-accumulates. */
  perGigaMac: string;
  /** For each 10^6 numbers of its output. */
  perMegaElement: string;
}

export interface LatencyTable {
  /** The machine that it was measured on, for people. */
  device?: string;
  rows: LatencyRow[];
}

const KINDS: Record<Layer["kind"], true> = {
  ...{ Conv2D: true, BatchNorm: true, Relu: true, Relu6: true, Add: true, WeightedSum: true, Concat: true },
  ...{ MaxPool3x3: true, GlobalAveragePool: true, Resize: true, Broadcast: true, RepeatChannels: true },
};
/** Every kind of layer: the rows of a table. */
export const LAYER_KINDS = Object.keys(KINDS) as Layer["kind"][];

/** What the layers of one kind add up to: how many, their 10^9 MACs, and the 10^6 numbers that they put out. */
export type LayerLoad = [layers: number, gigaMacs: number, megaElements: number];

/** The load of each kind of layer that the network has, for one image. */
export function layerLoads(network: Network): Map<Layer["kind"], LayerLoad> {
  const loads = new Map<Layer["kind"], LayerLoad>();
  for (const layer of network.layers) {
    const [layers, gigaMacs, megaElements] = loads.get(layer.kind) ?? [0, 0, 0];
    const { channels, height, width } = network.values[layer.output]!;
    loads.set(layer.kind, [
      layers + 1,
      gigaMacs + layerMacs(network, layer) / 1e9,
      megaElements + (channels * height * width) / 1e6,
    ]);
  }
  return loads;
}

/**
 * Milliseconds for one image of the size that the network was expanded at: the sum over its layers. Throws
 * UserError for a row of no known kind, a coefficient that is no number of at least 0, or a kind of layer that
 * the network has and the table lacks, each with the field under `path`, where the table stands.
 */
export function predictLatency(table: LatencyTable, network: Network, path = "table"): number {
  const costs = new Map(
    table.rows.map((row, r) => {
      const place = `${path}.rows[${r}]`;
      return [choice(row.layer, `${place}.layer`, LAYER_KINDS), coefficientsOf(row, place)];
    }),
  );
  let milliseconds = 0;
  for (const [kind, load] of layerLoads(network)) {
    const coefficients = costs.get(kind);
    if (!coefficients)
      throw new UserError(
        `${path}.rows: there is none for the layer ${kind}, which the network has; write the rows that \`segnas measure\` gives`,
      );
    milliseconds += load.reduce((sum, amount, i) => sum + amount * coefficients[i]!, 0);
  }
  return milliseconds;
}

const coefficientsOf = (row: LatencyRow, place: string): LayerLoad => {
  const read = (name: "perLayer" | "perGigaMac" | "perMegaElement") => {
    const value = Number(row[name]);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new UserError(`${place}.${name}: ${show(row[name])} is not allowed, write a number of at least 0`);
  };
  return [read("perLayer"), read("perGigaMac"), read("perMegaElement")];
};
