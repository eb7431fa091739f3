// Operators as processes of this machine: they work on one namespace, with the rights that the chart gives.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { program } from "../cluster/build.ts";
import { REPOSITORY } from "../cluster/machine.ts";
import { client, config, kubectl, output, TRAINER_IMAGE } from "./cluster.ts";

const RELEASE = "segnas";
export const CHART = join(REPOSITORY, "charts", "segnas");

/** Runs helm on a namespace. Returns what it printed. */
export type Helm = (namespace: string, ...args: string[]) => Promise<string>;
/** Helm 4 or Helm 3. */
export async function helmProgram(name: "helm" | "helm3"): Promise<Helm> {
  const path = await program(name);
  return (namespace, ...args) => output(path, [...args, "-n", namespace]);
}
export const runHelm = await helmProgram("helm");

/** The chart's values for an image. */
export function imageValues(field: string, image: string): string[] {
  const colon = image.lastIndexOf(":");
  return [`${field}.repository=${image.slice(0, colon)}`, `${field}.tag=${image.slice(colon + 1)}`];
}

/** Makes the chart's ServiceAccount and roles. */
export async function makeAccount(namespace: string): Promise<void> {
  const values = ["scope=Namespace", "crds.install=false", "aggregatedRoles.create=false"];
  const parts = ["rbac", "serviceaccount"].flatMap((part) => ["--show-only", `templates/${part}.yaml`]);
  const yaml = await runHelm(namespace, "template", RELEASE, CHART, "--set", values.join(","), ...parts);
  await kubectl(["apply", "-f", "-"], yaml);
}

interface Credential {
  kubeconfig: string;
  /** By it the audit log knows who asked. */
  id: string;
}

/** A token of that account, in a kubeconfig of its own. */
async function newCredential(namespace: string, folder: string): Promise<Credential> {
  const { status } = await client.request<{ status: { token: string } }>({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${RELEASE}/token`,
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 86_400 },
    },
  });
  const { jti } = JSON.parse(Buffer.from(status.token.split(".")[1]!, "base64url").toString()) as {
    jti: string;
  };
  const cluster = config.getCurrentCluster()!;
  const kubeconfig = join(folder, jti);
  const content = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "cluster",
        cluster: {
          server: cluster.server,
          ...(cluster.caData && { "certificate-authority-data": cluster.caData }),
          ...(cluster.caFile && { "certificate-authority": cluster.caFile }),
          ...(cluster.skipTLSVerify && { "insecure-skip-tls-verify": true }),
        },
      },
    ],
    users: [{ name: RELEASE, user: { token: status.token } }],
    contexts: [{ name: "context", context: { cluster: "cluster", user: RELEASE, namespace } }],
    "current-context": "context",
  };
  writeFileSync(kubeconfig, JSON.stringify(content), { mode: 0o600 });
  return { kubeconfig, id: `JTI=${jti}` };
}

export interface OperatorProcess {
  credential: string;
  /** What it has logged, a JSON object a line. */
  log: string[];
  exited: Promise<{ code: number | null; signal: string | null }>;
  kill(signal: NodeJS.Signals): void;
  /** Ends it as Kubernetes does. Resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts an operator as the account of `makeAccount`.
 * @param folder for its kubeconfig
 * @param identity stands for the UID of its pod: who starts again under the same one goes on at once
 */
export async function startOperator(
  namespace: string,
  folder: string,
  identity: string = randomUUID(),
): Promise<OperatorProcess> {
  const { kubeconfig, id } = await newCredential(namespace, folder);
  const child = spawn(process.execPath, ["operator/main.ts"], {
    cwd: REPOSITORY,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      KUBECONFIG: kubeconfig,
      SEGNAS_NAMESPACE: namespace,
      POD_NAMESPACE: namespace,
      POD_NAME: `operator-${identity.slice(0, 5)}`,
      POD_UID: identity,
      SEGNAS_PORT: "0",
      SEGNAS_TRAINER_IMAGE: TRAINER_IMAGE,
    },
  });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on("line", (line) => log.push(line));
  const exited = once(child, "exit").then(([code, signal]) => ({ code, signal }));
  return {
    credential: id,
    log,
    exited,
    kill: (signal) => child.kill(signal),
    async stop() {
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      const force = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(force);
    },
  };
}

export const leads = ({ log }: OperatorProcess): boolean =>
  log.some((line) => line.includes('"message":"leading"'));
