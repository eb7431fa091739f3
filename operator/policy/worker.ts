// A thread of policies: answers the calls of pool.ts, one at a time.
import { parentPort } from "node:worker_threads";
import { createPolicy, type Policy, type Proposer } from "./policy.ts";
import type { PolicyReply, PolicyRequest, PolicyStart } from "./pool.ts";

interface Learner extends PolicyStart {
  newest: number;
  /** The newest version. Made when it is first asked for: a state may be restored before. */
  policy: Policy | undefined;
  /** The versions before, as far as they are kept. */
  older: Map<number, Proposer>;
}

const port = parentPort!;
const learners = new Map<number, Learner>();

function policyOf(learner: Learner): Policy {
  learner.policy ??= createPolicy(learner.settings, learner.seed);
  return learner.policy;
}

function versionOf(learner: Learner, version: number): Proposer {
  const { newest, older } = learner;
  const proposer = version === newest ? policyOf(learner) : older.get(version);
  if (proposer !== undefined) return proposer;
  const known = [...older.keys(), newest].join(", ");
  throw new Error(`version ${version} of the policy is not kept; those that are: ${known}`);
}

function answer({ policy: number, call }: PolicyRequest): unknown {
  if (call.method === "start") {
    const { settings, seed } = call;
    learners.set(number, { settings, seed, newest: 0, policy: undefined, older: new Map() });
    return undefined;
  }
  const learner = learners.get(number);
  if (learner === undefined) throw new Error("the policy has failed to learn");
  const { settings, seed, newest, older } = learner;
  switch (call.method) {
    case "propose":
      return versionOf(learner, call.version).propose(call.index, call.draw);
    case "score":
      return versionOf(learner, call.version).score(call.decisions);
    case "probabilities":
      return versionOf(learner, call.version).probabilities();
    case "state":
      if (call.version === newest) return policyOf(learner).state();
      throw new Error(`the policy has the state of version ${newest} only, not of ${call.version}`);
    case "learn": {
      const policy = policyOf(learner);
      const before = policy.proposer();
      // One that fails midway is no version.
      learners.delete(number);
      const update = policy.learn(call.batch);
      learners.set(number, learner);
      older.set(newest, before);
      learner.newest++;
      return update;
    }
    case "restore":
      learner.policy = createPolicy(settings, seed, call.state);
      learner.newest = call.version;
      older.clear();
      return undefined;
    case "forget":
      for (const version of older.keys()) {
        if (version < call.belowVersion) older.delete(version);
      }
      return undefined;
    case "close":
      learners.delete(number);
      return undefined;
  }
}

// A call that is lost, such as one to learn, would make every later answer another: the thread ends.
port.on("messageerror", (error) => {
  throw error;
});
port.on("message", (request: PolicyRequest) => {
  let reply: PolicyReply;
  try {
    reply = { result: answer(request) };
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  const bytes = "result" in reply && reply.result instanceof Uint8Array ? [reply.result.buffer] : [];
  port.postMessage(reply, bytes as ArrayBuffer[]);
});
