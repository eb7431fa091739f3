// A trainer that trains nothing: its text is what pods of the trainer's image run instead. The reward is a function
// of the architecture; PRETEND says how long a trial takes, and what its attempts do instead, one after the other.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

/** What an attempt does: an exit code, memory without end, or a result that is no result. */
export type Misdeed = number | "hog" | "stubborn" | "empty" | "nan" | "odd";
export interface Pretence {
  /** How long a trial takes at least and at most. */
  seconds?: [number, number];
  /** By trial index, what its first attempts do; `all` of a trial that is not named. */
  misdeeds?: Partial<Record<number | "all", Misdeed[]>>;
  /** A trial trains until /release is asked for. */
  held?: boolean;
}

const { seconds = [0, 0], misdeeds, held } = JSON.parse(process.env.PRETEND!) as Pretence;
const trial = JSON.parse(process.env.SEGNAS_TRIAL!) as { name: string; architecture: object };
const released = Promise.withResolvers<void>();
const index = Number(trial.name.split("-").at(-1));
// A pod is named <trial>-<attempt>-<some letters>.
const attempt = Number(process.env.HOSTNAME!.slice(trial.name.length + 1).split("-")[0]);
const misdeed = (misdeeds?.[index] ?? misdeeds?.all)?.[attempt];

process.on("SIGTERM", () => {
  if (misdeed !== "stubborn") process.exit(75);
});
createServer((request, response) => {
  if (request.url === "/release") released.resolve();
  response.end(JSON.stringify({ name: trial.name, stage: 0, epoch: 1, epochs: 2 }));
}).listen(Number(process.env.SEGNAS_PORT));

const end = (code: number, result: object): never => {
  writeFileSync(process.env.SEGNAS_RESULT!, JSON.stringify(result));
  process.exit(code);
};
if (misdeed === "hog") {
  const hoard: Buffer[] = [];
  for (;;) {
    hoard.push(Buffer.alloc(2 ** 24, 1));
    await wait(5);
  }
}
if (misdeed === "empty") process.exit(0);
if (misdeed === 64)
  end(64, { outcome: "Failed", cause: "InvalidConfiguration", message: "dataset.path: no such folder" });
if (misdeed === 65)
  end(65, { outcome: "Failed", cause: "NonFiniteLoss", message: "the loss is NaN in epoch 1" });
if (typeof misdeed === "number") {
  console.error("something broke");
  process.exit(misdeed);
}

if (held) await released.promise;
await wait(1000 * (seconds[0] + Math.random() * (seconds[1] - seconds[0])));
// Any function of the architecture will do.
const sum = Buffer.from(JSON.stringify(trial.architecture)).reduce(
  (total, byte, i) => total + byte * ((i % 7) + 1),
  0,
);
const reward = misdeed === "nan" ? Number.NaN : (sum % 97) / 97;
const metrics = { meanIoU: reward, meanAccuracy: reward, frequencyWeightedIoU: reward };
const slots = [{ stage: 0, epoch: 1, reward: reward / 2, meanIoU: reward / 2 }];
const parameters = misdeed === "odd" ? -1.5 : 100_000 + sum;
end(0, { outcome: "Succeeded", reward, metrics, slots, parameters, macs: 1, seconds: 1 });
