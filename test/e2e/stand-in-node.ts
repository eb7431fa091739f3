// A node without a machine, kept by a test: it says that it is well and that its pods run, until it falls silent.
import type { TestContext } from "node:test";
import type { ContainerStatus, Pod } from "@segnas/operator/api/store.ts";
import { TRAINER } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { STAND_IN } from "../cluster/machine.ts";
import { client, kubectl } from "./cluster.ts";
import type { Space } from "./space.ts";

/** Kubernetes gives a node up after 50 s without a sign of life. */
const BEAT_MS = 5000;

/** Makes a node for the space's pods that prefer it (`preferred`) until the test ends. */
export async function standInNode(context: TestContext, space: Space) {
  const name = space.namespace;
  const capacity = { cpu: "8", memory: "64Gi", pods: "110" };
  const now = () => `${new Date().toISOString().slice(0, -5)}Z`;
  const ready = () => ({ type: "Ready", status: "True", lastHeartbeatTime: now() });
  await client.request({
    method: "POST",
    path: "/api/v1/nodes",
    body: {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { [STAND_IN]: name } },
      // Nobody else's pods.
      spec: { taints: [{ key: STAND_IN, value: name, effect: "NoSchedule" }] },
      status: { capacity, allocatable: capacity, conditions: [ready()] },
    },
  });
  const patch = (path: string, status: object) =>
    client.request({
      ...{ method: "PATCH", path: `${path}/status`, body: { status } },
      contentType: "application/strategic-merge-patch+json",
    });
  const pods = async () => (await space.list("Pod")).filter(({ spec }) => spec.nodeName === name);
  const say = (pod: Pod, phase: string, state: ContainerStatus["state"]) =>
    patch(`/api/v1/namespaces/${space.namespace}/pods/${pod.metadata.name}`, {
      phase,
      containerStatuses: [{ name: TRAINER, state, image: "", imageID: "", ready: false, restartCount: 0 }],
    });

  async function beat(): Promise<void> {
    await patch(`/api/v1/nodes/${name}`, { conditions: [ready()] });
    const waiting = (await pods()).filter(({ status }) => status?.phase === "Pending");
    for (const pod of waiting) await say(pod, "Running", { running: { startedAt: now() } });
  }
  // A pod may go meanwhile; and one beat is no matter.
  const beats = setInterval(() => void beat().catch(() => {}), BEAT_MS);
  context.after(async () => {
    clearInterval(beats);
    const there = (await pods()).map(({ metadata }) => metadata.name);
    if (there.length > 0)
      await kubectl(["delete", "pod", ...there, "-n", space.namespace, "--force", "--grace-period=0"]);
    await kubectl(["delete", "node", name]);
  });

  return {
    name,
    pods,
    /** Says what became of a pod's trainer, however late. */
    say,
    fallSilent: () => clearInterval(beats),
    /** Fields of a pod that goes there while it can, and is given up 5 s after the node is. */
    preferred: {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              preference: { matchExpressions: [{ key: STAND_IN, operator: "In", values: [name] }] },
            },
          ],
        },
      },
      tolerations: [
        { key: STAND_IN, value: name, effect: "NoSchedule" },
        {
          key: "node.kubernetes.io/unreachable",
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: 5,
        },
      ],
    },
  };
}
