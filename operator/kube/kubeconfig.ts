// Where a cluster is and who we are, as kubectl finds it. Loading the library takes 90 MB: a pod does without (pod.ts).
// Not the package's root, which loads a class for every kind that there is.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { UserError } from "@segnas/searchspace/errors.ts";

/**
 * What KUBECONFIG or ~/.kube/config names, else the ServiceAccount of the pod that this runs in.
 * @throws UserError where none of them says where a cluster is
 */
export function loadKubeConfig(context?: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
    if (context !== undefined) config.setCurrentContext(context);
  } catch (error) {
    throw new UserError(`kubeconfig: cannot be read (${(error as Error).message})`);
  }
  const cluster = config.getCurrentCluster();
  // Where nothing is found, client-node takes a server that was usual once.
  if (config.getCurrentContext() === "loaded-context" && cluster?.server === "http://localhost:8080")
    throw new UserError("kubeconfig: there is none; set KUBECONFIG, or write ~/.kube/config");
  if (!cluster) {
    const what = context === undefined ? "no current context" : `no context ${context}`;
    throw new UserError(
      `kubeconfig: it has ${what} with a cluster; set KUBECONFIG, or name one by --context`,
    );
  }
  return config;
}
