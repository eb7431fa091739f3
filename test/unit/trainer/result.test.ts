// The result fits a termination message, whatever it has to say; and what an error says of a trial.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "@segnas/searchspace/errors.ts";
import { encodeResult, type Outcome, stageSecondsOf, verdictOf } from "@segnas/trainer/result.ts";
import { Interrupted, Session, Untrainable } from "@segnas/trainer/training/session.ts";
import fc from "fast-check";

const LIMIT = 4096;
const bytes = (text: string) => Buffer.byteLength(text);
const failed = (message: string): Outcome => ({
  outcome: "Failed",
  cause: "InvalidConfiguration",
  message,
  seconds: 1.5,
});
const succeeded = (slots: number): Extract<Outcome, { outcome: "Succeeded" }> => ({
  outcome: "Succeeded",
  reward: 1 / 3,
  metrics: { meanIoU: 1 / 7, meanAccuracy: 1 / 11, frequencyWeightedIoU: 1 / 13 },
  slots: Array.from({ length: slots }, (_, i) => ({
    stage: i === 0 ? 0 : 1,
    epoch: i,
    reward: 1 / (i + 3),
    meanIoU: 1 / (i + 7),
  })),
  parameters: 222718,
  macs: 22988288,
  seconds: 3.686306042,
  stageSeconds: { Setup: 1.3, Features: 0.4, 0: 0.6, 1: 1.1, Validation: 0.3 },
});

test("a short result is written as it is", () => {
  assert.deepEqual(JSON.parse(encodeResult(succeeded(6))), succeeded(6));
  assert.deepEqual(JSON.parse(encodeResult(failed("no"))), failed("no"));
});

test("of 500 slots the last ones stay, as many as fit", () => {
  const text = encodeResult(succeeded(500));
  assert.ok(bytes(text) <= LIMIT);
  const { slots, ...rest } = JSON.parse(text);
  const { slots: all, ...whole } = succeeded(500);
  assert.deepEqual(rest, whole);
  assert.deepEqual(slots, all.slice(-slots.length));
  assert.ok(bytes(text) + bytes(JSON.stringify(all.at(-slots.length - 1))) + 1 > LIMIT, "one more would fit");
});

test("of a long message the beginning stays, as much as fits, in whole characters", () => {
  for (const character of ["x", "é", "読", "🚦", '"', "\n", "\u0001"]) {
    const text = encodeResult(failed(character.repeat(10_000)));
    assert.ok(bytes(text) <= LIMIT, character);
    assert.ok(bytes(text) > LIMIT - 12, `${character}: only ${bytes(text)} bytes are used`);
    const { message } = JSON.parse(text);
    assert.match(message, /\.\.\.$/);
    assert.equal(message.slice(0, -3), character.repeat((message.length - 3) / character.length));
  }
});

test("any message comes within the limit, as its own beginning", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.integer({ min: 1, max: 500 }),
      (part, n) => {
        const whole = part.repeat(n);
        const text = encodeResult(failed(whole));
        assert.ok(bytes(text) <= LIMIT);
        const { message } = JSON.parse(text);
        assert.ok(message === whole || whole.startsWith(message.slice(0, -3)));
      },
    ),
  );
});

test("what each stage took, to a tenth of a second, with what came after the last step", async () => {
  let seconds = 100;
  const session = new Session("t", undefined, () => seconds * 1000);
  seconds += 2.26;
  session.enter(0, 1, 1, 1);
  seconds += 1.04;
  await session.step(0.5, 4);
  session.enter("Validation", 1, 1, 1);
  seconds += 0.5;
  await session.advance(1);
  seconds += 3.25;
  session.enter(1, 1, 1, 1);
  session.enter("Validation", 1, 1, 1);
  seconds += 0.01;
  assert.deepEqual(stageSecondsOf(session), { Setup: 2.3, 0: 1, Validation: 3.8, 1: 0 });
  seconds += 60;
  assert.deepEqual(stageSecondsOf(session), { Setup: 2.3, 0: 1, Validation: 63.8, 1: 0 });
});

test("what an error says of the trial", () => {
  assert.deepEqual(verdictOf(new UserError("seed: no")), {
    cause: "InvalidConfiguration",
    message: "seed: no",
  });
  assert.deepEqual(verdictOf(new Untrainable("TimeLimit", "late")), { cause: "TimeLimit", message: "late" });
  assert.equal(verdictOf(new Interrupted("stop")), undefined);
  assert.equal(verdictOf(new Error("ZOOM lens")), undefined);
  assert.equal(verdictOf("OOM"), undefined);
  // As the addon writes it.
  const words =
    "OOM when allocating tensor with shape[2000000000,2000000] and type float by allocator mklcpu";
  const error = new Error(`Invalid TF_Status: 8\nMessage: ${words}\nHint: none`);
  assert.deepEqual(verdictOf(error), { cause: "OutOfMemory", message: words });
});
