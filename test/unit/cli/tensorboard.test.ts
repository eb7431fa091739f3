// The event file of TensorBoard, read back. Its first bytes are those that TensorFlow's own writer gives.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { tensorboardEvents } from "../../../cli/tensorboard.ts";
import { searchOf } from "../web/fixtures.ts";

/** The records of a TFRecord file, without their checksums. */
function* records(file: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    yield file.subarray(at + 12, at + 12 + length);
    at += 16 + length;
  }
}

/** The scalars of an Event as [step, tag, value]. */
function scalarsOf(event: Uint8Array): [number, string, number][] {
  const found: [number, string, number][] = [];
  const reader = new BinaryReader(event);
  let step = 0;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 2) step = Number(reader.int64());
    else if (field !== 5) reader.skip(type);
    else {
      const end = reader.uint32() + reader.pos;
      while (reader.pos < end) {
        reader.tag();
        reader.uint32();
        reader.tag();
        const tag = reader.string();
        reader.tag();
        found.push([step, tag, reader.float()]);
      }
    }
  }
  return found;
}

test("trials by index, what the search has by then, and updates of the policy", () => {
  const search = { ...searchOf(6), policy: [{ update: 1, entropy: 50, baseline: 0.25, entry: 3 }] };
  const file = Buffer.from(tensorboardEvents(search));
  assert.equal(file.subarray(0, 12).toString("hex"), "1800000000000000a37f4b22");
  assert.ok(file.includes("brain.Event:2"));
  const scalars = [...records(file)].flatMap(scalarsOf);
  const of = (tag: string) =>
    scalars.filter((scalar) => scalar[1] === tag).map(([step, , value]) => [step, value]);
  const rewarded = search.trials.filter(({ reward }) => reward !== undefined);
  assert.ok(rewarded.length > 1 && rewarded.length < search.trials.length);
  assert.deepEqual(
    of("trial/reward"),
    rewarded.map(({ index, reward }) => [index, Math.fround(reward!)]),
  );
  let best = 0;
  assert.deepEqual(
    of("search/best_reward"),
    rewarded.map(({ index, reward }) => {
      best = Math.max(best, reward!);
      return [index, Math.fround(best)];
    }),
  );
  assert.deepEqual(of("policy/entropy"), [[1, 50]]);
});
