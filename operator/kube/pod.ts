// Where the cluster is and who we are, in a pod: by its environment and its ServiceAccount.
import { readFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import type { Access } from "./client.ts";

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The kubelet puts a new token there long before the old one runs out. */
const TOKEN_MS = 60_000;

/** The API server of the pod's own cluster; undefined outside of one. */
export function podAccess(
  env: NodeJS.ProcessEnv,
  now: () => Date,
  folder: string = SERVICE_ACCOUNT,
): Access | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  if (!host) return undefined;
  const read = (file: string): string => readFileSync(join(folder, file), "utf8").trim();
  const agent = new https.Agent({ ca: read("ca.crt") });
  const namespace = read("namespace");
  let token = "";
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    getCurrentCluster: () => ({ server: `https://${host.includes(":") ? `[${host}]` : host}:${port}` }),
    getCurrentContext: () => "pod",
    getContextObject: () => ({ namespace }),
    async applyToHTTPSOptions(options) {
      if (now().getTime() - readAt > TOKEN_MS) {
        token = read("token");
        readAt = now().getTime();
      }
      options.headers = { ...options.headers, authorization: `Bearer ${token}` };
      options.agent = agent;
    },
  };
}
