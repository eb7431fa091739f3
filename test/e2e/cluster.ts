// The cluster that KUBECONFIG names, as tests see it: objects, kubectl, and how things stand in a namespace.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { createClient } from "@segnas/operator/kube/client.ts";
import { loadKubeConfig } from "@segnas/operator/kube/kubeconfig.ts";
import { createRemote } from "@segnas/operator/kube/remote.ts";
import { kubectlProgram } from "../cluster/build.ts";
import { IMAGES } from "../cluster/images.ts";

export const config = loadKubeConfig();
export const client = createClient(config);
export const remote = createRemote(client);
export const OPERATOR_IMAGE = process.env.SEGNAS_OPERATOR_IMAGE ?? IMAGES.operator;
export const TRAINER_IMAGE = process.env.SEGNAS_TRAINER_IMAGE ?? IMAGES.trainer;

/** What a program printed. Throws with its words where it fails. */
export async function output(program: string, args: string[], input = ""): Promise<string> {
  const child = spawn(program, args);
  child.stdin.end(input);
  const [said, complained, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  if (code === 0) return said;
  throw new Error(`${program} ${args.slice(0, 4).join(" ")} ... failed: ${complained.trim().slice(-2000)}`);
}

const kubectlPath = await kubectlProgram();
export const kubectl = (args: string[], input?: string): Promise<string> => output(kubectlPath, args, input);

/** Creates or changes objects as `kubectl apply` does; in a namespace where they name none. */
export const apply = (namespace: string, ...manifests: object[]): Promise<string> =>
  kubectl(
    ["apply", "-n", namespace, "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }),
  );

interface Conditioned {
  metadata: { name: string };
  status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] };
}

/** What an object's conditions say: a line for each that is true. */
export const saysOf = ({ status }: Conditioned): string[] =>
  (status?.conditions ?? [])
    .filter(({ status }) => status === "True")
    .map(({ type, reason, message }) => `${type}: ${reason}: ${message}`);

/** How things stand, for a person who has to find out why something did not come. */
export async function standing(namespace: string): Promise<string> {
  const lines: string[] = [];
  for (const kind of ["ArchitectureSearch", "CandidateTrial"] as const)
    for (const object of await remote.list(kind, namespace))
      lines.push(`${kind} ${object.metadata.name}: ${saysOf(object).join("; ")}`);
  const tables = await Promise.all(
    ["jobs,pods", "events"].map((kinds) => kubectl(["get", kinds, "-n", namespace])),
  );
  return [...lines, ...tables.map((table) => table.split("\n").slice(-30).join("\n"))].join("\n");
}
