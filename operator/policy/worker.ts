// The policy's thread: answers the calls of client.ts in the order in which they come.
import { parentPort, workerData } from "node:worker_threads";
import type { PolicyCall, PolicyReply, PolicyRequest, PolicyStart } from "./client.ts";
import { createPolicy, type Policy } from "./policy.ts";

const { settings, seed } = workerData as PolicyStart;
const port = parentPort!;

/** The versions that are kept. Each is left as it is: an update works on a copy. */
const versions = new Map<number, Policy>([[0, createPolicy(settings, seed)]]);
let newest = 0;

function kept(version: number): Policy {
  const policy = versions.get(version);
  if (policy !== undefined) return policy;
  const known = [...versions.keys()].join(", ");
  throw new Error(`version ${version} of the policy is not kept; those that are: ${known}`);
}

function answer(call: PolicyCall): unknown {
  switch (call.method) {
    case "propose":
      return kept(call.version).propose(call.index, call.draw);
    case "score":
      return kept(call.version).score(call.decisions);
    case "probabilities":
      return kept(call.version).probabilities();
    case "state":
      return kept(call.version).state();
    case "learn": {
      const next = createPolicy(settings, seed, kept(newest).state());
      const update = next.learn(call.batch);
      newest++;
      versions.set(newest, next);
      return update;
    }
    case "restore": {
      const policy = createPolicy(settings, seed, call.state);
      versions.clear();
      newest = call.version;
      versions.set(newest, policy);
      return undefined;
    }
    case "forget":
      for (const version of versions.keys()) {
        if (version < call.belowVersion && version !== newest) versions.delete(version);
      }
      return undefined;
  }
}

port.on("message", ({ id, call }: PolicyRequest) => {
  let reply: PolicyReply;
  try {
    reply = { id, result: answer(call) };
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(reply);
});
