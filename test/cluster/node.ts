// One node on this machine: etcd, the API server, its controllers, containerd and the kubelet as plain processes.
// No systemd, no Docker engine, cgroup v1 or v2; GPUs are pretended. As root.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import { CORE, kubectlProgram, program } from "./build.ts";
import { importPause } from "./images.ts";
import {
  CLAIM,
  CONTAINERD,
  HOME,
  KUBECONFIG,
  logOf,
  nodeOfMachine,
  RUN,
  run,
  running,
  start,
  step,
  stop,
  succeeds,
  until,
} from "./machine.ts";
import { kubeconfig, makePki, NODE, NODE_IP, pki, SERVICES } from "./pki.ts";

const BRIDGE = "seg0";
const POD_BRIDGE = "segcni0";
export const PODS = "10.244.0.0/16";
const GPUS = 8;
/** In the order in which they leave: the API server before its store. */
const PROGRAMS = ["kubelet", "proxy", "scheduler", "controller-manager", "apiserver", "containerd", "etcd"];

/** What the machine must have besides Go: commands, and the Debian packages that bring them. */
const TOOLS = {
  containerd: "containerd",
  runc: "runc",
  buildah: "buildah",
  iptables: "iptables",
  conntrack: "conntrack",
  openssl: "openssl",
  gcc: "gcc",
  debootstrap: "debootstrap",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
};
/** Brings what is missing. */
export function installTools(): void {
  const missing = Object.entries(TOOLS)
    .filter(([tool]) => !succeeds("sh", ["-c", `command -v ${tool}`]))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  if (!succeeds("apt-get", ["--version"]))
    throw new UserError(`install ${missing.join(", ")} first: only Debian's apt-get is known here.`);
  run("apt-get", ["update", "-qq"], { shown: true });
  run("apt-get", ["install", "-qq", "--yes", "--no-install-recommends", ...missing], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** Whether the node runs and answers. */
export const isUp = (): boolean => PROGRAMS.every((name) => running(name)) && nodeReady();

const nodeReady = (): boolean => {
  const path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}";
  try {
    return kubectl("get", "node", NODE, "--request-timeout=5s", "-o", path) === "True";
  } catch {
    return false;
  }
};

let kubectlPath = "kubectl";
/** kubectl on this node's cluster, as its administrator. */
const kubectl = (...args: string[]): string => run(kubectlPath, args, { env: { KUBECONFIG } });

/** Brings the node up; what runs already is left alone. */
export async function up(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new UserError("a node needs root: run this as root, or name a cluster by KUBECONFIG.");
  claim();
  await step("Debian packages", installTools);
  for (const name of CORE) await program(name);
  kubectlPath = await kubectlProgram();
  // All that took minutes.
  claim();
  await step("certificates", makePki);
  network();
  await step("control plane", startControlPlane);
  await step("containerd", startContainerd);
  await step("node ready", startNode);
}

/** Nobody else's node may run here. */
function claim(): void {
  const other = nodeOfMachine();
  if (other !== undefined && other !== HOME)
    throw new UserError(
      `a node runs on this machine already, out of ${other}, and there is room for one: run this again without SEGNAS_CLUSTER to use that one.`,
    );
  writeFileSync(CLAIM, HOME);
}

function network(): void {
  if (!succeeds("ip", ["link", "show", BRIDGE])) {
    // A bridge: not every kernel has the type dummy.
    run("ip", ["link", "add", BRIDGE, "type", "bridge"]);
    run("ip", ["addr", "add", `${NODE_IP}/32`, "dev", BRIDGE]);
    run("ip", ["link", "set", BRIDGE, "up"]);
  }
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
}

const options = (given: Record<string, string | number | boolean>): string[] =>
  Object.entries(given).map(([name, value]) => `--${name}=${value}`);

async function startControlPlane(): Promise<void> {
  const client = "http://127.0.0.1:2379";
  start("etcd", await program("etcd"), [
    ...options({ "data-dir": join(RUN, "etcd"), "unsafe-no-fsync": true }),
    ...options({ "listen-client-urls": client, "advertise-client-urls": client }),
    ...options({ "listen-peer-urls": "http://127.0.0.1:2380" }),
  ]);
  await startApiServer();
  // The default request rates would be the bottleneck of every test at scale.
  const rates = { "kube-api-qps": 500, "kube-api-burst": 1000, "leader-elect": false };
  start(
    "controller-manager",
    await program("kube-controller-manager"),
    options({
      ...rates,
      kubeconfig: kubeconfig("controller-manager"),
      "use-service-account-credentials": true,
      "concurrent-job-syncs": 20,
      "service-account-private-key-file": pki("sa.key"),
      "root-ca-file": pki("ca.crt"),
      "cluster-cidr": PODS,
      "allocate-node-cidrs": true,
      "service-cluster-ip-range": SERVICES,
    }),
  );
  start(
    "scheduler",
    await program("kube-scheduler"),
    options({ ...rates, kubeconfig: kubeconfig("scheduler") }),
  );
}

/** Starts the API server and waits for it. Its audit log, log/audit*.log, has a line for each request. */
export async function startApiServer(): Promise<void> {
  write("audit.json", {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level: "Metadata" }],
  });
  start(
    "apiserver",
    await program("kube-apiserver"),
    options({
      "etcd-servers": "http://127.0.0.1:2379",
      "advertise-address": NODE_IP,
      "secure-port": 6443,
      "service-cluster-ip-range": SERVICES,
      "client-ca-file": pki("ca.crt"),
      "tls-cert-file": pki("apiserver.crt"),
      "tls-private-key-file": pki("apiserver.key"),
      "service-account-issuer": "https://kubernetes.default.svc",
      "service-account-key-file": pki("sa.pub"),
      "service-account-signing-key-file": pki("sa.key"),
      "authorization-mode": "Node,RBAC",
      "enable-admission-plugins": "NodeRestriction",
      "allow-privileged": true,
      "kubelet-client-certificate": pki("admin.crt"),
      "kubelet-client-key": pki("admin.key"),
      "kubelet-certificate-authority": pki("ca.crt"),
      "kubelet-preferred-address-types": "InternalIP",
      "audit-policy-file": join(RUN, "audit.json"),
      "audit-log-path": logOf("audit"),
      "audit-log-maxsize": 200,
      // Two gigabytes: a search of ten thousand trials, and the cluster's own part in it.
      "audit-log-maxbackup": 10,
    }),
  );
  await until(
    "the API server",
    () => succeeds(kubectlPath, ["get", "--raw", "/readyz"], { env: { KUBECONFIG } }),
    logOf("apiserver"),
  );
}

