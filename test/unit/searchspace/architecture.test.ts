// Mistakes in an architecture: each is refused with its place and with what to write.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArchitecture, toGenotype } from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";

type Loose = Record<string, unknown>;

/** arch0 with one change. */
function spelled(change: (architecture: { templates: Loose[]; blocks: Loose[] } & Loose) => void): unknown {
  const copy = JSON.parse(JSON.stringify(parseArchitecture("arch0")));
  change(copy);
  return copy;
}
function short(change: (genotype: number[][][]) => void): unknown {
  const copy: number[][][] = structuredClone(toGenotype(parseArchitecture("arch0")));
  change(copy);
  return copy;
}

const mistakes: [mistake: unknown, sentence: string][] = [
  ["arch7", '"arch7" is not a published architecture, write one of arch0, arch1'],
  ["toString", '"toString" is not a published architecture, write one of arch0, arch1'],
  [null, "architecture: null is not an object, write one with templates, blocks"],
  [42, "architecture: 42 is not an object, write one with templates, blocks"],
  [{ templates: [] }, "architecture.blocks: is missing, write it"],
  [spelled((a) => (a.extra = 1)), 'architecture: unknown field "extra", write only templates, blocks'],
  [spelled((a) => a.blocks.pop()), "blocks: has 6 items, write 7"],
  [spelled((a) => ((a as Loose).templates = {})), "templates: {} is not a list, write a list of 3"],
  [spelled((a) => (a.blocks[3]!.stride = 2)), "blocks[3].stride: only blocks 0 to 2 may stride, write 1"],
  [spelled((a) => (a.blocks[0]!.stride = 3)), "blocks[0].stride: 3 is not allowed, write 1 or 2"],
  [
    spelled((a) => (a.blocks[0]!.inputs = [0, 2])),
    "blocks[0].inputs[1]: 2 is not an earlier node, write 0 or 1",
  ],
  [
    spelled((a) => (a.blocks[6]!.inputs = [8, 0])),
    "blocks[6].inputs[0]: 8 is not an earlier node, write a whole number from 0 to 7",
  ],
  [spelled((a) => (a.blocks[0]!.inputs = [-1, 0])), "blocks[0].inputs[0]: -1 is not allowed, write 0 or 1"],
  [spelled((a) => (a.blocks[0]!.inputs = [0])), "blocks[0].inputs: has 1 item, write 2"],
  [
    spelled((a) => (a.blocks[1]!.repeats = "2")),
    'blocks[1].repeats: "2" is not allowed, write a whole number from 1 to 4',
  ],
  [
    spelled((a) => (a.blocks[1]!.template = 1.5)),
    "blocks[1].template: 1.5 is not allowed, write a whole number from 0 to 2",
  ],
  [spelled((a) => delete a.blocks[1]!.template), "blocks[1].template: is missing, write it"],
  [
    spelled((a) => (a.blocks[1]!.strides = 1)),
    'blocks[1]: unknown field "strides", write only inputs, template, repeats, stride',
  ],
  [
    spelled((a) => (a.templates[2]!.aggregate = "sum")),
    'templates[2].aggregate: "sum" is not known, write one of Sum, Concat',
  ],
  [
    spelled((a) => (a.templates[0]!.operations = ["Skip", "Conv"])),
    'templates[0].operations[1]: "Conv" is not known, write one of SeparableConv3x3, SeparableConv5x5, ' +
      "GlobalAveragePool, MaxPool3x3, SeparableConv5x5Dilated6, Skip",
  ],
  [[[]], "architecture: has 1 item, write 2"],
  [short((g) => (g[0]![1]![0] = 6)), "templates[1][0]: 6 is not allowed, write a whole number from 0 to 5"],
  [short((g) => (g[1]![2]![3] = 4)), "blocks[2][3]: 4 is not allowed, write a whole number from 0 to 3"],
  [short((g) => (g[1]![2]![4] = 2)), "blocks[2][4]: 2 is not allowed, write 0 or 1"],
  [short((g) => (g[1]![4]![4] = 1)), "blocks[4].stride: only blocks 0 to 2 may stride, write 1"],
  [short((g) => g[1]![5]!.pop()), "blocks[5]: has 4 items, write 5"],
];

for (const [mistake, sentence] of mistakes) {
  test(sentence, () => {
    assert.throws(
      () => parseArchitecture(mistake),
      (error) => error instanceof UserError && error.message === sentence,
    );
  });
}
