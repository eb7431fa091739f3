// What enforces NetworkPolicies on the node of this machine, whose own network does not: kube-network-policies, as its
// own manifest installs it, built from its Go module.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { loadAll } from "js-yaml";
import { program, sourceOf } from "../cluster/build.ts";
import { importProgram } from "../cluster/images.ts";
import { run } from "../cluster/machine.ts";
import { PODS } from "../cluster/node.ts";
import { NODE_IP } from "../cluster/pki.ts";
import { kubectl } from "./cluster.ts";

const NAME = "kube-network-policies";
const QUEUE = "98";
/** It makes rules itself, by what not every kernel's nftables have. These ask it about each new connection of a pod. */
const RULES = [
  ["FORWARD", "-s", PODS, "-d", PODS],
  ["INPUT", "-s", PODS, "-d", NODE_IP],
].map((rule) => [
  ...[...rule, "-m", "conntrack", "--ctstate", "NEW"],
  ...["-j", "NFQUEUE", "--queue-num", QUEUE, "--queue-bypass"],
]);

interface DaemonSet {
  kind: string;
  spec: { template: { spec: { containers: object[]; volumes: object[] } } };
}

/** Enforces the NetworkPolicies of all namespaces until the test ends. */
export async function enforceNetworkPolicies(context: TestContext): Promise<void> {
  const image = importProgram(await program(NAME));
  const manifests = loadAll(
    readFileSync(join(sourceOf(NAME), "install.yaml"), "utf8"),
  ) as (DaemonSet | null)[];
  const items = manifests
    .filter((manifest) => manifest !== null)
    .map((manifest) => (manifest.kind === "DaemonSet" ? withImage(manifest, image) : manifest));
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const iptables = (what: string) => {
    for (const rule of RULES) run("iptables", ["-t", "mangle", what, ...rule]);
  };
  iptables("-A");
  context.after(async () => {
    iptables("-D");
    await kubectl(["delete", "--ignore-not-found", "-f", "-"], list);
  });
  await kubectl(["apply", "-f", "-"], list);
  await kubectl(["rollout", "status", `daemonset/${NAME}`, "-n", "kube-system", "--timeout=2m"]);
}

/** Without containerd's NRI, and letting everything through once it is gone. */
function withImage(manifest: DaemonSet, image: string): DaemonSet {
  const { template } = manifest.spec;
  const [container] = template.spec.containers;
  const args = [
    "--hostname-override=$(MY_NODE_NAME)",
    `--nfqueue-id=${QUEUE}`,
    "--fail-open",
    "--disable-nri",
  ];
  const securityContext = { privileged: true, runAsUser: 0 };
  const containers = [{ ...container, image, args, securityContext, volumeMounts: [] }];
  return {
    ...manifest,
    spec: {
      ...manifest.spec,
      template: { ...template, spec: { ...template.spec, containers, volumes: [] } },
    },
  };
}
