// What ends a trial early, with the time passed in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Interrupted, Session, Untrainable } from "@segnas/trainer/training/session.ts";

function sessionAt(timeLimitSeconds?: number) {
  const clock = { seconds: 100 };
  const session = new Session("t", timeLimitSeconds, () => clock.seconds * 1000);
  return { session, clock };
}
const untrainable = (reason: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Untrainable);
  assert.equal(error.reason, reason);
  assert.match(error.message, message);
  return true;
};

test("the time limit runs from the beginning of the first training step", async () => {
  const { session, clock } = sessionAt(10);
  session.enter("Features", 0, 0, 1);
  clock.seconds += 1000;
  await session.advance(1);
  session.enter(0, 1, 1, 3);
  clock.seconds += 8;
  await session.step(1, 4);
  clock.seconds += 2;
  await session.step(1, 4);
  session.enter("Validation", 1, 1, 1);
  clock.seconds += 0.5;
  await assert.rejects(session.advance(1), untrainable("TimeLimit", /^not done 10 s after its first/));
});

test("a warm-up, which all trials share, is not on the trial's time", async () => {
  const { session, clock } = sessionAt(10);
  session.enter("WarmUp", 1, 1, 2);
  clock.seconds += 8;
  await session.step(1, 4);
  clock.seconds += 8;
  await session.step(1, 4);
  session.enter(0, 1, 1, 1);
  clock.seconds += 9;
  await session.step(1, 4);
});

test("without a limit time does not matter", async () => {
  const { session, clock } = sessionAt();
  session.enter(0, 1, 1, 2);
  await session.step(1, 4);
  clock.seconds += 1e9;
  await session.step(1, 4);
});

test("an interrupt ends the next advance, in any stage", async () => {
  for (const work of [
    (session: Session) => session.advance(1),
    (session: Session) => session.advance(0),
    (session: Session) => session.step(1, 4),
  ]) {
    const { session } = sessionAt();
    session.interrupt();
    await assert.rejects(work(session), (error) => error instanceof Interrupted);
  }
});

test("an interrupt that comes while a step was at work is seen at its end", async () => {
  const { session } = sessionAt();
  const ended = session.step(1, 4);
  session.interrupt();
  await assert.rejects(ended, (error) => error instanceof Interrupted);
});

test("a loss that is not finite ends the trial, with the place", async () => {
  for (const loss of [Number.NaN, Infinity, -Infinity]) {
    const { session } = sessionAt();
    session.enter(1, 3, 5, 7);
    await session.step(0.5, 4);
    const told: number[] = [];
    session.onStep = (value) => told.push(value);
    await assert.rejects(
      session.step(loss, 4),
      untrainable("NonFiniteLoss", new RegExp(`^the loss became ${loss} in stage 1, epoch 3, step 2$`)),
    );
    assert.equal(session.progress.loss, 0.5);
    assert.deepEqual(told, []);
  }
});

test("a warm-up whose loss is not finite is the configuration's fault, not the architecture's", async () => {
  const { session } = sessionAt();
  session.enter("WarmUp", 1, 1, 1);
  await assert.rejects(session.step(Number.NaN, 4), {
    name: "UserError",
    message: /^training\.encoder\.source: the loss of the warm-up became NaN, write/,
  });
});

test("progress counts steps of images; other work is none", async () => {
  const { session, clock } = sessionAt();
  const seen: [number, number, number][] = [];
  session.onStep = (loss, seconds, images) => seen.push([loss, seconds, images]);
  session.enter(0, 2, 5, 3);
  assert.deepEqual(session.progress, {
    ...{ name: "t", stage: 0, epoch: 2, epochs: 5, step: 0, steps: 3 },
    ...{ loss: null, losses: [], meanIoU: null, imagesPerSecond: null, beats: 0 },
  });
  clock.seconds += 2;
  await session.step(0.75, 8);
  clock.seconds += 1;
  await session.advance(0);
  const { step, loss, losses, imagesPerSecond, beats } = session.progress;
  assert.deepEqual(
    { step, loss, losses, imagesPerSecond, beats },
    { step: 1, loss: 0.75, losses: [0.75], imagesPerSecond: 4, beats: 2 },
  );
  assert.deepEqual(seen, [[0.75, 2, 8]]);
  clock.seconds += 4;
  session.enter("Validation", 3, 5, 3);
  clock.seconds += 5;
  await session.advance(1);
  assert.deepEqual(
    [...session.stageSeconds],
    [
      ["Setup", 0],
      [0, 7],
      ["Validation", 5],
    ],
  );
});
