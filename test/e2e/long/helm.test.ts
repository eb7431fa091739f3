// The operator in the cluster, by Helm 3 and 4: installed by an earlier chart, upgraded while a search runs, two
// replicas of which the leader is lost, and uninstalled, which takes nobody's search away.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Pod } from "@segnas/operator/api/store.ts";
import { run, succeeds } from "../../cluster/machine.ts";
import { client, kubectl, OPERATOR_IMAGE, TRAINER_IMAGE } from "../cluster.ts";
import { CHART, type Helm, helmProgram, imageValues } from "../operator.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

/** The commit of the earliest chart with all that a search needs. */
const EARLIER = "d9532a6";
const TAKEOVER_SECONDS = 20;

const values = [
  ...["scope=Namespace", "crds.install=false", "aggregatedRoles.create=false", "resources.requests.cpu=20m"],
  ...[...imageValues("image", OPERATOR_IMAGE), ...imageValues("trainer.image", TRAINER_IMAGE)],
];

/** The pods of operators that are ready, by UID. */
async function operators(space: Space): Promise<Map<string, string>> {
  const { items } = await client.request<{ items: Pod[] }>({
    path: `/api/v1/namespaces/${space.namespace}/pods`,
    query: { labelSelector: "app.kubernetes.io/component=operator" },
  });
  const ready = items.filter(({ metadata, status }) => {
    const condition = status?.conditions?.find(({ type }) => type === "Ready");
    return condition?.status === "True" && !metadata.deletionTimestamp;
  });
  return new Map(ready.map(({ metadata }) => [metadata.uid!, metadata.name]));
}

/** The UID of the pod that leads. */
async function leader(space: Space): Promise<string | undefined> {
  const { spec } = await client.request<{ spec: { holderIdentity?: string } }>({
    path: `/apis/coordination.k8s.io/v1/namespaces/${space.namespace}/leases/segnas-operator`,
  });
  return spec.holderIdentity;
}

/** Proves that this Helm takes the chart as it is, and the API server what comes of it. */
async function proveChart(run: Helm, namespace: string): Promise<void> {
  await run(namespace, "lint", CHART, "--strict");
  const yaml = await run(namespace, "template", "segnas", CHART, "--set", values.join(","));
  await kubectl(["apply", "--dry-run=server", "-n", namespace, "-f", "-"], yaml);
}

for (const name of ["helm", "helm3"] as const)
  test(`${name}: installed, upgraded, its leader lost, and uninstalled with a search running`, async (context) => {
    if (!succeeds("git", ["cat-file", "-e", EARLIER])) return context.skip(`git knows no commit ${EARLIER}`);
    const helm = await helmProgram(name);
    const folder = mkdtempSync(join(tmpdir(), "segnas-chart-"));
    context.after(() => rmSync(folder, { recursive: true }));
    run("git", ["archive", "--output", join(folder, "chart.tar"), EARLIER, "charts/segnas"]);
    run("tar", ["-xf", join(folder, "chart.tar"), "-C", folder]);
    const space = await createSpace(context);
    const chart = (path: string, replicas: number, ...more: string[]) => [
      ...["segnas", path, "--wait", "--timeout", "5m"],
      ...["--set", [...values, `replicas=${replicas}`, ...more].join(",")],
    ];
    await proveChart(helm, space.namespace);

    await helm(space.namespace, "install", ...chart(join(folder, "charts", "segnas"), 1));
    await space.apply(pretendSearch("s", { maxTrials: 60, parallelism: 3 }, { seconds: [1, 3] }));
    await space.training("s-3");
    const [before] = (await operators(space)).keys();

    // With the CRDs, which are another's until then.
    const taken = chart(CHART, 2, "crds.install=true");
    await helm(space.namespace, "upgrade", ...taken, "--take-ownership");
    await helm(space.namespace, "test", "segnas");
    const after = await operators(space);
    assert.equal(after.size, 2);
    assert.ok(!after.has(before!));
    await space.until("one of the new to lead", async () => after.has((await leader(space)) ?? ""));

    const lost = (await leader(space))!;
    const start = performance.now();
    await space.kubectl("delete", "pod", after.get(lost)!, "--force", "--grace-period=0");
    await space.until("another to lead", async () => {
      const holder = await leader(space);
      return holder !== "" && holder !== lost;
    });
    const seconds = (performance.now() - start) / 1000;
    context.diagnostic(`taken over after ${seconds.toFixed(1)} s`);
    assert.ok(seconds <= TAKEOVER_SECONDS, `${seconds} s`);

    const { status } = await space.condition("s", "Complete", 600);
    assert.equal(status?.trials?.succeeded, 60);
    assert.deepEqual(await space.findings("s"), []);
    // None of it cost a trial anything.
    for (const trial of await space.trials("s")) assert.equal(trial.status?.attempts?.length, 1);
    // The CRDs stay, and so do searches.
    await helm(space.namespace, "uninstall", "segnas", "--wait");
    assert.equal((await operators(space)).size, 0);
    assert.equal((await space.trials("s")).length, 60);
  });
