// Every structure of test/golden/structures.json: shapes, collected nodes, parameters and MACs, exactly.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { expand } from "@segnas/searchspace/network.ts";

interface Structure {
  name: string;
  genotype: unknown;
  classes: number;
  aggregateChannels: number;
  separableRepeats: number;
  encoderParameters: number;
  decoderParameters: number;
  blockParameters: number[];
  preClassifierParameters: number;
  classifierParameters: number;
  collected: number[];
  at: {
    height: number;
    width: number;
    encoder: number[][];
    blocks: number[][];
    logits: number[];
    encoderMacs: number;
    decoderMacs: number;
  }[];
}

const file = new URL("../../golden/structures.json", import.meta.url);
const structures: Structure[] = JSON.parse(readFileSync(file, "utf8"));

test("the goldens are all there", () => assert.equal(structures.length, 208));

for (const golden of structures) {
  const { classes, aggregateChannels, separableRepeats } = golden;
  test(`${golden.name}, ${classes} classes, ${aggregateChannels} channels, ${separableRepeats} repeats`, () => {
    const architecture = parseArchitecture(golden.genotype);
    for (const at of golden.at) {
      const network = expand(architecture, { classes, aggregateChannels, separableRepeats }, at);
      const shape = (value: number) => {
        const { channels, height, width } = network.values[value]!;
        return [channels, height, width];
      };
      assert.deepEqual(network.nodes.map(shape), [...at.encoder, ...at.blocks]);
      assert.deepEqual(shape(network.logits), at.logits);
      assert.deepEqual(network.collected, golden.collected);

      assert.deepEqual(countParameters(network), {
        total: golden.encoderParameters + golden.decoderParameters,
        encoder: golden.encoderParameters,
        decoder: golden.decoderParameters,
        blocks: golden.blockParameters,
        preClassifier: golden.preClassifierParameters,
        classifier: golden.classifierParameters,
      });
      const { encoder, decoder } = countMacs(network);
      assert.deepEqual({ encoder, decoder }, { encoder: at.encoderMacs, decoder: at.decoderMacs });
    }
  });
}
