// A search that begins with another search's ledger.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { Store } from "@segnas/operator/api/store.ts";
import { takeImports } from "@segnas/operator/controllers/architecturesearch/imports.ts";
import {
  enter,
  type Knowledge,
  openKnowledge,
} from "@segnas/operator/controllers/architecturesearch/knowledge.ts";
import { proposalFor } from "@segnas/operator/controllers/architecturesearch/proposal.ts";
import { foldStatus } from "@segnas/operator/controllers/architecturesearch/status.ts";
import { verifySearch } from "@segnas/operator/controllers/architecturesearch/verify.ts";
import { isImported, type LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { EMPTY, entriesDue, fold, versionAfter } from "@segnas/operator/ledger/fold.ts";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import { createPolicy } from "@segnas/operator/policy/policy.ts";
import { resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { createLogger } from "winston";
import { succeeded } from "../ledger/entries.ts";
import { memoryStore } from "./memory-store.ts";
import { makeSearch } from "./objects.ts";
import { pretendPolicy } from "./pretend-policy.ts";
import { addEntries, decisionsOf, makeSource, sourceEntries } from "./sources.ts";

const logger = createLogger({ silent: true });
/** What a search that is there already can do about it. */
const LATER = "(it is tried again; to change the field, apply the search under another name)";
const BEGIN = { startingPoints: { search: "first" }, policy: { name: "ppo", batchSize: 2 }, policyLag: 4 };

/** What a search knows once it has begun; `holder` is who works on it. */
async function begin(
  store: Store,
  search: ArchitectureSearch,
  { start = pretendPolicy, holder = "one" } = {},
): Promise<Knowledge> {
  const dependencies = { store, logger, startPolicy: start, holder, snapshotEvery: 3 };
  const knowledge = await openKnowledge(dependencies, search, false);
  await takeImports(dependencies, search, knowledge);
  return knowledge;
}

/** A store with `first`, which has these entries, and `s`, which begins with it. */
async function two(entries: LedgerEntry[], spec: object = {}, firstSpec: object = spec) {
  const store = memoryStore();
  const source = await makeSource(store, "first", firstSpec, entries);
  const { metadata: _, ...rest } = makeSearch({ ...BEGIN, ...spec });
  const search = await store.create<"ArchitectureSearch">({ ...rest, metadata: { name: "s" } } as never);
  return { store, source, search };
}

const ends = async ({ ledger, state, updates, policy }: Knowledge) => ({
  ...{ entries: ledger.entries, digests: ledger.digests, state, updates },
  policy: await policy.state(state.policyUpdates),
});

test("entries with a reward are taken over in their order, those that got an earlier one's too; they count nowhere", async () => {
  const entries = sourceEntries(20, {});
  const { store, search } = await two(entries);
  const { ledger, state, numbers, networks, policy } = await begin(store, search);
  const expected = entries.filter(({ outcome }) => outcome !== "Deleted" && outcome !== "Infrastructure");
  assert.deepEqual(
    ledger.entries.map(({ number, trial, index }) => ({ number, trial, index })),
    expected.map(({ trial }, number) => ({ number, trial, index: number - expected.length })),
  );
  assert.ok(ledger.entries.some((entry) => isImported(entry) && entry.duplicateOf !== null));
  const timesOf = (entries: LedgerEntry[]) =>
    entries.map((entry) => entry.outcome !== "Deleted" && entry.stages);
  assert.deepEqual(timesOf(ledger.entries), timesOf(expected));
  assert.ok(timesOf(expected).some(Boolean));
  for (const entry of ledger.entries) assert.ok(isImported(entry) && entry.source === "first");
  assert.deepEqual([state.entries, state.imported, numbers.size], [expected.length, expected.length, 0]);
  assert.deepEqual(
    [state.outcomes, state.reused, state.stopped, state.gpuSeconds],
    [EMPTY.outcomes, 0, 0, 0],
  );
  assert.equal(state.policyUpdates, Math.floor(expected.length / 2));
  assert.equal(
    networks.size,
    new Set(ledger.entries.map((entry) => isImported(entry) && entry.network)).size,
  );
  const { imported, best } = foldStatus(state);
  assert.deepEqual([imported, best?.source], [expected.length, "first"]);
  assert.ok(state.recent.at(-1)!.gate.every(({ count }) => count > 0));
  await policy.close();
});

for (const policy of [
  { name: "pathConsistency", epochs: 1 },
  { name: "priorityQueue", epochs: 1 },
  { name: "evolution" },
])
  test(`${policy.name} knows what the other search's own policy knew, bit for bit`, async () => {
    const settings = { policy: { ...policy, batchSize: 3 } };
    const entries = sourceEntries(20, {});
    const { store, search } = await two(entries, settings, settings);
    const { policy: known, state } = await begin(store, search, { start: startPolicy });
    const own = createPolicy(resolvePolicy(search.spec.policy), search.spec.seed);
    let there = EMPTY;
    for (const entry of entries) {
      there = fold({ batchSize: 3, failureReward: -1, policyLag: 8, gate: undefined }, there, entry);
      if (there.batch) own.learn(there.batch);
    }
    assert.ok(there.policyUpdates > 3);
    assert.equal(state.policyUpdates, there.policyUpdates);
    assert.deepEqual(await known.state(state.policyUpdates), own.state());
    await known.close();
  });

test("log-probabilities are this policy's own, at the version that learns them next", async () => {
  const { store, search } = await two(sourceEntries(9, {}), {
    policy: { name: "ppo", epochs: 1, batchSize: 2 },
  });
  const { ledger, policy } = await begin(store, search, { start: startPolicy });
  const own = createPolicy(resolvePolicy(search.spec.policy), search.spec.seed);
  let state = EMPTY;
  for (const entry of ledger.entries as (LedgerEntry & { outcome: "Succeeded" })[]) {
    assert.equal(entry.policyVersion, state.policyUpdates);
    assert.equal(entry.logProbability, own.score(entry.decisions));
    state = fold({ batchSize: 2, failureReward: -1, policyLag: 4, gate: undefined }, state, entry);
    if (state.batch) own.learn(state.batch);
  }
  await policy.close();
});

/** The store, which fails at its n-th write and after it: before it is done, or with the answer lost. */
function failing(store: Store, n: number, done: boolean): Store {
  let writes = 0;
  const write =
    <A extends unknown[]>(call: (...args: A) => Promise<unknown>) =>
    async (...args: A) => {
      if (++writes >= n && (writes > n || !done)) throw new Error("killed");
      const answer = await call(...args);
      if (writes >= n) throw new Error("killed");
      return answer;
    };
  const { create, update, updateStatus } = store;
  return {
    ...store,
    create: write(create),
    update: write(update),
    updateStatus: write(updateStatus),
  } as never;
}

test("killed at any write and gone on with, it comes to the same, though the other search has grown since", async () => {
  const entries = sourceEntries(11, {});
  const undisturbed = await two(entries);
  const expected = await ends(await begin(undisturbed.store, undisturbed.search));
  let interrupted = 0;
  for (const done of [false, true])
    for (let n = 1; ; n++) {
      const { store, source, search } = await two(entries);
      const error = await begin(failing(store, n, done), search).then(
        async (known) => assert.deepEqual(await ends(known), expected),
        (error: Error) => error,
      );
      if (!error) break;
      assert.equal(error.message, "killed");
      const noted = (await store.list("SearchRecord", "default", { "segnas.dev/ledger": "s" })).some(
        ({ spec }) => spec.shard?.imports,
      );
      // Before it is noted what is taken over, it is what there is.
      if (noted) await addEntries(store, source, [succeeded(11, { decisions: decisionsOf(3) })]);
      assert.deepEqual(await ends(await begin(store, search, { holder: "two" })), expected);
      interrupted++;
    }
  assert.ok(interrupted > 20);
});

test("once all is taken over the other search may go", async () => {
  const { store, source, search } = await two(sourceEntries(11, {}));
  const expected = await ends(await begin(store, search));
  await store.delete("ArchitectureSearch", { namespace: "default", name: "first" }, source.metadata as never);
  assert.deepEqual(await ends(await begin(store, search, { holder: "two" })), expected);
});

const rest = "put it back as it was, or begin anew under another name";
test("before that its loss stops the search, with what is missing", async () => {
  const { store, source, search } = await two(sourceEntries(11, {}));
  await assert.rejects(begin(failing(store, 6, false), search), { message: "killed" });
  await store.delete("ArchitectureSearch", { namespace: "default", name: "first" }, source.metadata as never);
  const gone = `spec.startingPoints.search: 3 of 9 trials of the search first are taken over, the others cannot be: it is gone; ${rest}`;
  await assert.rejects(begin(store, search, { holder: "two" }), { name: "UserError", message: gone });
  await makeSource(store, "first", {}, sourceEntries(11, {}));
  const other = `spec.startingPoints.search: 3 of 9 trials of the search first are taken over, the others cannot be: it is another one by now; ${rest}`;
  await assert.rejects(begin(store, search, { holder: "three" }), { name: "UserError", message: other });
  assert.equal((await verifySearch(store, search, pretendPolicy)).notes[0], interruption);
});
const interruption = "3 of 9 trials of first are taken over: it was interrupted";

test("entries that the other search has taken over itself are taken over with the search that trained them", async () => {
  const { store, search } = await two(sourceEntries(6, {}));
  await begin(store, search);
  const { metadata: _, ...spec } = makeSearch(BEGIN);
  Object.assign(spec.spec, { startingPoints: { search: "s" } });
  const third = await store.create<"ArchitectureSearch">({ ...spec, metadata: { name: "third" } } as never);
  const { ledger } = await begin(store, third);
  assert.equal(ledger.entries.length, 5);
  assert.ok(ledger.entries.every((entry) => isImported(entry) && entry.source === "first"));
});

test("constraints are applied anew: what is over one here is rejected, what was over one there only is left out", async () => {
  const entries = sourceEntries(14, { objective: { failureReward: "-1", constraints: LIMIT } });
  const rewarded = entries.filter(({ outcome }) => outcome !== "Deleted" && outcome !== "Infrastructure");
  const rejected = rewarded.filter(({ outcome }) => outcome === "Rejected");
  assert.ok(rejected.length > 0 && rejected.length < rewarded.length);
  const spec = (constraints?: object) => ({
    objective: { failureReward: "-1", ...(constraints && { constraints }) },
  });
  const taken = async (constraints?: object) => {
    const { store, search } = await two(entries, spec(constraints), spec(LIMIT));
    return (await begin(store, search)).ledger.entries;
  };
  assert.equal((await taken()).length, rewarded.length - rejected.length);
  assert.deepEqual(
    (await taken(LIMIT)).map(({ outcome }) => outcome),
    rewarded.map(({ outcome }) => outcome),
  );
  for (const entry of await taken({ maxParameters: 1 })) {
    assert.ok(isImported(entry));
    const { outcome, reward, slots, metrics, duplicateOf, cause, message } = entry;
    assert.deepEqual([outcome, reward, slots, metrics, duplicateOf], ["Rejected", -1, [], null, null]);
    assert.equal(cause, "OverConstraint");
    assert.match(message!, /^it has \d+ parameters, objective\.constraints\.maxParameters is 1$/);
  }
});
const LIMIT = { maxParameters: 300_000 };

const both =
  "in the search first, which spec.startingPoints.search names: rewards of the one say nothing about the other; make them the same, or leave spec.startingPoints.search out";
const folder = { format: "Folder", path: "/data", classes: 3 };
const differences: [string, object, object, string][] = [
  ["space", {}, { space: { aggregateChannels: 64 } }, "spec.space.aggregateChannels is 64, but 48"],
  [
    "data",
    { dataset: folder },
    { dataset: { ...folder, path: "/other" } },
    'spec.dataset.path is "/other", but "/data"',
  ],
  [
    "the held-out part",
    {},
    { dataset: { format: "Shapes", heldOut: "0.2" } },
    'spec.dataset.heldOut is "0.2", but "0.1"',
  ],
  [
    "training",
    {},
    { training: { crop: { height: 32, width: 32 }, stage1: { epochs: 2 } } },
    'spec.training.stage1 is {"epochs":2}, but absent',
  ],
  ["the gate", {}, { gate: { type: "None" } }, 'spec.gate.type is "None", but "RunningMean"'],
  [
    "the metric",
    {},
    { objective: { metric: "MeanIoU", failureReward: "-1" } },
    'spec.objective.metric is "MeanIoU", but "GeometricMean"',
  ],
  [
    "the failure reward",
    {},
    { objective: { failureReward: "0" } },
    'spec.objective.failureReward is "0", but "-1"',
  ],
  ["the seed of data drawn from it", {}, { seed: 2 }, "spec.seed is 2, but 1"],
  [
    "the seed of an encoder made from it",
    { dataset: folder, training: { encoder: { source: "WarmUp" } } },
    { dataset: folder, training: { encoder: { source: "WarmUp" } }, seed: 2 },
    "spec.seed is 2, but 1",
  ],
];
for (const [what, first, second, change] of differences)
  test(`a difference in ${what} is refused, with nothing taken over`, async () => {
    const { store, search } = await two([succeeded(0, { decisions: decisionsOf(0) })], second, first);
    await assert.rejects(begin(store, search), {
      ...{ name: "UserError", reason: "StartingPointsUnusable" },
      message: `${change} ${both} ${LATER}`,
    });
    const records = await store.list("SearchRecord", "default", { "segnas.dev/ledger": "s" });
    assert.deepEqual(
      records.map(({ spec }) => [spec.shard?.entries.length, spec.shard?.imports]),
      [[0, undefined]],
    );
  });

test("seed, policy, limits and order may differ where data and encoder do not come from the seed", async () => {
  const data = { dataset: folder };
  const other = { seed: 9, policy: { name: "random" }, maxTrials: 3, rewardOrder: "Index", policyLag: 2 };
  const { store, search } = await two(sourceEntries(4, data), { ...data, ...other }, data);
  assert.equal((await begin(store, search)).state.imported, 4);
});

test("a search that is not there, or has no reward yet, is refused", async () => {
  const none = await two([]);
  await assert.rejects(begin(none.store, none.search), {
    name: "UserError",
    message: `spec.startingPoints.search: the search first has no trial with a reward yet; begin when it has, or leave it out ${LATER}`,
  });
  const store = memoryStore();
  await assert.rejects(begin(store, makeSearch(BEGIN)), {
    name: "UserError",
    message: `spec.startingPoints.search: there is no search first in the namespace default; write the name of one, or leave it out ${LATER}`,
  });
});

test("own trials come after what was taken over: in the ledger, in the policy's versions and in its randomness", async () => {
  const { store, search } = await two(sourceEntries(11, {}));
  const known = await begin(store, search);
  const { settings, policy } = known;
  const { imported } = known.state;
  assert.equal(imported, 9);
  assert.deepEqual(
    [0, 3, 4, 7].map((index) => entriesDue({ policyLag: 4 }, known.state, index)),
    [imported, imported, imported + 1, imported + 4],
  );
  assert.equal(versionAfter(settings, known.state, imported), 4);
  assert.deepEqual(
    await proposalFor(search, policy, 2, known.state.policyUpdates, imported),
    await policy.propose(imported + 2, known.state.policyUpdates),
  );
  await enter(known, store, search, succeeded(imported, { index: 0, trial: "s-0" }));
  assert.deepEqual([...known.numbers], [[0, imported]]);
  assert.deepEqual([known.state.entries, known.state.imported], [imported + 1, imported]);
  assert.deepEqual([known.state.outcomes.Succeeded, known.state.gpuSeconds], [1, 1]);
});
