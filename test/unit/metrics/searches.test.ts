// What Prometheus is told of searches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { CandidateTrialStatus } from "@segnas/operator/api/generated/candidatetrials.ts";
import { controllerReference, type Kind, type Store } from "@segnas/operator/api/store.ts";
import type { LedgerEntry } from "@segnas/operator/ledger/entry.ts";
import { appendEntry, openLedger } from "@segnas/operator/ledger/shards.ts";
import { type SearchSource, searchMetrics } from "@segnas/operator/metrics/searches.ts";
import fc from "fast-check";
import { Registry } from "prom-client";
import { memoryStore } from "../controllers/memory-store.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";
import { ledgers, succeeded } from "../ledger/entries.ts";

const now = () => new Date("2026-03-01T01:00:00Z");

/** A store with one search. */
async function world(spec: object = {}, status: ArchitectureSearch["status"] = {}) {
  const store = memoryStore();
  const { metadata, ...search } = makeSearch(spec);
  const created = await store.create<"ArchitectureSearch">({ ...search, metadata });
  return { store, search: await store.updateStatus<"ArchitectureSearch">({ ...created, status: status! }) };
}

/** What of a search its controller knows: its entries so far. */
function knowing(
  store: Store,
  search: ArchitectureSearch,
  entries: readonly LedgerEntry[],
  baseline?: number,
) {
  const updates = baseline === undefined ? [] : [{ update: 1, entropy: 1, baseline, entry: 0 }];
  const ledger = { entries, digests: [], last: undefined };
  const opening = Promise.resolve({ ledger, updates } as never);
  const { uid } = search.metadata;
  return { store, knowledge: new Map([["default/s", { uid: uid!, opening }]]) };
}

function follow(source?: SearchSource) {
  const registry = new Registry();
  const metrics = searchMetrics(registry, now);
  metrics.follow(source);
  /** The samples, without help and types. */
  const scrape = async (): Promise<string[]> => {
    const lines = (await registry.metrics()).split("\n").filter((line) => line && !line.startsWith("#"));
    await turn();
    return lines;
  };
  return { ...metrics, scrape };
}

/** Without the labels that all have. */
const short = (lines: string[]): string[] =>
  lines.map((line) =>
    line
      .replace(/namespace="default",search="s",?/, "")
      .replace(",}", "}")
      .replace("{}", "")
      .replace(/^segnas_search_/, ""),
  );

async function addTrial(
  store: Store,
  search: ArchitectureSearch,
  index: number,
  status: CandidateTrialStatus,
) {
  const { metadata, ...trial } = makeTrial(index);
  const ownerReferences = [controllerReference(search)];
  const made = await store.create<"CandidateTrial">({
    ...trial,
    metadata: { name: metadata.name, namespace: "default", labels: metadata.labels!, ownerReferences },
  });
  await store.updateStatus<"CandidateTrial">({ ...made, status });
}

