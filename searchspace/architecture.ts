// Architectures as data: the spelled-out form that trials carry.
// The encoder is fixed (the first three stages of MobileNetV2); what is searched is a decoder of
// three templates and seven blocks that apply them (arXiv 1904.02365).
import { UserError } from "./errors.ts";
import { choice, fields, integer, isInteger, list, range, show } from "./fields.ts";

/** Operations in the order of their decision's choices. */
export const OPERATIONS = [
  "SeparableConv3x3",
  "SeparableConv5x5",
  "GlobalAveragePool",
  "MaxPool3x3",
  "SeparableConv5x5Dilated6",
  "Skip",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** How a template combines its two branches, in the order of their decision's choices. */
export const AGGREGATES = ["Sum", "Concat"] as const;
export type Aggregate = (typeof AGGREGATES)[number];

export const TEMPLATES = 3;
export const BLOCKS = 7;
export const MAX_REPEATS = 4;

/** Nodes 0 and 1 are the encoder's; block b makes node b + ENCODER_NODES and chooses among those before. */
export const ENCODER_NODES = 2;

/** Blocks 0 to 2 may stride, and merge at the smaller size; the later ones merge at the larger size. */
export const STRIDING_BLOCKS = 3;

/** Two operations and what combines them. */
export interface Template {
  operations: [Operation, Operation];
  aggregate: Aggregate;
}

/** A template applied `repeats` times to two earlier nodes. */
export interface Block {
  inputs: [number, number];
  template: number;
  repeats: number;
  stride: 1 | 2;
}

export interface Architecture {
  templates: Template[];
  blocks: Block[];
}

/** What else a network depends on: classes, channels before the classifier, separable convolutions in a row. */
export interface NetworkSettings {
  classes: number;
  aggregateChannels: number;
  separableRepeats: number;
}

/**
 * The short form of an architecture: three [operation1, operation2, aggregate] and seven
 * [input1, input2, template, repeats - 1, stride exponent], as indices into their choices.
 */
export type Genotype = [templates: number[][], blocks: number[][]];

/** Networks of the paper, by name. */
export const PUBLISHED: Record<string, Genotype> = {
  arch0: [
    [
      [3, 0, 1],
      [4, 1, 1],
      [3, 1, 1],
    ],
    [
      [0, 1, 0, 0, 1],
      [2, 1, 2, 1, 0],
      [3, 1, 1, 1, 0],
      [1, 1, 2, 0, 0],
      [3, 0, 2, 0, 0],
      [5, 3, 2, 1, 0],
      [0, 5, 0, 1, 0],
    ],
  ],
  arch1: [
    [
      [1, 1, 0],
      [1, 3, 0],
      [3, 4, 0],
    ],
    [
      [1, 1, 0, 0, 0],
      [0, 1, 1, 1, 1],
      [3, 1, 2, 3, 0],
      [3, 0, 2, 2, 0],
      [0, 1, 2, 0, 0],
      [2, 1, 1, 3, 0],
      [4, 0, 2, 2, 0],
    ],
  ],
};

/** The short form of a (valid) architecture. */
export function toGenotype({ templates, blocks }: Architecture): Genotype {
  return [
    templates.map(({ operations: [first, second], aggregate }) => [
      OPERATIONS.indexOf(first),
      OPERATIONS.indexOf(second),
      AGGREGATES.indexOf(aggregate),
    ]),
    blocks.map(({ inputs, template, repeats, stride }) => [...inputs, template, repeats - 1, stride - 1]),
  ];
}

/**
 * An architecture from its spelled-out form, its short form (see Genotype) or a published name.
 * Throws UserError that names the field, e.g. `blocks[3].stride: only blocks 0 to 2 may stride, write 1`.
 */
export function parseArchitecture(value: unknown): Architecture {
  if (typeof value === "string") return parsePublished(value);
  if (Array.isArray(value)) return parseGenotype(value);
  const given = fields(value, "architecture", ["templates", "blocks"]);
  return {
    templates: list(given.templates, "templates", TEMPLATES).map(parseTemplate),
    blocks: list(given.blocks, "blocks", BLOCKS).map(parseBlock),
  };
}

function parsePublished(name: string): Architecture {
  if (!Object.hasOwn(PUBLISHED, name)) {
    const names = Object.keys(PUBLISHED).join(", ");
    throw new UserError(`${show(name)} is not a published architecture, write one of ${names}`);
  }
  return parseGenotype(PUBLISHED[name]!);
}

/** The short form brought to the spelled-out form, so that one set of rules judges both. */
function parseGenotype(value: unknown[]): Architecture {
  const [templates, blocks] = list(value, "architecture", 2);
  return parseArchitecture({
    templates: list(templates, "templates", TEMPLATES).map((template, i) => {
      const [first, second, aggregate] = list(template, `templates[${i}]`, 3);
      const place = (field: number) => `templates[${i}][${field}]`;
      return {
        operations: [
          OPERATIONS[integer(first, place(0), 0, OPERATIONS.length - 1)],
          OPERATIONS[integer(second, place(1), 0, OPERATIONS.length - 1)],
        ],
        aggregate: AGGREGATES[integer(aggregate, place(2), 0, AGGREGATES.length - 1)],
      };
    }),
    blocks: list(blocks, "blocks", BLOCKS).map((block, b) => {
      const [first, second, template, repeats, stride] = list(block, `blocks[${b}]`, 5);
      return {
        inputs: [first, second],
        template,
        repeats: integer(repeats, `blocks[${b}][3]`, 0, MAX_REPEATS - 1) + 1,
        stride: 2 ** integer(stride, `blocks[${b}][4]`, 0, 1),
      };
    }),
  });
}

function parseTemplate(value: unknown, index: number): Template {
  const place = `templates[${index}]`;
  const given = fields(value, place, ["operations", "aggregate"]);
  const [first, second] = list(given.operations, `${place}.operations`, 2);
  return {
    operations: [
      choice<Operation>(first, `${place}.operations[0]`, OPERATIONS),
      choice<Operation>(second, `${place}.operations[1]`, OPERATIONS),
    ],
    aggregate: choice<Aggregate>(given.aggregate, `${place}.aggregate`, AGGREGATES),
  };
}

function parseBlock(value: unknown, index: number): Block {
  const place = `blocks[${index}]`;
  const given = fields(value, place, ["inputs", "template", "repeats", "stride"]);
  const [first, second] = list(given.inputs, `${place}.inputs`, 2);
  const stride = integer(given.stride, `${place}.stride`, 1, 2);
  if (stride === 2 && index >= STRIDING_BLOCKS) {
    throw new UserError(`${place}.stride: only blocks 0 to ${STRIDING_BLOCKS - 1} may stride, write 1`);
  }
  return {
    inputs: [node(first, `${place}.inputs[0]`, index), node(second, `${place}.inputs[1]`, index)],
    template: integer(given.template, `${place}.template`, 0, TEMPLATES - 1),
    repeats: integer(given.repeats, `${place}.repeats`, 1, MAX_REPEATS),
    stride: stride === 2 ? 2 : 1,
  };
}

function node(value: unknown, place: string, block: number): number {
  const last = block + ENCODER_NODES - 1;
  if (isInteger(value) && value > last) {
    throw new UserError(`${place}: ${value} is not an earlier node, write ${range(0, last)}`);
  }
  return integer(value, place, 0, last);
}
