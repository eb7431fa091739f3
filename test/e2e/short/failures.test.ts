// What goes wrong with trials, made to happen: what each counts as, and that its cause can be read.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { client, saysOf, TRAINER_IMAGE } from "../cluster.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

type Template = Parameters<typeof pretendSearch>[3];

/** How a trial and its attempts ended. */
async function ends(space: Space, trial: string) {
  const { attempts, result } = (await space.trial(trial))!.status!;
  return {
    attempts: attempts!.map(({ cause, message }) => (cause ? `${cause}: ${message}` : "good")),
    ...{ outcome: result!.outcome, cause: result!.cause, reward: result!.reward },
    says: saysOf((await space.trial(trial))!).join("; "),
  };
}

/** Until the kubelet of a busy machine has told why. */
const PENDING_SECONDS = 20;

/** A trial that waits for what never comes says so in its condition, and is given up after some seconds. */
async function waits(space: Space, name: string, template: Template, because: RegExp): Promise<void> {
  const spec = { maxTrials: 1, retries: 0, pendingTimeoutSeconds: PENDING_SECONDS };
  await space.apply(pretendSearch(name, spec, {}, template));
  await space.until(`${name}-0 to say what it waits for`, async () => {
    const trial = await space.trial(`${name}-0`);
    const says = trial ? saysOf(trial).join() : "";
    return says.startsWith("Progressing: Pending: ") && because.test(says);
  });
  await space.condition(name, "Failed");
  const { attempts, outcome, cause, reward, says } = await ends(space, `${name}-0`);
  assert.deepEqual([attempts.length, outcome, cause, reward], [1, "Failed", "Infrastructure", undefined]);
  assert.match(attempts[0]!, /^PendingTimeout: it did not begin within \d+ s: /);
  assert.match(attempts[0]!, because);
  assert.match(says, /^Failed: Infrastructure: /);
  assert.match(says, because);
  await space.until("its Job to go", async () =>
    (await space.list("Job")).every(({ metadata }) => metadata.name !== `${name}-0-0`),
  );
}

