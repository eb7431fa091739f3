// The search space as the sequence of choices that a policy makes: templates first, then blocks.
import {
  AGGREGATES,
  type Architecture,
  BLOCKS,
  ENCODER_NODES,
  type Genotype,
  MAX_REPEATS,
  OPERATIONS,
  parseArchitecture,
  STRIDING_BLOCKS,
  TEMPLATES,
  toGenotype,
} from "./architecture.ts";
import { list } from "./fields.ts";
import type { Random } from "./random.ts";

/** What decides: decisions that share a head share its weights. */
export interface Head {
  name: string;
  choices: number;
}

/** One decision: the path of its field, its head's position in HEADS, and how many choices it has. */
export interface Decision {
  name: string;
  head: number;
  choices: number;
}

const TEMPLATE_DECISIONS = 3;
const BLOCK_DECISIONS = 5;

/** One head for each kind of decision, one where there is no choice, and one for each input of each block. */
export const HEADS: readonly Head[] = [
  { name: "Operation", choices: OPERATIONS.length },
  { name: "Aggregate", choices: AGGREGATES.length },
  { name: "Template", choices: TEMPLATES },
  { name: "Repeats", choices: MAX_REPEATS },
  { name: "Stride", choices: 2 },
  { name: "NoStride", choices: 1 },
  ...Array.from({ length: 2 * BLOCKS }, (_, i) => ({
    name: `Block${i >> 1}Input${i % 2}`,
    choices: (i >> 1) + ENCODER_NODES,
  })),
];

/** The 44 decisions in the order in which they are made. Choice c of repeats is c + 1, of a stride 2^c. */
export const DECISIONS: readonly Decision[] = [
  ...Array.from({ length: TEMPLATES }, (_, index) => [
    decision(`templates[${index}].operations[0]`, "Operation"),
    decision(`templates[${index}].operations[1]`, "Operation"),
    decision(`templates[${index}].aggregate`, "Aggregate"),
  ]).flat(),
  ...Array.from({ length: BLOCKS }, (_, block) => [
    decision(`blocks[${block}].inputs[0]`, `Block${block}Input0`),
    decision(`blocks[${block}].inputs[1]`, `Block${block}Input1`),
    decision(`blocks[${block}].template`, "Template"),
    decision(`blocks[${block}].repeats`, "Repeats"),
    decision(`blocks[${block}].stride`, block < STRIDING_BLOCKS ? "Stride" : "NoStride"),
  ]).flat(),
];

function decision(name: string, headName: string): Decision {
  const head = HEADS.findIndex((candidate) => candidate.name === headName);
  return { name, head, choices: HEADS[head]!.choices };
}

/** How many sequences of decisions there are. */
export const SPACE_SIZE: bigint = DECISIONS.reduce((size, { choices }) => size * BigInt(choices), 1n);

/** The choice made at each decision. */
export function toDecisions(architecture: Architecture): number[] {
  return toGenotype(architecture).flat(2);
}

/** The architecture of 44 choices. Throws UserError where there are more or fewer, or one is out of range. */
export function fromDecisions(decisions: readonly number[]): Architecture {
  list(decisions, "decisions", DECISIONS.length);
  const rows = (from: number, count: number, width: number) =>
    Array.from({ length: count }, (_, row) => decisions.slice(from + row * width, from + (row + 1) * width));
  const genotype: Genotype = [
    rows(0, TEMPLATES, TEMPLATE_DECISIONS),
    rows(TEMPLATES * TEMPLATE_DECISIONS, BLOCKS, BLOCK_DECISIONS),
  ];
  return parseArchitecture(genotype);
}

/** An architecture with every decision drawn uniformly from its choices. */
export function sampleUniform(random: Random): Architecture {
  return fromDecisions(DECISIONS.map(({ choices }) => random.integer(choices)));
}
