// One operator in the cluster, installed by helm, works on all namespaces: searches of one name in two of them have
// nothing in common. No other operator may run meanwhile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isFinished } from "@segnas/operator/controllers/status.ts";
import { OPERATOR_IMAGE, remote, TRAINER_IMAGE } from "../cluster.ts";
import { CHART, imageValues, runHelm } from "../operator.ts";
import { createSpace, E2E, pretendSearch, timeless } from "../space.ts";

test("two searches of one name in two namespaces", async (context) => {
  const others = (await remote.list("ArchitectureSearch")).filter(
    (search) => !search.metadata.namespace?.startsWith(E2E) && !isFinished(search),
  );
  if (others.length > 0) {
    const { namespace, name } = others[0]!.metadata;
    return context.skip(`an operator over all namespaces would take over ${namespace}/${name}`);
  }
  const [home, one, other] = [
    await createSpace(context),
    await createSpace(context),
    await createSpace(context),
  ];
  context.after(() => runHelm(home.namespace, "uninstall", "segnas"));
  const values = [
    "scope=Cluster",
    "crds.install=false",
    "aggregatedRoles.create=false",
    "resources.requests.cpu=50m",
  ];
  const images = [...imageValues("image", OPERATOR_IMAGE), ...imageValues("trainer.image", TRAINER_IMAGE)];
  await runHelm(
    home.namespace,
    "install",
    "segnas",
    CHART,
    "--wait",
    "--set",
    [...values, ...images].join(","),
  );
  await runHelm(home.namespace, "test", "segnas");

  // The same seed, another one, and failures of its own.
  await one.apply(pretendSearch("twin", { maxTrials: 8 }));
  await other.apply(pretendSearch("twin", { maxTrials: 8, seed: 8 }, { misdeeds: { 2: [65] } }));
  for (const space of [one, other]) {
    const { status } = await space.condition("twin", "Complete");
    assert.equal(status?.entries, 8);
    assert.deepEqual(await space.findings("twin"), []);
  }
  const entries = [timeless(await one.entries("twin")), timeless(await other.entries("twin"))] as const;
  assert.equal(entries[0].filter(({ outcome }) => outcome === "Failed").length, 0);
  assert.equal(entries[1].filter(({ outcome }) => outcome === "Failed").length, 1);
  assert.notDeepEqual(entries[0], entries[1]);
  await one.kubectl("delete", "architecturesearch", "twin");
  await one.until("its trials to go", async () => (await one.list("CandidateTrial")).length === 0);
  assert.equal((await other.trials("twin")).length, 8);
});
