// Found by reading: `segnas search` was killed after a trainer's pod had said its end and before its Job had. The next
// start made the pod once more, which was there already, and ended with that error.
import assert from "node:assert/strict";
import { test } from "node:test";
import { controllerReference, keyOf } from "@segnas/operator/api/store.ts";
import { attemptJob } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { startKubelet } from "@segnas/operator/local/kubelet.ts";
import { createLogger } from "winston";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";

for (const [phase, end] of [
  ["Succeeded", "Complete"],
  ["Failed", "Failed"],
] as const)
  test(`a Job whose pod has ${phase.toLowerCase()} ends`, async (context) => {
    const store = memoryStore();
    const job = await store.create<"Job">(attemptJob(makeSearch(), makeTrial(0), 0));
    const pod = await store.create<"Pod">({
      ...{ apiVersion: "v1", kind: "Pod", spec: job.spec.template.spec },
      metadata: { name: "s-0-0-pod", namespace: "default", ownerReferences: [controllerReference(job)] },
    });
    await store.updateStatus<"Pod">({ ...pod, status: { phase } });
    const kubelet = await startKubelet({
      ...{ store, stateDir: "/nowhere", namespace: "default", gpus: 0 },
      ...{ logger: createLogger({ silent: true }), now: () => new Date() },
      trainer: { command: ["false"] },
      failed: (error) => assert.fail(String(error)),
    });
    context.after(() => kubelet.close());
    const { status } = (await store.get("Job", keyOf(job)))!;
    assert.deepEqual(
      status?.conditions?.map(({ type }) => type),
      [end],
    );
  });
