// How many threads a trainer's TensorFlow takes: it asks the machine, not the container's limit.
import type { Quantity } from "../../api/store.ts";

/** The variables that say so, for a limit of CPUs: a thread for each that was begun. Throws Error as `quantity` does. */
export function threadsEnvironment(cpus: Quantity): Record<string, string> {
  const threads = String(Math.max(1, Math.ceil(quantity(cpus))));
  return {
    TF_NUM_INTRAOP_THREADS: threads,
    TF_NUM_INTEROP_THREADS: threads,
    OMP_NUM_THREADS: threads,
  };
}

const UNITS: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3 },
  "": 1,
  ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** A Kubernetes quantity as a number: "500m" is 0.5, "4Gi" 4 x 2^30. Throws Error where it is none. */
export function quantity(text: Quantity): number {
  const [, number, unit = ""] = /^([-+]?[\d.]+(?:[eE][-+]?\d+)?)([A-Za-z]*)$/.exec(String(text)) ?? [];
  const value = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (Number.isFinite(value)) return value;
  throw new Error(`${JSON.stringify(text)} is not a quantity`);
}
