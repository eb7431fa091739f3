// A kind cluster, where a Docker engine runs: the node is a container.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { program } from "./build.ts";
import { KUBECONFIG, run, succeeds } from "./machine.ts";

const NAME = "segnas-test";

export const dockerRuns = (): boolean => succeeds("docker", ["version", "--format", "{{.Server.Version}}"]);

const kind = async (...args: string[]): Promise<string> =>
  run(succeeds("kind", ["version"]) ? "kind" : await program("kind"), args);

export const isUp = async (): Promise<boolean> => (await kind("get", "clusters")).split("\n").includes(NAME);

export async function up(): Promise<void> {
  mkdirSync(dirname(KUBECONFIG), { recursive: true });
  await kind("create", "cluster", "--name", NAME, "--kubeconfig", KUBECONFIG, "--wait", "120s");
}

export const down = (): Promise<string> =>
  kind("delete", "cluster", "--name", NAME, "--kubeconfig", KUBECONFIG);

export const load = (archive: string): Promise<string> =>
  kind("load", "image-archive", archive, "--name", NAME);