test("a search's status and open trials, and its spec's limits", async () => {
  const condition = { lastTransitionTime: "", reason: "", message: "" };
  const { store, search } = await world(
    { budget: { gpuHours: "2", activeDeadlineSeconds: 7200 }, parallelism: 3 },
    {
      conditions: [
        { ...condition, type: "Progressing", status: "True" },
        { ...condition, type: "Stalled", status: "False" },
      ],
      startTime: "2026-03-01T00:00:00Z",
      gpuSeconds: "1000.5",
      policyUpdates: 4,
      policyEntropy: "1.25",
      best: { trial: "s-3", index: 3, reward: "0.75", meanIoU: "0.5", parameters: 120_000 },
    },
  );
  const attempt = { number: 0, job: "s-0-0" };
  await addTrial(store, search, 0, { attempts: [{ ...attempt, startTime: "2026-03-01T00:50:00Z" }] });
  await addTrial(store, search, 1, {
    attempts: [attempt],
    conditions: [
      {
        ...condition,
        type: "Progressing",
        status: "True",
        message: "Unschedulable: 0/1 nodes are available",
      },
    ],
  });
  await addTrial(store, search, 2, { result: { outcome: "Succeeded", reward: "0.5" } });
  await addTrial(store, { ...search, metadata: { ...search.metadata, uid: "an earlier one" } }, 9, {});

  const { scrape } = follow(knowing(store, search, [], 0.5));
  const gauges = short(await scrape()).filter(
    (line) => !/^(reward|trial_gpu|trial_stage|trials_total|trial_fail)/.test(line),
  );
  assert.deepEqual(gauges, [
    "trials_reused_total 0",
    "gate_stops_total 0",
    'info{policy="pathConsistency",metric="GeometricMean",dataset="Shapes"} 1',
    'condition{type="Progressing"} 1',
    'condition{type="Stalled"} 0',
    'condition{type="Suspended"} 0',
    'condition{type="Complete"} 0',
    'condition{type="Failed"} 0',
    `start_timestamp_seconds ${Date.parse("2026-03-01T00:00:00Z") / 1000}`,
    "max_trials 20",
    "parallelism 3",
    "trials_running 1",
    'trials_pending{reason="Starting"} 0',
    'trials_pending{reason="Duplicate"} 0',
    'trials_pending{reason="Retry"} 0',
    'trials_pending{reason="Suspended"} 0',
    'trials_pending{reason="Queue"} 0',
    'trials_pending{reason="Admission"} 0',
    'trials_pending{reason="PodRefused"} 0',
    'trials_pending{reason="Unschedulable"} 1',
    'trials_pending{reason="Image"} 0',
    'trials_pending{reason="Container"} 0',
    "best_reward 0.75",
    "best_mean_iou 0.5",
    "best_parameters 120000",
    "policy_updates_total 4",
    "policy_entropy_nats 1.25",
    "policy_baseline_reward 0.5",
    "gpu_spent_seconds 1600.5",
    "gpu_budget_seconds 7200",
    "gpu_budget_left_seconds 5599.5",
    `deadline_timestamp_seconds ${Date.parse("2026-03-01T02:00:00Z") / 1000}`,
  ]);
});

test("what is not there is not told of", async () => {
  const { store, search } = await world();
  const lines = short(await follow(knowing(store, search, [])).scrape());
  for (const absent of [
    "best_",
    "policy_entropy",
    "policy_baseline",
    "gpu_budget",
    "deadline_",
    "start_",
    "completion_",
  ])
    assert.deepEqual(
      lines.filter((line) => line.startsWith(absent)),
      [],
    );
  assert.ok(lines.includes("gpu_spent_seconds 0"));
});

test("settled trials are counted by what came of them", async () => {
  const { store, search } = await world();
  const entries: LedgerEntry[] = [
    succeeded(0, { source: "earlier", reward: 0.9, stages: [{ stage: "0", seconds: 5 }] }),
    succeeded(1, {
      ...{ reward: 0.32, gpuSeconds: 45, stopped: true },
      stages: [
        { stage: "Setup", seconds: 1.5 },
        { stage: "0", seconds: 40 },
        { stage: "Validation", seconds: 0 },
      ],
    }),
    succeeded(2, { reward: 0.32, gpuSeconds: 0, duplicateOf: "s-1" }),
    succeeded(3, { outcome: "Failed", reward: -1, cause: "OutOfMemory", gpuSeconds: 700 }),
    succeeded(4, { outcome: "Failed", reward: -1, cause: "SomethingOfTheirs", gpuSeconds: 5 }),
    succeeded(5, { outcome: "Rejected", reward: -1, cause: "OverConstraint", gpuSeconds: 0 }),
    succeeded(6, { outcome: "Infrastructure", reward: null, cause: "Infrastructure", gpuSeconds: 5 }),
    { number: 7, index: 7, trial: "s-7", outcome: "Deleted" },
  ];
  const lines = short(await follow(knowing(store, search, entries)).scrape());
  const counted = lines.filter(
    (line) => /_(total|sum|count)|le="0.3"|le="0.35"/.test(line) && !/ 0$/.test(line),
  );
  assert.deepEqual(counted, [
    'trials_total{outcome="Succeeded"} 2',
    'trials_total{outcome="Failed"} 2',
    'trials_total{outcome="Rejected"} 1',
    'trials_total{outcome="Infrastructure"} 1',
    'trials_total{outcome="Deleted"} 1',
    'trial_failures_total{cause="OutOfMemory"} 1',
    'trial_failures_total{cause="Infrastructure"} 1',
    'trial_failures_total{cause="Other"} 1',
    "trials_reused_total 1",
    "gate_stops_total 1",
    'reward_bucket{le="0.35"} 1',
    "reward_sum 0.32",
    "reward_count 1",
    "trial_gpu_seconds_sum 755",
    "trial_gpu_seconds_count 4",
    'trial_stage_seconds_sum{stage="Setup"} 1.5',
    'trial_stage_seconds_count{stage="Setup"} 1',
    'trial_stage_seconds_sum{stage="0"} 40',
    'trial_stage_seconds_count{stage="0"} 1',
    'trial_stage_seconds_count{stage="Validation"} 1',
  ]);
  assert.ok(lines.includes('trial_stage_seconds_count{stage="WarmUp"} 0'));
});

