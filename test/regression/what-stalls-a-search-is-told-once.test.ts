// Found by running: a search's status said Stalled, the next pass took that back before it failed again, and each write was
// news that began another pass: 1,400 writes in six seconds with an older CustomResourceDefinition, two a second for ever
// where a right was missing. What the operator has met with is over only when it has nothing more to do.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { SearchReason, StalledError } from "@segnas/operator/api/conditions.ts";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import type { Store } from "@segnas/operator/api/store.ts";
import { forgetAll, stallSearch } from "@segnas/operator/controllers/architecturesearch/reconcile.ts";
import { startControllers } from "@segnas/operator/controllers/controllers.ts";
import { CACHED, createStore, type Remote } from "@segnas/operator/kube/store.ts";
import { searchDependencies } from "../unit/controllers/dependencies.ts";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";
import { pretendPolicy } from "../unit/controllers/pretend-policy.ts";

const KEY = { namespace: "default", name: "s" };

/** An operator on a server that is not as it should be. */
async function operate(context: TestContext, spec: object, spoil: (server: Store) => Partial<Remote>) {
  const server = memoryStore(() => new Date());
  let writes = 0;
  const spoilt = { ...server, ...spoil(server) };
  const store = createStore({
    ...spoilt,
    async updateStatus(object) {
      if (object.kind === "ArchitectureSearch") writes++;
      return spoilt.updateStatus(object);
    },
  });
  for (const kind of CACHED) {
    store.listed(kind, [], "0");
    server.watch(kind, (event) => store.changed(kind, event as never));
  }
  const dependencies = searchDependencies(store, { startPolicy: pretendPolicy });
  const failures: string[] = [];
  const controllers = await startControllers({
    dependencies: { ...dependencies, retryDelay: () => 1000 },
    failed(controller, key, error) {
      if (controller === "CandidateTrial") return new Date(Date.now() + 60_000);
      failures.push((error as Error).message);
      const reason = error instanceof StalledError ? error.reason : SearchReason.ReconcileFailed;
      stallSearch(dependencies, key, reason, (error as Error).message).catch(() => {});
      return new Date(Date.now() + 100);
    },
  });
  context.after(async () => {
    await controllers.close();
    await forgetAll(dependencies);
  });
  await server.create<"ArchitectureSearch">(makeSearch(spec));
  return {
    server,
    failures,
    writes: () => writes,
    stalled: async () =>
      (await server.get("ArchitectureSearch", KEY))?.status?.conditions?.find(
        ({ type }) => type === "Stalled",
      ),
  };
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await wait(20);
}

test("a status that the server keeps nothing of", async (context) => {
  const { failures, writes, stalled } = await operate(context, { parallelism: 1 }, (server) => ({
    async updateStatus(object) {
      const { policyUpdates: _, ...status } = (object as ArchitectureSearch).status as Record<
        string,
        unknown
      >;
      const before = (await server.get(object.kind, KEY)) as ArchitectureSearch | undefined;
      if (JSON.stringify(before?.status ?? {}) === JSON.stringify(status)) return before as never;
      return server.updateStatus({ ...object, status } as never);
    },
  }));
  await until(async () => failures.length >= 5);
  assert.deepEqual([(await stalled())?.status, (await stalled())?.reason], ["True", "OutdatedDefinitions"]);
  // Each pass may try to write; none writes what the one before has taken back.
  assert.ok(writes() <= 2 * failures.length + 5, `${writes()} writes, ${failures.length} failures`);
});

test("a right that is missing, and comes back", async (context) => {
  let forbidden = true;
  const { server, failures, writes, stalled } = await operate(context, { parallelism: 2 }, (server) => ({
    async create(object) {
      if (forbidden && object.kind === "CandidateTrial") throw new Error("candidatetrials is forbidden");
      return server.create(object);
    },
  }));
  await until(async () => failures.length >= 5);
  const before = await stalled();
  assert.deepEqual([before?.status, before?.reason], ["True", "ReconcileFailed"]);
  const written = writes();
  const failed = failures.length;
  await until(async () => failures.length >= failed + 3);
  assert.equal(writes(), written);
  forbidden = false;
  await until(async () => (await stalled())?.status === "False");
  assert.ok((await server.list("CandidateTrial")).length >= 2);
});

test("a search whose next index is not its own stalls once", async (context) => {
  const { server, failures, writes, stalled } = await operate(context, { parallelism: 1 }, (server) => ({
    async create(object) {
      if (object.kind === "SearchRecord") {
        const { metadata, ...rest } = makeTrial(0);
        await server.create<"CandidateTrial">({ ...rest, metadata: { ...metadata, ownerReferences: [] } });
      }
      return server.create(object);
    },
  }));
  await until(async () => failures.length >= 4);
  assert.equal((await stalled())?.reason, "NameTaken");
  assert.ok(writes() <= 4, `${writes()} writes`);
  const left = (await server.get("CandidateTrial", { ...KEY, name: "s-0" }))!;
  await server.delete("CandidateTrial", { ...KEY, name: "s-0" }, { uid: left.metadata.uid! });
  await until(async () => (await stalled())?.status === "False");
});
