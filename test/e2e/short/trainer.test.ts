// The real trainer in pods: a small search to its end, and a data set that is not where the search says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { load } from "js-yaml";
import { saysOf } from "../cluster.ts";
import { createSpace } from "../space.ts";

const example = load(
  readFileSync(new URL("../../../examples/quickstart.yaml", import.meta.url), "utf8"),
) as ArchitectureSearch;

/** The example with fields of spec put in place, asking for little of a node that is shared. */
function search(name: string, spec: object) {
  const [container] = example.spec.trialTemplate!.spec!.containers;
  const requests = { cpu: "50m", memory: "600Mi" };
  const resources = { ...container!.resources, requests };
  const trialTemplate = { spec: { containers: [{ ...container, resources }] } };
  return { ...example, metadata: { name }, spec: { ...example.spec, ...spec, trialTemplate } };
}

test("the real trainer trains, and says what it cannot train on", { concurrency: true }, async (context) => {
  const space = await createSpace(context);
  await space.operator();
  const small = context.test("a small search comes to its end", async (context) => {
    const start = performance.now();
    const { dataset, training } = example.spec;
    const [stage0, stage1] = [training.stage0, training.stage1].map((stage) => ({ ...stage, epochs: 1 }));
    await space.apply(
      search("small", {
        ...{ maxTrials: 2, policy: { batchSize: 2 } },
        dataset: { ...dataset, shapes: { ...dataset.shapes, images: 48 } },
        training: { ...training, stage0, stage1 },
      }),
    );
    const { status } = await space.condition("small", "Complete", 400);
    assert.equal(status?.trials?.succeeded, 2);
    assert.equal(status.policyUpdates, 1);
    for (const trial of await space.trials("small")) {
      const { reward, metrics, slots, stages, attempts } = { ...trial.status?.result, ...trial.status };
      assert.ok(Number(reward) > 0, `reward ${reward}`);
      assert.ok(metrics?.meanIoU !== undefined && (slots?.length ?? 0) > 0 && attempts?.length === 1);
      assert.ok(stages?.some(({ stage, seconds }) => stage === "1" && Number(seconds) > 0));
    }
    assert.deepEqual(await space.findings("small"), []);
    context.diagnostic(`2 trials in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  });
  const wrong = context.test("a data set that is not there", async () => {
    const dataset = { format: "Folder", path: "/nowhere", classes: 3 };
    await space.apply(search("wrong", { maxTrials: 9, parallelism: 1, dataset }));
    const failed = await space.condition("wrong", "Failed", 400);
    assert.match(saysOf(failed).join(), /^Failed: InvalidConfiguration: .*dataset\.path.*\/nowhere/);
    assert.equal(failed.status?.entries, 3);
  });
  await Promise.all([small, wrong]);
});
