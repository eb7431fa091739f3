// The search space: its decisions, their order, and the way between the forms of an architecture.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PUBLISHED, parseArchitecture, toGenotype } from "@segnas/searchspace/architecture.ts";
import {
  DECISIONS,
  fromDecisions,
  HEADS,
  SPACE_SIZE,
  sampleUniform,
  toDecisions,
} from "@segnas/searchspace/decisions.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { random } from "@segnas/searchspace/random.ts";
import fc from "fast-check";
import { decisions } from "./spaces.ts";

test("the space is the published one", () => {
  assert.equal(DECISIONS.length, 44);
  assert.equal(DECISIONS.filter(({ choices }) => choices > 1).length, 40);
  assert.equal(SPACE_SIZE, 173_939_110_768_450_260_172_800n);
});

test("decisions are named by their field, templates first, and share heads by kind", () => {
  const named = (name: string) => DECISIONS.find((decision) => decision.name === name);
  assert.deepEqual(
    DECISIONS.slice(0, 3).map(({ name }) => name),
    ["templates[0].operations[0]", "templates[0].operations[1]", "templates[0].aggregate"],
  );
  assert.deepEqual(DECISIONS[9], { name: "blocks[0].inputs[0]", head: 6, choices: 2 });
  assert.deepEqual(named("blocks[3].inputs[1]"), { name: "blocks[3].inputs[1]", head: 13, choices: 5 });
  assert.equal(named("blocks[2].stride")?.head, 4);
  assert.equal(named("blocks[3].stride")?.head, 5);
  assert.deepEqual(
    DECISIONS.map(({ head }) => HEADS[head]?.choices),
    DECISIONS.map(({ choices }) => choices),
  );
});

test("decisions, short form and spelled-out form say the same", () => {
  fc.assert(
    fc.property(decisions, (chosen) => {
      const architecture = fromDecisions(chosen);
      assert.deepEqual(toDecisions(architecture), chosen);
      assert.deepEqual(parseArchitecture(toGenotype(architecture)), architecture);
      assert.deepEqual(parseArchitecture(JSON.parse(JSON.stringify(architecture))), architecture);
    }),
  );
});

test("published names stand for their short forms", () => {
  for (const [name, genotype] of Object.entries(PUBLISHED)) {
    assert.deepEqual(toGenotype(parseArchitecture(name)), genotype);
  }
});

test("a decision outside its choices is refused", () => {
  const chosen = toDecisions(parseArchitecture("arch0"));
  for (const [index, { choices }] of DECISIONS.entries()) {
    for (const wrong of [-1, choices, 0.5, Number.NaN]) {
      assert.throws(() => fromDecisions(chosen.with(index, wrong)), UserError);
    }
  }
  assert.throws(() => fromDecisions(chosen.slice(1)), UserError);
  assert.throws(() => fromDecisions([...chosen, 0]), UserError);
});

test("uniform samples depend on the stream alone and reach every choice", () => {
  assert.deepEqual(sampleUniform(random(1, "sample", 3)), sampleUniform(random(1, "sample", 3)));
  const stream = random(1, "samples");
  const seen = DECISIONS.map(() => new Set<number>());
  for (let i = 0; i < 300; i++) {
    for (const [index, choice] of toDecisions(sampleUniform(stream)).entries()) seen[index]!.add(choice);
  }
  assert.deepEqual(
    seen.map(({ size }) => size),
    DECISIONS.map(({ choices }) => choices),
  );
});
