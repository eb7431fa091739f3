// The examples as they are written, with real trainers in pods: only what a small node without GPUs lacks is changed.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { loadAll } from "js-yaml";
import { REPOSITORY } from "../../cluster/machine.ts";
import { isAudited } from "../audit.ts";
import { kubectl, TRAINER_IMAGE } from "../cluster.ts";
import { createSpace } from "../space.ts";

const HOUR = 3600;
const CAMVID = join(REPOSITORY, "..", "shared", "data", "camvid");

const example = (name: string): object[] =>
  loadAll(readFileSync(join(REPOSITORY, "examples", `${name}.yaml`), "utf8")) as object[];
const isSearch = (object: object): object is ArchitectureSearch =>
  "kind" in object && object.kind === "ArchitectureSearch";

test("the quickstart, from YAML to Complete", async (context) => {
  const space = await createSpace(context);
  await space.operator();
  const start = performance.now();
  await space.kubectl("apply", "-f", join(REPOSITORY, "examples", "quickstart.yaml"));
  const { status } = await space.condition("quickstart", "Complete", HOUR);
  context.diagnostic(
    `${((performance.now() - start) / 1000).toFixed(0)} s, best ${JSON.stringify(status?.best)}`,
  );
  assert.equal(status?.trials?.succeeded, 12);
  assert.equal(status.policyUpdates, 3);
  assert.deepEqual(await space.findings("quickstart"), []);
});

/** Claims that nothing else can be bound to, on folders of the node. */
function volumes(namespace: string, folders: Record<string, string>): object[] {
  const [capacity, accessModes] = [{ storage: "20Gi" }, ["ReadWriteMany"]];
  const resources = { requests: capacity };
  return Object.entries(folders).flatMap(([name, path]) => [
    {
      ...{ apiVersion: "v1", kind: "PersistentVolume" },
      metadata: { name: `${namespace}-${name}` },
      spec: { capacity, accessModes, hostPath: { path }, claimRef: { namespace, name } },
    },
    {
      ...{ apiVersion: "v1", kind: "PersistentVolumeClaim" },
      metadata: { name, namespace },
      spec: { accessModes, resources, volumeName: `${namespace}-${name}` },
    },
  ]);
}

test("CamVid, with data set, cache and what is left behind on volumes", async (context) => {
  if (!existsSync(CAMVID)) return context.skip(`there is no ${CAMVID}`);
  // The folders are this machine's: so must the node be.
  if (!isAudited()) return context.skip("the node is not on this machine");
  const space = await createSpace(context);
  await space.operator();
  const root = mkdtempSync(join(tmpdir(), "segnas-e2e-volumes-"));
  const folders = { "segnas-cache": join(root, "cache"), "segnas-artifacts": join(root, "artifacts") };
  for (const folder of Object.values(folders)) {
    mkdirSync(folder);
    chmodSync(folder, 0o777);
  }
  const claims = volumes(space.namespace, { ...folders, camvid: CAMVID });
  context.after(async () => {
    const names = [...Object.keys(folders), "camvid"].map((name) => `${space.namespace}-${name}`);
    await kubectl(["delete", "persistentvolume", "--wait=false", ...names]);
    rmSync(root, { recursive: true, force: true });
  });

  const search = example("camvid-cluster").find(isSearch)!;
  const { spec } = search.spec.trialTemplate!;
  const trainer = {
    ...spec!.containers[0]!,
    image: TRAINER_IMAGE,
    resources: {
      requests: { cpu: "100m", memory: "1Gi" },
      limits: { "nvidia.com/gpu": 1, memory: "6Gi" },
    },
  };
  const start = performance.now();
  await space.apply(...claims, {
    ...search,
    spec: {
      ...search.spec,
      ...{ maxTrials: 2, parallelism: 2 },
      training: {
        ...search.spec.training,
        crop: { height: 96, width: 96 },
        stage0: { epochs: 1, batchSize: 8 },
        stage1: { epochs: 1, batchSize: 8 },
      },
      trialTemplate: { spec: { ...spec, containers: [trainer] } },
    },
  });
  const { status } = await space.condition("camvid", "Complete", HOUR);
  context.diagnostic(
    `${((performance.now() - start) / 1000).toFixed(0)} s, best ${JSON.stringify(status?.best)}`,
  );
  assert.equal(status?.trials?.succeeded, 2);
  assert.deepEqual(await space.findings("camvid"), []);
  for (const name of ["camvid-0", "camvid-1"]) {
    const left = readdirSync(join(folders["segnas-artifacts"], name));
    for (const file of ["weights.safetensors", "curve.jsonl", "predictions", "pictures"])
      assert.ok(left.includes(file), `${name} left ${left}`);
  }
  // Both share it.
  const cached = readdirSync(folders["segnas-cache"]);
  assert.ok(cached.length > 0);
  context.diagnostic(`in the cache: ${cached}`);
});
