// A trainer that trains nothing: the reward is a function of the architecture, the time it takes is random, and
// PRETEND says what goes wrong: for each trial what its attempts do instead, one after the other.
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** What an attempt does: an exit code, or memory without end, or nothing for ever, or a result that is no result. */
export type Misdeed = number | "hog" | "hang" | "segfault" | "garbage" | "empty" | "long" | "nan";
export interface Pretence {
  /** The longest that a trial takes. */
  milliseconds: number;
  /** By trial index, what its first attempts do. */
  misdeeds?: Record<number, Misdeed[]>;
  /** A folder: a trial trains until there is a file of its name. */
  until?: string;
}

const { milliseconds, misdeeds = {}, until } = JSON.parse(process.env.PRETEND!) as Pretence;
const trial = JSON.parse(process.env.SEGNAS_TRIAL!) as { name: string; architecture: object };
const { SEGNAS_RESULT: resultFile, SEGNAS_PORT: port } = process.env;

process.on("disconnect", () => process.exit(75));
process.on("SIGTERM", () => {
  console.log("stopped");
  process.exit(75);
});
const server = createServer((_, response) =>
  response.end(JSON.stringify({ name: trial.name, stage: 0, epoch: 1, epochs: 2 })),
);
server.listen(Number(port), "127.0.0.1");

// <state>/results/<trial>-<attempt>
const attempt = Number(resultFile!.split("-").at(-1));
const { OMP_NUM_THREADS: threads, CUDA_VISIBLE_DEVICES: gpu, OWN: own } = process.env;
console.log(JSON.stringify({ attempt, threads, gpu, own }));

const end = (code: number, result: object): never => {
  writeFileSync(resultFile!, JSON.stringify(result));
  process.exit(code);
};
const misdeed = misdeeds[Number(trial.name.split("-").at(-1))]?.[attempt];
if (misdeed === "hang") await wait(2 ** 30);
if (misdeed === "hog") {
  const hoard: Buffer[] = [];
  for (;;) {
    hoard.push(Buffer.alloc(2 ** 24, 1));
    await wait(20);
  }
}
if (misdeed === "segfault") {
  process.kill(process.pid, "SIGSEGV");
  await wait(2 ** 30);
}
if (misdeed === "empty") process.exit(0);
if (misdeed === "long") end(0, { outcome: "Succeeded", reward: 1, notes: "x".repeat(5000) });
if (misdeed === "garbage") {
  writeFileSync(resultFile!, "so far so good");
  process.exit(0);
}
if (misdeed === 64)
  end(64, { outcome: "Failed", cause: "InvalidConfiguration", message: "dataset.path: no such folder" });
if (misdeed === 65)
  end(65, { outcome: "Failed", cause: "NonFiniteLoss", message: "the loss is NaN in epoch 1" });
if (typeof misdeed === "number") {
  console.error("something broke");
  process.exit(misdeed);
}

while (until && !existsSync(join(until, trial.name))) await wait(20);
await wait(Math.random() * milliseconds);
// Any function of the architecture will do.
const sum = Buffer.from(JSON.stringify(trial.architecture)).reduce(
  (total, byte, i) => total + byte * ((i % 7) + 1),
  0,
);
const reward = misdeed === "nan" ? Number.NaN : (sum % 97) / 97;
const metrics = { meanIoU: reward, meanAccuracy: reward, frequencyWeightedIoU: reward };
const slots = [{ stage: 0, epoch: 1, reward: reward / 2, meanIoU: reward / 2 }];
const parameters = 100_000 + sum;
const stageSeconds = { Setup: 0.3, "0": 0.7 };
end(0, { outcome: "Succeeded", reward, metrics, slots, parameters, macs: 1, seconds: 1, stageSeconds });