test("what a trainer and its pod can come to", { concurrency: true }, async (context) => {
  const space = await createSpace(context);
  await space.operator();

  const rows: Record<string, () => Promise<void>> = {
    async "exit codes and results"() {
      const misdeeds = {
        ...{ 0: [65], 1: ["nan" as const], 2: [1], 3: [75] },
        ...{ 4: ["empty" as const], 5: ["odd" as const] },
      };
      const spec = { maxTrials: 7, parallelism: 7, rewardOrder: "Completion", retries: 1 };
      await space.apply(pretendSearch("codes", spec, { misdeeds }));
      const { status } = await space.condition("codes", "Complete");
      assert.deepEqual([status?.trials?.succeeded, status?.trials?.failed], [5, 2]);
      const failed = { outcome: "Failed", cause: "NonFiniteLoss", reward: "0" };
      assert.deepEqual(await ends(space, "codes-0"), {
        ...failed,
        attempts: ["NonFiniteLoss: the loss is NaN in epoch 1"],
        says: "Failed: NonFiniteLoss: the loss is NaN in epoch 1",
      });
      assert.deepEqual(await ends(space, "codes-1"), {
        ...failed,
        attempts: ["NonFiniteLoss: the reward is not a finite number"],
        says: "Failed: NonFiniteLoss: the reward is not a finite number",
      });
      const again = async (index: number) => (await ends(space, `codes-${index}`)).attempts;
      assert.deepEqual(await again(2), ["Error: exit code 1: something broke", "good"]);
      assert.deepEqual(await again(3), ["TryAgain: something broke", "good"]);
      assert.deepEqual(await again(4), [
        "InvalidResult: exit code 0, but the trainer wrote no result",
        "good",
      ]);
      assert.deepEqual(await again(5), [
        "InvalidResult: exit code 0, but in the result parameters must be a whole number from 0 on, not -1.5",
        "good",
      ]);
      assert.deepEqual(await again(6), ["good"]);
      assert.deepEqual(await space.findings("codes"), []);
    },
    async "every attempt fails"() {
      const spec = { maxTrials: 1, retries: 1 };
      await space.apply(pretendSearch("broken", spec, { misdeeds: { all: [1, 139] } }));
      await space.condition("broken", "Failed");
      const { attempts, says, reward } = await ends(space, "broken-0");
      assert.equal(attempts.length, 2);
      assert.equal(reward, undefined);
      assert.equal(
        says,
        "Failed: Infrastructure: the infrastructure failed each of its 2 attempts, at last: Error: exit code 139: something broke",
      );
    },
    async "the trainer refuses the configuration"() {
      const spec = { maxTrials: 9, parallelism: 1 };
      await space.apply(pretendSearch("refused", spec, { misdeeds: { all: [64] } }));
      const search = await space.condition("refused", "Failed");
      assert.match(saysOf(search).join(), /^Failed: InvalidConfiguration: .*dataset\.path: no such folder/);
      assert.equal(search.status?.entries, 3);
      const { says } = await ends(space, "refused-0");
      assert.equal(says, "Failed: InvalidConfiguration: dataset.path: no such folder");
    },
    async "more memory than its limit"() {
      const container = { resources: { requests: { cpu: "10m" }, limits: { memory: "160Mi" } } };
      const spec = { maxTrials: 1, retries: 0 };
      await space.apply(pretendSearch("hog", spec, { misdeeds: { all: ["hog"] } }, { container }));
      await space.condition("hog", "Failed");
      assert.deepEqual(await ends(space, "hog-0"), {
        attempts: ["OutOfMemory: it used more memory than its limit"],
        ...{ outcome: "Failed", cause: "OutOfMemory", reward: "0" },
        says: "Failed: OutOfMemory: it used more memory than its limit",
      });
    },
    async eviction() {
      await space.apply(pretendSearch("evicted", { maxTrials: 1 }, { held: true }));
      await space.training("evicted-0");
      const { metadata } = (await space.podOf("evicted-0"))!;
      await client.request({
        method: "POST",
        path: `/api/v1/namespaces/${space.namespace}/pods/${metadata.name}/eviction`,
        body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: metadata.name } },
      });
      await space.until("the attempt to end", async () => {
        const attempts = (await space.trial("evicted-0"))?.status?.attempts ?? [];
        return attempts[0]?.endTime !== undefined;
      });
      await space.release("evicted-0");
      await space.condition("evicted", "Complete");
      const { attempts } = await ends(space, "evicted-0");
      assert.match(attempts[0]!, /^EvictionByEvictionAPI: /);
      assert.deepEqual(attempts.slice(1), ["good"]);
    },
    "an image that is not there": () =>
      waits(
        space,
        "image",
        { container: { image: "localhost/segnas/none:1" } },
        /container trainer: (ErrImagePull|ErrImageNeverPull|ImagePullBackOff): .*localhost\/segnas\/none:1/,
      ),
    "more GPUs than there are": () =>
      waits(
        space,
        "gpus",
        { container: { resources: { limits: { "nvidia.com/gpu": 99 } } } },
        /Unschedulable: .*Insufficient nvidia\.com\/gpu/,
      ),
    "a ServiceAccount that is not there": () =>
      waits(space, "account", { pod: { serviceAccountName: "nobody" } }, /serviceaccount "nobody" not found/),
    async "a trainer that hangs"() {
      const spec = { maxTrials: 1, retries: 0, progressDeadlineSeconds: 3 };
      await space.apply(pretendSearch("hangs", spec, { held: true }));
      await space.condition("hangs", "Failed");
      const { attempts } = await ends(space, "hangs-0");
      assert.deepEqual(attempts, ["ProgressDeadlineExceeded: its trainer has told no progress for 3 s"]);
    },
    async "an init container that fails"() {
      const fetch = {
        name: "fetch",
        image: TRAINER_IMAGE,
        command: ["node", "--eval", "console.error('no such bucket'); process.exit(3)"],
      };
      const spec = { maxTrials: 1, retries: 0 };
      await space.apply(pretendSearch("init", spec, {}, { pod: { initContainers: [fetch] } }));
      await space.condition("init", "Failed");
      const { attempts } = await ends(space, "init-0");
      assert.deepEqual(attempts, ["Error: init container fetch: exit code 3: no such bucket"]);
    },
    async "a field of the template that there is none of"() {
      await space.apply(pretendSearch("misspelt", { maxTrials: 9 }, {}, { pod: { toleration: [] } }));
      const search = await space.condition("misspelt", "Failed");
      assert.match(
        saysOf(search).join(),
        /^Failed: InvalidConfiguration: .*unknown field "spec\.template\.spec\.toleration"/,
      );
    },
    async "a Job that the API refuses"() {
      const container = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
      await space.apply(pretendSearch("invalid", { maxTrials: 9 }, {}, { container }));
      const search = await space.condition("invalid", "Failed");
      assert.match(saysOf(search).join(), /^Failed: InvalidConfiguration: .*volumeMounts\[0\].*"data"/);
      assert.match((await ends(space, "invalid-0")).says, /^Failed: InvalidConfiguration: .*volumeMounts/);
    },
  };
  await Promise.all(Object.entries(rows).map(([name, row]) => context.test(name, row)));
});

/** A namespace where there may be none of a resource. */
async function withoutAny(context: TestContext, resource: string): Promise<Space> {
  const space = await createSpace(context);
  const spec = { hard: { [resource]: "0" } };
  await space.apply({ apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "none" }, spec });
  await space.operator();
  return space;
}

test("a quota of no pods", async (context) => {
  const space = await withoutAny(context, "pods");
  await waits(space, "quota", {}, /FailedCreate: .*exceeded quota: none.*pods=0/);
});

test("a quota of no Jobs", async (context) => {
  const space = await withoutAny(context, "count/jobs.batch");
  await waits(space, "quota", {}, /its Job is not let in: .*exceeded quota: none/);
});
