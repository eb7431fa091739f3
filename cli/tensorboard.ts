// A search as an event file of TensorBoard: what came of each trial by its index, and the policy by its updates. The
// format is TFRecord (tensorflow/core/lib/io/record_writer.h) around Event (tensorflow/core/util/event.proto).
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { SearchSummary } from "@segnas/operator/web/summary.ts";

/** The contents of a file, which TensorBoard finds if its name holds `tfevents`. */
export function tensorboardEvents(search: SearchSummary): Uint8Array {
  let time = secondsOf(search.startTime) ?? 0;
  const events = [event(time).tag(3, WireType.LengthDelimited).string("brain.Event:2")];
  let best = Number.NEGATIVE_INFINITY;
  let spent = 0;
  for (const { index, reward, metrics, parameters, macs, seconds = 0, endTime } of search.trials) {
    time = Math.max(time, secondsOf(endTime) ?? time);
    spent += seconds;
    if (reward === undefined) continue;
    best = Math.max(best, reward);
    const trial = { reward, mean_iou: metrics?.meanIoU, parameters, macs };
    events.push(scalars(time, index, "trial", trial));
    events.push(scalars(time, index, "search", { best_reward: best, gpu_hours: spent / 3600 }));
  }
  // When an update was is not known: in a cluster all that is known of it is its place among the trials.
  for (const { update, entropy, baseline } of search.policy)
    events.push(scalars(time, update, "policy", { entropy, baseline }));
  return Buffer.concat(events.map((writer) => record(writer.finish())));
}

const secondsOf = (time: string | undefined): number | undefined =>
  time === undefined ? undefined : Date.parse(time) / 1000;

/** The beginning of an Event. */
const event = (wallTime: number): BinaryWriter => new BinaryWriter().tag(1, WireType.Bit64).double(wallTime);

/** An Event with a Summary of scalars under `group`/name; those that are not known are left out. */
function scalars(
  wallTime: number,
  step: number,
  group: string,
  values: Record<string, number | undefined>,
): BinaryWriter {
  const writer = event(wallTime).tag(2, WireType.Varint).int64(step);
  writer.tag(5, WireType.LengthDelimited).fork();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(`${group}/${name}`);
    writer.tag(2, WireType.Bit32).float(value).join();
  }
  return writer.join();
}

/** A TFRecord: length, its checksum, data, its checksum. */
function record(data: Uint8Array): Buffer {
  const buffer = Buffer.alloc(16 + data.length);
  buffer.writeBigUInt64LE(BigInt(data.length));
  buffer.writeUInt32LE(maskedChecksum(buffer.subarray(0, 8)), 8);
  buffer.set(data, 12);
  buffer.writeUInt32LE(maskedChecksum(data), 12 + data.length);
  return buffer;
}

/** CRC-32C, turned by 15 bits and shifted (tensorflow/core/lib/hash/crc32c.h). */
function maskedChecksum(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
