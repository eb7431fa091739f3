// `segnas verify` compared the decisions of a trial's entry and nothing else of it, where its object was gone: a network's
// name, the failure reward, what was rejected and whose result a trial had got could be anything, so long as the digests
// were right.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inputSize, networkSettings } from "@segnas/operator/controllers/architecturesearch/networks.ts";
import { verifySearch } from "@segnas/operator/controllers/architecturesearch/verify.ts";
import type { SettledEntry } from "@segnas/operator/ledger/entry.ts";
import { networkName } from "@segnas/searchspace/canonical.ts";
import { countMacs } from "@segnas/searchspace/count.ts";
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makeSearch } from "../unit/controllers/objects.ts";
import { pretendPolicy } from "../unit/controllers/pretend-policy.ts";
import { makeSource } from "../unit/controllers/sources.ts";
import { succeeded } from "../unit/ledger/entries.ts";

const spec = {
  ...{ policyLag: 8, policy: { name: "ppo", batchSize: 100 }, gate: { type: "None" } },
  objective: { failureReward: "-1", constraints: { maxParameters: 1_500_000 } },
};
const search = makeSearch(spec);
const settings = networkSettings(search);
const { policy: _, seed } = search.spec;
const policy = pretendPolicy({ settings: { name: "random", batchSize: 1 }, seed });
const proposals = await Promise.all([0, 1, 2, 3].map((index) => policy.propose(index, 0)));

function entry(number: number, fields: Partial<SettledEntry> = {}): SettledEntry {
  const proposal = proposals[number]!;
  const architecture = fromDecisions(proposal.decisions);
  return succeeded(number, {
    ...{ index: number, trial: `s-${number}`, policyVersion: 0, reward: 0.5, slots: [] },
    ...proposal,
    network: networkName(architecture, settings),
    macs: countMacs(expand(architecture, settings, inputSize(search))).total,
    ...fields,
  });
}

async function findingsOn(fields: Partial<SettledEntry>): Promise<string[]> {
  const store = memoryStore();
  const made = await makeSource(store, "s", spec, [entry(0), entry(1), entry(2, fields), entry(3)]);
  return (await verifySearch(store, made, pretendPolicy)).findings;
}

test("a ledger whose entries can be agrees", async () => {
  assert.deepEqual(await findingsOn({}), []);
  const failed: Partial<SettledEntry> = { outcome: "Failed", reward: -1, metrics: null, cause: "TimeLimit" };
  assert.deepEqual(await findingsOn(failed), []);
});

test("a search that could only say why it stands still, and has counted nothing yet, is no finding", async () => {
  const store = memoryStore();
  const made = await makeSource(store, "s", spec);
  const search = await store.updateStatus<"ArchitectureSearch">({ ...made, status: { conditions: [] } });
  assert.deepEqual((await verifySearch(store, search, pretendPolicy)).findings, []);
});

const impossible: [what: string, fields: Partial<SettledEntry>, finding: string][] = [
  ["another network's name", { network: entry(0).network }, "not the name of its network"],
  ["other work", { macs: 1 }, "not the multiply-accumulates of its network"],
  ["a rejection for nothing", { outcome: "Rejected", reward: -1 }, "rejected, though over no constraint"],
  ["a failure that is rewarded", { outcome: "Failed", reward: 7 }, "not the failure reward"],
  [
    "the machine's fault with a reward",
    { outcome: "Infrastructure" },
    "a reward, though it has none to have",
  ],
  ["a success without", { reward: null }, "no reward"],
  ["an original that never was", { duplicateOf: "s-77" }, "s-77 is not the first trial with its network"],
  ["an original of another network", { duplicateOf: "s-0" }, "s-0 is not the first trial with its network"],
];
for (const [what, fields, finding] of impossible)
  test(`${what} is a finding`, async () => {
    assert.deepEqual(await findingsOn(fields), [`entry 2 (s-2): ${finding}`]);
  });
