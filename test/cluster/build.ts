// The programs of the test cluster, compiled from their Go modules into bin/, each once.
// Versions and hashes of Kubernetes and etcd: kubernetes/go.mod and go.sum. The others carry a go.sum of their own.
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "@segnas/searchspace/errors.ts";
import { HOME, run, step, succeeds } from "./machine.ts";

const MODULE = fileURLToPath(new URL("kubernetes", import.meta.url));
const ETCD = "go.etcd.io/etcd/server/v3";

/** Programs with a module of their own: built when they are first asked for. */
const OTHERS: Record<string, { module: string; version: string; package: string; flags?: string }> = {
  helm: { module: "helm.sh/helm/v4", version: "v4.3.1", package: "./cmd/helm" },
  helm3: {
    module: "helm.sh/helm/v3",
    version: "v3.19.5",
    package: "./cmd/helm",
    // As its releases are built: else `helm template` renders for Kubernetes 1.20.
    flags: ["Major=1", "Minor=34"].map((is) => `-X helm.sh/helm/v3/pkg/chartutil.k8sVersion${is}`).join(" "),
  },
  kwok: { module: "sigs.k8s.io/kwok", version: "v0.8.0", package: "./cmd/kwok" },
  kueue: { module: "sigs.k8s.io/kueue", version: "v0.17.0", package: "./cmd/kueue" },
  "kube-network-policies": {
    ...{ module: "sigs.k8s.io/kube-network-policies", version: "v0.8.0" },
    package: "./cmd",
  },
  kind: { module: "sigs.k8s.io/kind", version: "v0.30.0", package: "." },
};

/** The programs that a one-node cluster runs. */
export const CORE = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
];
export const TARGETS = [...CORE, "kubectl", ...Object.keys(OTHERS)];

const target = (name: string): string => join(HOME, "bin", name);

/** The path of a program, which is compiled first where it is not there yet. */
export async function program(name: string): Promise<string> {
  if (!TARGETS.includes(name))
    throw new UserError(`${name}: is not known, write one of ${TARGETS.join(", ")}`);
  if (!existsSync(target(name))) {
    if (!succeeds("go", ["version"]))
      throw new UserError(
        "Go is needed to build the cluster: install it (https://go.dev/dl), 1.24 or newer.",
      );
    console.error(`cluster: compiling ${name} ...`);
    await step(name, () => compile(name));
  }
  return target(name);
}

/** kubectl: the one on the path, else the cluster's own. */
export async function kubectlProgram(): Promise<string> {
  return succeeds("kubectl", ["version", "--client"]) ? "kubectl" : program("kubectl");
}

function compile(name: string): void {
  const other = OTHERS[name];
  if (!other)
    build(MODULE, name, name === "etcd" ? ETCD : `k8s.io/kubernetes/cmd/${name}`, kubernetesVersion());
  else build(moduleFolder(other.module, other.version), name, other.package, other.flags);
}

function build(folder: string, name: string, pack: string, flags = ""): void {
  const options = ["-trimpath", "-buildvcs=false", "-ldflags", `-s -w ${flags}`];
  // Go writes the file in place: a build that is broken off must leave none under the real name, and two at a time
  // must not write the same.
  const made = `${target(name)}.${process.pid}`;
  run("go", ["build", ...options, "-o", made, pack], {
    cwd: folder,
    env: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "" },
  });
  renameSync(made, target(name));
}

/** Where Go keeps a module's source, fetched where it is missing. Its hash is proven by Go's checksum database. */
function moduleFolder(module: string, version: string): string {
  const answer = run("go", ["mod", "download", "-json", `${module}@${version}`], {
    cwd: "/",
    env: { GOWORK: "off" },
  });
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

/** The source of a program with a module of its own, which holds its manifests. */
export const sourceOf = (name: string): string => moduleFolder(OTHERS[name]!.module, OTHERS[name]!.version);

/** kube-apiserver must know its own version: clients ask for it, and features go by it. */
function kubernetesVersion(): string {
  const [, version] = /k8s\.io\/kubernetes (v[\d.]+)/.exec(readFileSync(join(MODULE, "go.mod"), "utf8"))!;
  const [major, minor] = version!.slice(1).split(".");
  const package_ = "k8s.io/component-base/version";
  return `-X ${package_}.gitVersion=${version} -X ${package_}.gitMajor=${major} -X ${package_}.gitMinor=${minor}`;
}
