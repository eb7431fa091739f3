// The canonical hash: the same for every way to write a network, another for every other network.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Architecture } from "@segnas/searchspace/architecture.ts";
import { canonicalForm, canonicalHash } from "@segnas/searchspace/canonical.ts";
import { DECISIONS, fromDecisions, toDecisions } from "@segnas/searchspace/decisions.ts";
import fc from "fast-check";
import { architectures, settings } from "./spaces.ts";

const usedTemplates = ({ blocks }: Architecture) => new Set(blocks.map(({ template }) => template));
const position = fc.nat(DECISIONS.length - 1);

/** The architecture with one decision changed, to the choice `step` further on. */
function change(architecture: Architecture, index: number, step: number): Architecture {
  const chosen = toDecisions(architecture);
  const { choices } = DECISIONS[index]!;
  return fromDecisions(chosen.with(index, (chosen[index]! + 1 + (step % (choices - 1))) % choices));
}

test("templates in another order, with the blocks' indices changed, are the same network", () => {
  const orders = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
  fc.assert(
    fc.property(architectures, settings, orders, (architecture, chosen, order) => {
      const permuted: Architecture = {
        templates: order.map((template) => architecture.templates[template]!),
        blocks: architecture.blocks.map((block) => ({ ...block, template: order.indexOf(block.template) })),
      };
      assert.equal(canonicalHash(permuted, chosen), canonicalHash(architecture, chosen));
    }),
  );
});

test("a template that no block uses makes no difference", () => {
  fc.assert(
    fc.property(architectures, settings, fc.nat(8), fc.nat(), (drawn, chosen, index, step) => {
      const unused = Math.floor(index / 3);
      const blocks = drawn.blocks.map((block) => ({
        ...block,
        template: block.template === unused ? (unused + 1) % 3 : block.template,
      }));
      const architecture = { ...drawn, blocks };
      const changed = change(architecture, index, step);
      assert.notDeepEqual(changed, architecture);
      assert.equal(canonicalHash(changed, chosen), canonicalHash(architecture, chosen));
    }),
  );
});

test("any other decision makes a difference, but for the choice between equal templates", () => {
  fc.assert(
    fc.property(architectures, settings, position, fc.nat(), (architecture, chosen, index, step) => {
      const { choices, name } = DECISIONS[index]!;
      fc.pre(choices > 1);
      fc.pre(!name.startsWith("templates") || usedTemplates(architecture).has(Math.floor(index / 3)));
      const templates = architecture.templates.map((template) => JSON.stringify(template));
      fc.pre(!name.endsWith(".template") || new Set(templates).size === 3);
      const changed = change(architecture, index, step);
      assert.notEqual(canonicalHash(changed, chosen), canonicalHash(architecture, chosen));
    }),
  );
});

test("settings make a difference, extra fields and their order do not", () => {
  fc.assert(
    fc.property(architectures, settings, (architecture, chosen) => {
      const hash = canonicalHash(architecture, chosen);
      for (const name of ["classes", "aggregateChannels", "separableRepeats"] as const) {
        assert.notEqual(canonicalHash(architecture, { ...chosen, [name]: chosen[name] + 1 }), hash);
      }
      const reversed = Object.fromEntries(Object.entries({ ...chosen, other: 1 }).reverse());
      assert.equal(canonicalHash(architecture, reversed as typeof chosen & { other: number }), hash);
      assert.match(hash, /^[0-9a-f]{64}$/);
      assert.equal(canonicalForm(architecture, chosen).blocks.length, 7);
    }),
  );
});
