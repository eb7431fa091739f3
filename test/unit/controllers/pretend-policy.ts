// A policy that learns nothing and knows a dozen architectures, but whose state depends on everything that it was taught and in which order.
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
  const logProbability = (state: Uint8Array, decisions: readonly number[]) =>
    -number(hash([...state], decisions)) / 2 ** 32;
  return {
    async propose(index, version, draw = 0) {
      const state = kept(version);
      const key = draw === 0 ? [index] : [index, draw];
      // A dozen architectures, so that some are proposed more than once.
      const kind = number(hash([...state], key)) % 12;
      const decisions = toDecisions(sampleUniform(random(seed, kind)));
      return { decisions, logProbability: logProbability(state, decisions) };
    },
    score: async (version, decisions) => logProbability(kept(version), decisions),
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
