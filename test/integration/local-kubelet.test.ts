// Jobs as child processes: their environment, their limits and their ends.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type Job, keyOf, type Pod, type PodSpec, type Store } from "@segnas/operator/api/store.ts";
import { attemptJob } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { startKubelet } from "@segnas/operator/local/kubelet.ts";
import { openStore } from "@segnas/operator/local/store.ts";
import { createLogger } from "winston";
import { makeTrial } from "../unit/controllers/objects.ts";
import { newFolder, pretendTrainer, removeFolder, search } from "./local-fixtures.ts";
import type { Pretence } from "./pretend-trainer.ts";

const container = {
  name: "trainer",
  resources: { limits: { cpu: "1500m" } },
  env: [{ name: "OWN", value: "mine" }],
};
const template = { trialTemplate: { spec: { containers: [container] } } };

interface Place {
  store: Store;
  stateDir: string;
}

async function start(
  context: TestContext,
  pretence: Pretence,
  { gpus = 0, command = [process.execPath, pretendTrainer] } = {},
) {
  const stateDir = newFolder();
  const store = openStore(stateDir);
  const place: Place = { store, stateDir };
  const kubelet = await startKubelet({
    ...place,
    namespace: "default",
    logger: createLogger({ silent: true }),
    now: () => new Date(),
    trainer: { command, env: { PRETEND: JSON.stringify(pretence) } },
    gpus,
    failed: (error) => assert.fail(String(error)),
  });
  context.after(async () => {
    await kubelet.close();
    store.close();
    removeFolder(stateDir);
  });
  return place;
}

/** With fields of the pod's spec put in place of what is usual. */
async function submit({ store }: Place, index: number, spec: Partial<PodSpec> = {}): Promise<Job> {
  const job = attemptJob(search(template), makeTrial(index), 0);
  Object.assign(job.spec.template.spec, spec);
  return store.create<"Job">(job);
}

/** Resolves to the first pod of a Job that is as wanted. */
function pod(
  { store }: Place,
  job: Job,
  wanted: (status: NonNullable<Pod["status"]>) => boolean,
): Promise<Pod> {
  return new Promise((resolve) => {
    const unwatch = store.watch("Pod", ({ object }) => {
      if (object.metadata.name !== `${job.metadata.name}-pod` || !object.status || !wanted(object.status))
        return;
      unwatch();
      resolve(object);
    });
  });
}
const isOver = ({ phase }: NonNullable<Pod["status"]>) => phase === "Succeeded" || phase === "Failed";
const ended = (place: Place, job: Job) => pod(place, job, isOver);
const terminated = ({ status }: Pod) => status?.containerStatuses?.[0]?.state.terminated;
const said = ({ stateDir }: Place, job: Job) =>
  JSON.parse(readFileSync(join(stateDir, "logs", `${job.metadata.name}.log`), "utf8").split("\n")[0]!);

test("a Job becomes a process with the container's environment and as many threads as CPUs", async (context) => {
  const place = await start(context, { milliseconds: 0 });
  const job = await submit(place, 0);
  const over = await ended(place, job);
  assert.equal(over.status?.phase, "Succeeded");
  assert.equal(terminated(over)?.reason, "Completed");
  assert.equal(JSON.parse(terminated(over)!.message!).outcome, "Succeeded");
  assert.deepEqual(said(place, job), { attempt: 0, threads: "2", gpu: "", own: "mine" });
});

test("one trial a GPU: the next Job waits for one to be free, and a Job that is deleted frees it", async (context) => {
  const place = await start(
    context,
    { milliseconds: 0, misdeeds: { 0: ["hang"], 1: ["hang"] } },
    { gpus: 2 },
  );
  const jobs = [await submit(place, 0), await submit(place, 1), await submit(place, 2)];
  const running = (job: Job) => pod(place, job, ({ phase }) => phase === "Running");
  await Promise.all([running(jobs[0]!), running(jobs[1]!)]);
  assert.equal((await place.store.list("Pod", "default")).length, 2);
  const over = ended(place, jobs[2]!);
  await place.store.delete("Job", keyOf(jobs[1]!), { uid: jobs[1]!.metadata.uid! });
  assert.equal((await over).status?.phase, "Succeeded");
  assert.equal(said(place, jobs[2]!).gpu, "1");
  assert.equal(await place.store.get("Pod", { namespace: "default", name: "s-1-0-pod" }), undefined);
});

test("a memory limit of 0 is none", async (context) => {
  const until = newFolder();
  context.after(() => removeFolder(until));
  const place = await start(context, { milliseconds: 0, until });
  const containers = [{ ...container, resources: { limits: { memory: "0" } } }];
  const job = attemptJob(search({ trialTemplate: { spec: { containers } } }), makeTrial(0), 0);
  const over = ended(place, await place.store.create<"Job">(job));
  // The memory of a trainer is looked at each second.
  await wait(2200);
  writeFileSync(join(until, "s-0"), "");
  assert.equal(terminated(await over)?.reason, "Completed");
});

test("a pod past its deadline is ended, and says so", async (context) => {
  const place = await start(context, { milliseconds: 0, misdeeds: { 0: ["hang"] } });
  const over = await ended(place, await submit(place, 0, { activeDeadlineSeconds: 1 }));
  assert.equal(over.status?.reason, "DeadlineExceeded");
});

test("where no result was written, the end of the log is the message of an error", async (context) => {
  const place = await start(context, { milliseconds: 0, misdeeds: { 0: [3] } });
  const over = await ended(place, await submit(place, 0));
  assert.equal(terminated(over)?.exitCode, 3);
  assert.match(terminated(over)?.message ?? "", /something broke/);
});

test("a trainer that cannot be started fails its pod", async (context) => {
  const place = await start(context, { milliseconds: 0 }, { command: ["/no/such/program"] });
  const over = await ended(place, await submit(place, 0));
  assert.match(terminated(over)?.message ?? "", /could not be started: spawn \/no\/such\/program ENOENT/);
});