test("law: counters never fall, and are the same whenever they are looked at, and whoever begins to look", async () => {
  const value = (line: string): number => Number(line.slice(line.lastIndexOf(" ")));
  const ofLedger = (lines: string[]): string[] =>
    lines.filter((line) => /_(total|bucket|sum|count)\{/.test(line) && !line.includes("policy_updates"));
  await fc.assert(
    fc.asyncProperty(ledgers, fc.array(fc.nat({ max: 40 }), { maxLength: 5 }), async (entries, looks) => {
      const { store, search } = await world();
      const metrics = follow();
      let before: string[] = [];
      for (const length of [...looks.sort((a, b) => a - b), entries.length]) {
        metrics.follow(knowing(store, search, entries.slice(0, length)));
        const after = ofLedger(await metrics.scrape());
        // Their labels stay in place; sums of rewards may fall, as rewards may be below 0.
        for (const [i, line] of before.entries())
          assert.ok(line.includes("reward_sum") || value(after[i]!) >= value(line), `${line} -> ${after[i]}`);
        before = after;
      }
      // In this form, as the sums of rewards in quarters are exact.
      const another = follow(knowing(store, search, entries));
      assert.deepEqual(before, ofLedger(await another.scrape()));
    }),
    { numRuns: 50 },
  );
});

test("series vanish with their search, and with leadership", async () => {
  const { store, search } = await world();
  const metrics = follow(knowing(store, search, [succeeded(0)]));
  assert.ok((await metrics.scrape()).length > 50);
  metrics.follow();
  assert.deepEqual(await metrics.scrape(), []);
  metrics.follow(knowing(store, search, [succeeded(0)]));
  assert.ok((await metrics.scrape()).length > 50);
  await store.delete(
    "ArchitectureSearch",
    { namespace: "default", name: "s" },
    { uid: search.metadata.uid! },
  );
  assert.deepEqual(await metrics.scrape(), []);
});

test("another search of the same name begins at 0", async () => {
  const { store, search } = await world();
  const metrics = follow(knowing(store, search, [succeeded(0), succeeded(1)]));
  assert.ok(short(await metrics.scrape()).includes('trials_total{outcome="Succeeded"} 2'));
  await store.delete(
    "ArchitectureSearch",
    { namespace: "default", name: "s" },
    { uid: search.metadata.uid! },
  );
  const again = await store.create<"ArchitectureSearch">(makeSearch());
  metrics.follow(knowing(store, again, [succeeded(0)]));
  assert.ok(short(await metrics.scrape()).includes('trials_total{outcome="Succeeded"} 1'));
});

const complete = {
  type: "Complete",
  status: "True" as const,
  reason: "",
  message: "",
  lastTransitionTime: "",
};

/** A store that counts how often ledgers are listed. */
function countReads(store: Store) {
  let reads = 0;
  const list = async (kind: Kind, ...rest: never[]) => {
    if (kind === "SearchRecord") reads++;
    return (store.list as (kind: Kind, ...rest: never[]) => Promise<never>)(kind, ...rest);
  };
  return { counting: { ...store, list } as Store, reads: () => reads };
}

test("a search that has ended is counted from its ledger, which is read once", async () => {
  const { store, search } = await world({}, { conditions: [complete], entries: 2 });
  let ledger = await openLedger(store, { ...search, status: {} }, "operator", false);
  for (const number of [0, 1]) ledger = await appendEntry(store, search, ledger, succeeded(number), 2);
  const { counting, reads } = countReads(store);
  const { scrape } = follow({ store: counting, knowledge: new Map() });
  for (let scrapes = 0; scrapes < 5; scrapes++) {
    await scrape();
    await turn();
  }
  assert.ok(short(await scrape()).includes('trials_total{outcome="Succeeded"} 2'));
  assert.equal(reads(), 1);
});

test("ledgers of searches that have ended are read one after the other, all of them", async () => {
  const store = memoryStore();
  for (const name of ["a", "b", "c"]) {
    const { metadata, ...rest } = makeSearch();
    const search = await store.create<"ArchitectureSearch">({ ...rest, metadata: { ...metadata, name } });
    await store.updateStatus<"ArchitectureSearch">({
      ...search,
      status: { conditions: [complete], entries: 1 },
    });
    await appendEntry(store, search, await openLedger(store, search, "operator", false), succeeded(0), 1);
  }
  const { scrape } = follow({ store, knowledge: new Map() });
  await scrape();
  for (let turns = 0; turns < 5; turns++) await turn();
  const counted = (await scrape()).filter((line) => /^segnas_search_trials_total.*Succeeded.* 1$/.test(line));
  assert.equal(counted.length, 3);
});

test("a policy's settings that cannot be leave the other metrics as they are", async () => {
  const { store, search } = await world({ policy: { name: "random", sharpness: "3" } });
  const lines = short(await follow(knowing(store, search, [])).scrape());
  assert.ok(lines.includes('info{policy="random",metric="GeometricMean",dataset="Shapes"} 1'));
  assert.ok(lines.includes("max_trials 20"));
});

test("a ledger that cannot be read is read again when its search has changed, not at each scrape", async () => {
  const { store, search } = await world({}, { conditions: [complete], entries: 1 });
  const ledger = await openLedger(store, { ...search, status: {} }, "operator", false);
  const { last } = await appendEntry(store, search, ledger, succeeded(0), 1);
  const { shard } = last!.spec;
  const damaged = await store.update<"SearchRecord">({
    ...last!,
    spec: { ...last!.spec, shard: { ...shard, number: 1 } },
  });
  const { counting, reads } = countReads(store);
  const { scrape } = follow({ store: counting, knowledge: new Map() });
  const scrapeOften = async () => {
    const all: string[] = [];
    for (let scrapes = 0; scrapes < 5; scrapes++) {
      all.push(...short(await scrape()));
      for (let turns = 0; turns < 5; turns++) await turn();
    }
    return all;
  };
  const isCount = (line: string): boolean => line.startsWith("trials_total");
  const change = async (message: string) => {
    const now = (await store.get("ArchitectureSearch", { namespace: "default", name: "s" }))!;
    const conditions = [{ ...complete, message }];
    await store.updateStatus<"ArchitectureSearch">({ ...now, status: { ...now.status, conditions } });
  };

  const lines = await scrapeOften();
  assert.ok(lines.includes('condition{type="Complete"} 1'));
  assert.ok(!lines.some(isCount));
  assert.equal(reads(), 1);
  await change("still damaged");
  assert.ok(!(await scrapeOften()).some(isCount));
  assert.equal(reads(), 2);
  await store.update<"SearchRecord">({ ...damaged, spec: { ...last!.spec, shard } });
  assert.ok(!(await scrapeOften()).some(isCount));
  await change("mended");
  assert.ok((await scrapeOften()).includes('trials_total{outcome="Succeeded"} 1'));
  assert.equal(reads(), 3);
});

test("a search whose ledger is still being read holds no scrape up", async () => {
  const { store, search } = await world();
  const opening = new Promise<never>(() => {});
  const { scrape } = follow({
    store,
    knowledge: new Map([["default/s", { uid: search.metadata.uid!, opening }]]),
  });
  assert.ok(short(await scrape()).includes("max_trials 20"));
  const failed = Promise.reject(new Error("no"));
  failed.catch(() => {});
  const knowledge = new Map([["default/s", { uid: search.metadata.uid!, opening: failed }]]);
  assert.ok(short(await follow({ store, knowledge }).scrape()).includes("max_trials 20"));
});
