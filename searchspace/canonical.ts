// One name for every way to write the same network: templates that are unused, renamed or written twice
// make no difference, since each block carries what it does. Nothing is reordered.
import { createHash } from "node:crypto";
import type { Aggregate, Architecture, NetworkSettings, Operation } from "./architecture.ts";

export interface CanonicalBlock {
  inputs: [number, number];
  operations: [Operation, Operation];
  aggregate: Aggregate;
  repeats: number;
  stride: number;
}

export interface CanonicalForm extends NetworkSettings {
  blocks: CanonicalBlock[];
}

/** The canonical form, with its fields always in the same order. */
export function canonicalForm(architecture: Architecture, settings: NetworkSettings): CanonicalForm {
  const { classes, aggregateChannels, separableRepeats } = settings;
  return {
    classes,
    aggregateChannels,
    separableRepeats,
    blocks: architecture.blocks.map(({ inputs, template, repeats, stride }) => {
      const { operations, aggregate } = architecture.templates[template]!;
      return { inputs, operations, aggregate, repeats, stride };
    }),
  };
}

/** The name of a network among those of a search: 128 bits of its hash, in hexadecimal. */
export const networkName = (architecture: Architecture, settings: NetworkSettings): string =>
  canonicalHash(architecture, settings).slice(0, 32);

/** SHA-256 of the canonical form's JSON, in hexadecimal. */
export function canonicalHash(architecture: Architecture, settings: NetworkSettings): string {
  return createHash("sha256")
    .update(JSON.stringify(canonicalForm(architecture, settings)))
    .digest("hex");
}
