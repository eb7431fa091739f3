// Where a run's time goes: milliseconds by TensorFlow kernel, for kernels that have done their work when they return.
// To be imported before the trainer: it puts itself between the trainer and the addon.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Binding {
  executeOp(name: string, ...rest: unknown[]): unknown;
}

const require = createRequire(fileURLToPath(import.meta.resolve("@segnas/trainer/tensorflow/runtime.ts")));
/** The trainer's dependency, not ours. */
const PACKAGE = "@tensorflow/tfjs-node-gpu";
const folder = dirname(require.resolve(`${PACKAGE}/package.json`));
const addon = require.resolve(join(folder, "lib", "napi-v8", "tfjs_binding.node"));
const { executeOp } = require(addon) as Binding;

let spent: Record<string, number> | undefined;

function timedOp(name: string, ...rest: unknown[]): unknown {
  if (!spent) return executeOp(name, ...rest);
  const start = performance.now();
  const outputs = executeOp(name, ...rest);
  spent[name] = (spent[name] ?? 0) + performance.now() - start;
  return outputs;
}

// The addon's own object is read-only.
const loaded = require.cache[addon]!;
loaded.exports = Object.create(loaded.exports, { executeOp: { value: timedOp } });

/** Milliseconds by kernel of one run of `work`, and under "outside kernels" the rest of it. */
export async function profile(work: () => void | Promise<void>): Promise<Record<string, number>> {
  const kernels: Record<string, number> = {};
  spent = kernels;
  const start = performance.now();
  await work();
  const all = performance.now() - start;
  spent = undefined;
  const inside = Object.values(kernels).reduce((sum, time) => sum + time, 0);
  return { ...kernels, "outside kernels": all - inside };
}
