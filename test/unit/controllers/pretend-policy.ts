// A policy that learns nothing, but whose state depends on everything that it was taught and in which order.
import { createHash } from "node:crypto";
import type { PolicyClient, PolicyStart } from "@segnas/operator/policy/client.ts";
import { sampleUniform, toDecisions } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";

const hash = (...parts: unknown[]): Uint8Array =>
  new Uint8Array(createHash("sha256").update(JSON.stringify(parts)).digest());

export function pretendPolicy({ seed }: PolicyStart): PolicyClient {
  let newest = 0;
  const versions = new Map<number, Uint8Array>([[0, hash(seed)]]);
  const kept = (version: number): Uint8Array => {
    const state = versions.get(version);
    if (!state) throw new Error(`version ${version} is not kept`);
    return state;
  };
  const number = (state: Uint8Array) => new DataView(state.buffer, state.byteOffset).getUint32(0);
  return {
    async propose(index, version) {
      const state = kept(version);
      const decisions = toDecisions(sampleUniform(random(seed, number(state), index)));
      return { decisions, logProbability: -number(hash([...state], index)) / 2 ** 32 };
    },
    async learn(batch) {
      const next = hash([...kept(newest)], batch);
      versions.set(++newest, next);
      const entropy = number(next) / 2 ** 31;
      return { policyUpdates: newest, entropy, baseline: -entropy, loss: 0, gradientNorm: 0 };
    },
    probabilities: async () => [],
    state: async (version) => kept(version).slice(),
    async restore(version, state) {
      versions.clear();
      newest = version;
      versions.set(version, state.slice());
    },
    async forget(belowVersion) {
      for (const version of versions.keys())
        if (version < belowVersion && version !== newest) versions.delete(version);
    },
    close: async () => {},
  };
}