/** Leaves alone what is the same: kube-proxy ends when its file is written. */
function write(file: string, content: object): void {
  const [path, text] = [join(RUN, file), JSON.stringify(content, undefined, 2)];
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

async function startContainerd(): Promise<void> {
  mkdirSync(join(RUN, "cni"), { recursive: true });
  const ipam = {
    type: "host-local",
    ranges: [[{ subnet: "10.244.0.0/24" }]],
    routes: [{ dst: "0.0.0.0/0" }],
    // On a file system that a reboot empties, as the pods are gone by then.
    dataDir: join(RUN, "cni-addresses"),
  };
  write("cni/10-bridge.conflist", {
    cniVersion: "0.4.0",
    name: "segnas-test",
    plugins: [
      { type: "bridge", bridge: POD_BRIDGE, isGateway: true, ipMasq: true, hairpinMode: true, ipam },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  });
  // restrict_oom_score_adj: where lowering the score is refused, runc dies without it.
  writeFileSync(
    join(RUN, "containerd.toml"),
    `version = 2
root = "${RUN}/containerd"
state = "${RUN}/containerd-state"
[grpc]
  address = "${CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${RUN}/cni"
`,
  );
  // Pods of a node that was not taken down are on its bridge still, with addresses that are given out again.
  if (!running("containerd")) succeeds("ip", ["link", "delete", POD_BRIDGE]);
  start("containerd", "containerd", ["-c", join(RUN, "containerd.toml")]);
  await until("containerd", () => succeeds("ctr", ["-a", CONTAINERD, "version"]), logOf("containerd"));
  importPause();
}

async function startNode(): Promise<void> {
  mkdirSync(join(RUN, "manifests"), { recursive: true });
  write("kubelet.yaml", {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      x509: { clientCAFile: pki("ca.crt") },
      anonymous: { enabled: false },
      webhook: { enabled: true },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: pki("kubelet.crt"),
    tlsPrivateKeyFile: pki("kubelet.key"),
    containerRuntimeEndpoint: `unix://${CONTAINERD}`,
    cgroupDriver: "cgroupfs",
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    serializeImagePulls: false,
    staticPodPath: join(RUN, "manifests"),
    resolvConf: "",
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi" },
    // Never: an image that was loaded could not be pulled again, and the disk is not this node's alone.
    imageGCHighThresholdPercent: 100,
    maxPods: 250,
  });
  start(
    "kubelet",
    await program("kubelet"),
    options({
      config: join(RUN, "kubelet.yaml"),
      kubeconfig: kubeconfig("kubelet"),
      "hostname-override": NODE,
      "node-ip": NODE_IP,
      "root-dir": join(RUN, "kubelet"),
      "cert-dir": join(RUN, "kubelet-pki"),
    }),
  );
  write("proxy.yaml", {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: kubeconfig("proxy") },
    mode: "iptables",
    clusterCIDR: PODS,
    conntrack: { maxPerCore: 0 },
    hostnameOverride: NODE,
  });
  start("proxy", await program("kube-proxy"), options({ config: join(RUN, "proxy.yaml") }));
  await until("the node to be ready", nodeReady, logOf("kubelet"));
  pretendGpus();
  await until("the default ServiceAccount", () =>
    succeeds(kubectlPath, ["get", "serviceaccount", "default"], { env: { KUBECONFIG } }),
  );
}

/** The kubelet leaves resources alone that no device plugin manages: the scheduler counts them all the same. */
function pretendGpus(): void {
  const patch = ["capacity", "allocatable"].map((list) => ({
    op: "add",
    path: `/status/${list}/nvidia.com~1gpu`,
    value: String(GPUS),
  }));
  kubectl("patch", "node", NODE, "--subresource=status", "--type=json", "-p", JSON.stringify(patch));
}

/** Ends all of it; with `purge` the cluster's state goes too, and only binaries and images stay. */
export async function down(purge: boolean): Promise<void> {
  // Pods outlive the kubelet and containerd.
  if (running("containerd")) {
    await stop("kubelet");
    const ctr = (...args: string[]): string => run("ctr", ["-a", CONTAINERD, "-n", "k8s.io", ...args]);
    for (const task of ctr("tasks", "ls", "-q").split("\n").filter(Boolean))
      succeeds("ctr", ["-a", CONTAINERD, "-n", "k8s.io", "tasks", "kill", "-s", "SIGKILL", task]);
  }
  for (const name of PROGRAMS) await stop(name);
  if (!purge) return;
  run("sh", ["-c", `grep -o "${RUN}/[^ ]*" /proc/mounts | sort -r | xargs -r umount -l`]);
  rmSync(RUN, { recursive: true, force: true });
  // The rules of kube-proxy and of pods that had no time to leave.
  run("sh", ["-c", "iptables-save | grep -vE 'KUBE-|CNI-' | iptables-restore"]);
  for (const bridge of [BRIDGE, POD_BRIDGE]) succeeds("ip", ["link", "delete", bridge]);
}

/** A line for each part: its process, or that it does not run. */
export const parts = (): string[] =>
  PROGRAMS.map((name) => `${name.padEnd(20)} ${running(name) ?? "does not run"}`);
