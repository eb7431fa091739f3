// Trials that wait in a queue of Kueue: admitted when there is room, and preempted by something of higher priority.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { isAudited } from "../audit.ts";
import { apply, saysOf, TRAINER_IMAGE } from "../cluster.ts";
import { installKueue, KUEUE_LABEL } from "../kueue.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

const KUEUE = { apiVersion: "kueue.x-k8s.io/v1beta2" };
/** CPU that a trial asks for, and that there is for one trial at a time. */
const CPU = "10m";

/** A queue with room for one trial, where what is more important goes first. */
async function makeQueue(space: Space): Promise<void> {
  const name = space.namespace;
  const resources = [
    { name: "cpu", nominalQuota: CPU },
    { name: "memory", nominalQuota: "100Gi" },
  ];
  const priority = { ...KUEUE, kind: "WorkloadPriorityClass", metadata: { name }, value: 1000 };
  // Its webhooks answer a moment after it is ready.
  await space.until("Kueue to take a queue", async () => {
    const made = apply(
      name,
      { ...KUEUE, kind: "ResourceFlavor", metadata: { name } },
      {
        ...{ ...KUEUE, kind: "ClusterQueue", metadata: { name } },
        spec: {
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
          preemption: { withinClusterQueue: "LowerPriority" },
          resourceGroups: [{ coveredResources: ["cpu", "memory"], flavors: [{ name, resources }] }],
        },
      },
      { ...KUEUE, kind: "LocalQueue", metadata: { name: "queue" }, spec: { clusterQueue: name } },
      priority,
    );
    return made.then(
      () => true,
      () => false,
    );
  });
}

/** Something else that waits in the queue, and goes before trials. */
const importantJob = (space: Space) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: {
    name: "important",
    labels: { "kueue.x-k8s.io/queue-name": "queue", "kueue.x-k8s.io/priority-class": space.namespace },
  },
  spec: {
    template: {
      spec: {
        restartPolicy: "Never",
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: "main",
            image: TRAINER_IMAGE,
            command: ["node", "--eval", "setTimeout(() => {}, 8000)"],
            resources: { requests: { cpu: CPU } },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          },
        ],
      },
    },
  },
});

test("Kueue admits trials, and takes one back", async (context) => {
  // The image is brought to the node of this machine.
  if (!isAudited()) return context.skip("the node is not on this machine");
  const space = await createSpace(context, KUEUE_LABEL);
  await installKueue(context);
  await makeQueue(space);
  await space.operator();
  const spec = { maxTrials: 3, parallelism: 1, queueName: "queue", pendingTimeoutSeconds: 20, retries: 0 };
  await space.apply(pretendSearch("s", spec, { held: true }));
  const start = performance.now();
  await space.training("s-0");
  // There is room for one: the other waits for as long as it must, which is no waiting for a pod.
  await space.change("s", { parallelism: 2 });
  await wait(25_000);
  const [says] = saysOf((await space.trial("s-1"))!);
  assert.equal(says, "Progressing: Pending: its Job is suspended until its queue admits it");
  const pod = (await space.podOf("s-0"))!;

  await space.apply(importantJob(space));
  await space.until("s-0 to be preempted", async () => {
    const [attempt] = (await space.trial("s-0"))!.status!.attempts!;
    return Number(attempt?.spentSeconds ?? 0) > 0;
  });
  const elapsed = (performance.now() - start) / 1000;
  // Afterwards it is admitted again, under another pod, as the same attempt.
  await space.training("s-0");
  const again = (await space.podOf("s-0"))!;
  assert.notEqual(again.metadata.uid, pod.metadata.uid);
  await space.release("s-0", "s-1", "s-2");
  await space.condition("s", "Complete");
  const trials = await space.trials("s");
  for (const { status } of trials) {
    assert.equal(status?.result?.outcome, "Succeeded");
    assert.equal(status.attempts?.length, 1);
  }
  // Both times that it trained are charged, but not the time in the queue.
  const { attempts, result } = trials[0]!.status!;
  const [{ spentSeconds, startTime, endTime }] = attempts as [NonNullable<typeof attempts>[0]];
  const last = (Date.parse(endTime!) - Date.parse(startTime!)) / 1000;
  assert.ok(Number(spentSeconds) >= 25 && Number(spentSeconds) < elapsed, `${spentSeconds} of ${elapsed} s`);
  assert.equal(Number(result!.gpuSeconds), Number(spentSeconds) + last);
  context.diagnostic(`s-0 trained ${spentSeconds} s before it was preempted, ${last} s after`);
  assert.deepEqual(await space.findings("s"), []);
});
