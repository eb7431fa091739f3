// Kueue as its own chart installs it, built from its Go module. What it does to Jobs it does in namespaces that have
// the label alone, so that other tests need not wait for it.
import { join } from "node:path";
import type { TestContext } from "node:test";
import { loadAll } from "js-yaml";
import { program, sourceOf } from "../cluster/build.ts";
import { importProgram } from "../cluster/images.ts";
import { kubectl } from "./cluster.ts";
import { imageValues, runHelm } from "./operator.ts";

const NAMESPACE = "kueue-system";
/** Of namespaces whose Jobs are Kueue's. */
export const KUEUE_LABEL = { "segnas.dev/kueue": "true" };
/** Paths of the webhooks of Jobs, and of Kueue's own kinds. */
const WEBHOOKS = /-batch-v1-job$|kueue-x-k8s-io/;

interface Manifest {
  kind: string;
  webhooks?: { clientConfig: { service: { path: string } }; namespaceSelector?: object }[];
}

/** Kinds outside namespaces that keep their CRD from going. */
const HELD =
  "clusterqueues.kueue.x-k8s.io,resourceflavors.kueue.x-k8s.io,workloadpriorityclasses.kueue.x-k8s.io";

/** Installs Kueue until the test ends: spaces that use it are made before. */
export async function installKueue(context: TestContext): Promise<void> {
  const image = importProgram(await program("kueue"));
  const resources = "controllerManager.manager.resources.requests";
  const values = [
    ...imageValues("controllerManager.manager.image", image),
    ...["controllerManager.manager.image.pullPolicy=IfNotPresent", `${resources}.cpu=20m`],
  ];
  const chart = join(sourceOf("kueue"), "charts", "kueue");
  const yaml = await runHelm(NAMESPACE, "template", "kueue", chart, "--set", values.join(","));
  const manifests = (loadAll(yaml) as (Manifest | null)[])
    .filter((manifest) => manifest !== null)
    // Where what serves an API is gone, no namespace can be deleted.
    .filter(({ kind }) => kind !== "APIService")
    .map(ours);
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(namespace));
  context.after(async () => {
    // It has to let go of what it holds itself.
    const label = Object.entries(KUEUE_LABEL)[0]!.join("=");
    await kubectl(["wait", "--for=delete", "namespace", "-l", label, "--timeout=3m"]);
    await kubectl(["delete", HELD, "--all", "--timeout=1m"]);
    await kubectl(["delete", "--ignore-not-found", "-f", "-"], list);
    await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  });
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], list);
  await kubectl([
    "rollout",
    "status",
    "deployment/kueue-controller-manager",
    "-n",
    NAMESPACE,
    "--timeout=3m",
  ]);
}

/** Without the webhooks of kinds that are not there, and those of Jobs in the labelled namespaces only. */
function ours(manifest: Manifest): Manifest {
  if (!manifest.webhooks) return manifest;
  const webhooks = manifest.webhooks
    .filter(({ clientConfig }) => WEBHOOKS.test(clientConfig.service.path))
    .map((webhook) =>
      webhook.clientConfig.service.path.endsWith("-batch-v1-job")
        ? { ...webhook, namespaceSelector: { matchLabels: KUEUE_LABEL } }
        : webhook,
    );
  return { ...manifest, webhooks };
}
