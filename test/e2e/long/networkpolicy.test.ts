// The chart's NetworkPolicy where it is enforced: what the operator needs goes through, and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "@segnas/operator/api/store.ts";
import { NODE_IP } from "../../cluster/pki.ts";
import { isAudited } from "../audit.ts";
import { client, kubectl, OPERATOR_IMAGE } from "../cluster.ts";
import { enforceNetworkPolicies } from "../network-policies.ts";
import { CHART, imageValues, runHelm } from "../operator.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

/** Tells in a pod what comes of a connection: open, ECONNREFUSED, or silence. */
const KNOCK = `
const [host, port] = process.argv.slice(1);
const tell = (what) => { console.log(what); process.exit(); };
const socket = require("node:net").connect({ host, port, timeout: 3000 });
socket.on("connect", () => tell("open")).on("error", ({ code }) => tell(code)).on("timeout", () => tell("silence"));
`;

async function pod(space: Space, labelSelector: string): Promise<Pod> {
  const { items } = await client.request<{ items: Pod[] }>({
    path: `/api/v1/namespaces/${space.namespace}/pods`,
    query: { labelSelector },
  });
  return items[0]!;
}

/** Somebody else's, who listens where a trainer would. */
const stranger = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "stranger", labels: { app: "stranger" } },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "main",
        image: OPERATOR_IMAGE,
        command: ["/usr/local/bin/node", "--eval", 'require("node:http").createServer().listen(9090)'],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ],
  },
};

test("the NetworkPolicy lets through what the operator needs, and nothing else", async (context) => {
  // The image is brought to the node of this machine.
  if (!isAudited()) return context.skip("the node is not on this machine");
  const space = await createSpace(context);
  const values = [
    ...[
      "scope=Namespace",
      "crds.install=false",
      "aggregatedRoles.create=false",
      "resources.requests.cpu=20m",
    ],
    ...["networkPolicy.apiServerPorts={6443}", ...imageValues("image", OPERATOR_IMAGE)],
  ];
  const options = ["--wait", "--timeout", "5m", "--set", values.join(",")];
  await runHelm(space.namespace, "install", "segnas", CHART, ...options);
  await space.apply(stranger, pretendSearch("s", { maxTrials: 2, parallelism: 1 }, { held: true }));
  await space.kubectl("wait", "--for=condition=Ready", "pod/stranger", "--timeout=2m");
  await space.training("s-0");
  const operator = await pod(space, "app.kubernetes.io/component=operator");
  const trainer = (await space.podOf("s-0"))!;
  const other = await pod(space, "app=stranger");

  const knock = async (from: Pod, to: Pod | string, port: number): Promise<string> => {
    const host = typeof to === "string" ? to : to.status!.podIP!;
    const program = ["/usr/local/bin/node", "--eval", KNOCK, host, String(port)];
    return (await kubectl(["exec", from.metadata.name, "-n", space.namespace, "--", ...program])).trim();
  };
  const doors = async () => ({
    "operator to trainer": await knock(operator, trainer, 9090),
    "operator to another port of the trainer": await knock(operator, trainer, 9091),
    "operator to a stranger": await knock(operator, other, 9090),
    "operator to where DNS is": await knock(operator, other, 53),
    "operator to the API server": await knock(operator, NODE_IP, 6443),
    "operator to the kubelet": await knock(operator, NODE_IP, 10250),
    "stranger to metrics": await knock(other, operator, 8080),
    "stranger to another port of the operator": await knock(other, operator, 8081),
    "stranger to trainer": await knock(other, trainer, 9090),
  });
  // Nobody listens there, but each says so.
  assert.deepEqual(await doors(), {
    "operator to trainer": "open",
    "operator to another port of the trainer": "ECONNREFUSED",
    "operator to a stranger": "open",
    "operator to where DNS is": "ECONNREFUSED",
    "operator to the API server": "open",
    "operator to the kubelet": "open",
    "stranger to metrics": "open",
    "stranger to another port of the operator": "ECONNREFUSED",
    "stranger to trainer": "open",
  });
  await enforceNetworkPolicies(context);
  await space.until(
    "policies to be enforced",
    async () => (await knock(operator, other, 9090)) === "silence",
  );
  assert.deepEqual(await doors(), {
    "operator to trainer": "open",
    "operator to another port of the trainer": "silence",
    "operator to a stranger": "silence",
    "operator to where DNS is": "ECONNREFUSED",
    "operator to the API server": "open",
    "operator to the kubelet": "silence",
    "stranger to metrics": "open",
    "stranger to another port of the operator": "silence",
    "stranger to trainer": "open",
  });
  // Under it an operator starts, reaches the API server, and asks the next trainer how far it is.
  await space.kubectl("delete", "pod", operator.metadata.name);
  await space.release("s-0");
  await space.until("the stage of s-1", async () => (await space.trial("s-1"))?.status?.stage);
  await space.release("s-1");
  await space.condition("s", "Complete");
  assert.deepEqual(await space.findings("s"), []);
});
