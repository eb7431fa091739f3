// People change and delete searches and trials while they run: what runs is not harmed, and nothing is left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CandidateTrial } from "@segnas/operator/api/generated/candidatetrials.ts";
import { gpuSeconds } from "@segnas/operator/controllers/candidatetrial/decide.ts";
import { saysOf } from "../cluster.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

const causes = async (space: Space) =>
  (await space.trials("s")).map(({ status }) => status?.attempts?.map(({ cause }) => cause ?? null));
const uids = (trials: CandidateTrial[]) => trials.map(({ metadata }) => metadata.uid);
const entered = (space: Space, name: string, count: number) =>
  space.until(`${count} entries`, async () => ((await space.get(name)).status?.entries ?? 0) >= count);
const gone = (space: Space, kind: "CandidateTrial" | "SearchRecord" | "Job" | "Pod") =>
  space.until(`each ${kind} to go`, async () => (await space.list(kind)).length === 0);

test("suspended, resumed, and changed midway", async (context) => {
  const space = await createSpace(context);
  await space.operator();
  await space.apply(pretendSearch("s", { maxTrials: 4, parallelism: 2, retries: 0 }, { held: true }));
  await space.training("s-0", "s-1");
  const before = await space.trials("s");
  await space.change("s", { suspend: true });
  await space.condition("s", "Suspended");
  await gone(space, "Pod");
  assert.deepEqual(await causes(space), [["Suspended"], ["Suspended"]]);
  const spent = (await space.trials("s")).map(({ status }) => gpuSeconds(status!.attempts!));
  for (const seconds of spent) assert.ok(seconds > 0);

  // Resumed, the same trials go on; with more room another one begins.
  await space.change("s", { suspend: false, parallelism: 3 });
  await space.training("s-0", "s-1", "s-2");
  assert.deepEqual(uids(await space.trials("s")).slice(0, 2), uids(before));
  // Lowered, it ends nothing that runs, and makes nothing more.
  await space.change("s", { parallelism: 1, maxTrials: 3 });
  await space.release("s-0", "s-1");
  await entered(space, "s", 2);
  assert.ok(await space.podOf("s-2"));
  await space.release("s-2");
  await space.condition("s", "Complete");
  assert.equal((await space.trials("s")).length, 3);
  // Raised, the search goes on.
  await space.change("s", { maxTrials: 4 });
  await space.release("s-3");
  await entered(space, "s", 4);
  await space.condition("s", "Complete");
  assert.deepEqual(await causes(space), [["Suspended", null], ["Suspended", null], [null], [null]]);
  // Pods know their times to the second: what comes after may have taken none.
  for (const [index, seconds] of spent.entries())
    assert.ok(Number((await space.trials("s"))[index]!.status!.result!.gpuSeconds) >= seconds);
  assert.deepEqual(await space.findings("s"), []);
});

test("trials and searches deleted midway leave nothing behind", async (context) => {
  const space = await createSpace(context);
  await space.operator();
  await space.apply(
    pretendSearch("a", { maxTrials: 3, parallelism: 2 }, { held: true }),
    pretendSearch("b", { maxTrials: 9, parallelism: 2 }, { held: true }),
  );
  await space.training("a-0", "a-1", "b-0", "b-1");
  const uid = (await space.get("a")).metadata.uid;
  await space.kubectl("delete", "candidatetrial", "a-0", "--wait=false");
  await space.kubectl("delete", "architecturesearch", "b", "--wait=false");
  await space.release("a-1", "a-2");
  await space.condition("a", "Complete");
  const outcomes = (await space.entries("a")).map(({ trial, outcome }) => `${trial} ${outcome}`);
  assert.deepEqual(outcomes, ["a-0 Deleted", "a-1 Succeeded", "a-2 Succeeded"]);
  assert.deepEqual(await space.findings("a"), []);
  await gone(space, "Job");
  await gone(space, "Pod");
  assert.deepEqual(
    (await space.trials("a")).map(({ metadata }) => metadata.name),
    ["a-1", "a-2"],
  );
  await space.until("the records of b to go", async () =>
    (await space.list("SearchRecord")).every(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid),
  );

  // Of the same name, but another search.
  await space.apply(pretendSearch("b", { maxTrials: 1 }));
  await space.condition("b", "Complete");
  assert.deepEqual(await space.findings("b"), []);
  // Nobody need be there for what is deleted to go.
  for (const operator of space.operators) await operator.stop();
  await space.kubectl("delete", "architecturesearch", "a", "b");
  for (const kind of ["CandidateTrial", "SearchRecord", "Job", "Pod"] as const) await gone(space, kind);
});

test("labels that people take away change nothing, and what an orphaning delete leaves is told of", async (context) => {
  const space = await createSpace(context);
  await space.operator();
  const search = pretendSearch("r", { maxTrials: 2, parallelism: 1 }, { held: true });
  await space.apply(search);
  await space.training("r-0");
  await space.kubectl("label", "candidatetrial", "r-0", "segnas.dev/search-");
  await space.release("r-0", "r-1");
  await space.condition("r", "Complete");

  await space.kubectl("delete", "architecturesearch", "r", "--cascade=orphan");
  await space.apply(search);
  await space.until("r to say whose name it needs", async () =>
    saysOf(await space.get("r")).some((line) =>
      line.startsWith("Stalled: NameTaken: a CandidateTrial r-0 is there already, and is no search's"),
    ),
  );
  await space.kubectl("delete", "candidatetrial", "--all");
  await space.release("r-0", "r-1");
  await space.condition("r", "Complete");
  assert.deepEqual(await space.findings("r"), []);
});
