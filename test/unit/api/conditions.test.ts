import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SearchCondition, setCondition } from "../../../operator/api/conditions.ts";
import type { Condition } from "../../../operator/api/meta.ts";

const condition = fc.record({
  type: fc.constantFrom(...Object.values(SearchCondition)),
  status: fc.constantFrom<Condition["status"]>("True", "False", "Unknown"),
  reason: fc.constantFrom("A", "B"),
  message: fc.constantFrom("", "x"),
});

test("conditions are one of a type, as last set, since their status last changed, the telling ones first", () => {
  fc.assert(
    fc.property(fc.array(condition, { maxLength: 12 }), (settings) => {
      let conditions: Condition[] = [];
      const expected = new Map<string, Condition>();
      for (const [time, setting] of settings.entries()) {
        conditions = setCondition(conditions, setting, `${time}`);
        const before = expected.get(setting.type);
        const since = before?.status === setting.status ? before.lastTransitionTime : `${time}`;
        expected.set(setting.type, { ...setting, lastTransitionTime: since });
      }
      const order = ["Failed", "Complete", "Suspended", "Stalled", "Progressing"];
      assert.deepEqual(
        conditions,
        order.flatMap((type) => expected.get(type) ?? []),
      );
    }),
  );
});

test("the same list comes back where nothing changes", () => {
  fc.assert(
    fc.property(condition, (setting) => {
      const conditions = setCondition([], setting, "1");
      assert.equal(setCondition(conditions, setting, "2"), conditions);
      assert.notEqual(setCondition(conditions, { ...setting, observedGeneration: 2 }, "2"), conditions);
    }),
  );
});
