// The Job of an attempt: the search's template with the operator's own fields laid on it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { attemptJob } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { makeJob, makeSearch, makeTrial } from "./objects.ts";

test("a Job is one attempt in a restricted pod without a token, with the trial in its environment", () => {
  const resources = { limits: { memory: "1Gi" } };
  const env = [
    { name: "A", value: "b" },
    { name: "SEGNAS_TRIAL", value: "mine" },
  ];
  const template = {
    metadata: { labels: { team: "x" } },
    spec: {
      nodeSelector: { gpu: "yes" },
      initContainers: [{ name: "fetch", securityContext: { runAsUser: 7 } }],
      containers: [{ name: "trainer", image: "i", resources, env }, { name: "side" }],
    },
  };
  const { metadata, spec } = makeJob(
    makeSearch({ trialTemplate: template, training: { timeLimitSeconds: 60 } }),
    makeTrial(3),
    2,
  );
  assert.equal(metadata.name, "s-3-2");
  assert.equal(metadata.ownerReferences?.[0]?.uid, "trial-3");
  assert.equal(spec.backoffLimit, 0);
  assert.equal(spec.podReplacementPolicy, "Failed");
  assert.partialDeepStrictEqual(spec.podFailurePolicy.rules, [
    { onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    { action: "FailJob", onExitCodes: { containerName: "trainer", operator: "In", values: [64, 65] } },
  ]);
  assert.equal(spec.template.metadata.labels?.team, "x");
  const pod = spec.template.spec;
  assert.partialDeepStrictEqual(pod, {
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    activeDeadlineSeconds: 3720,
    nodeSelector: { gpu: "yes" },
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  });
  const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
  const [trainer, side] = pod.containers;
  assert.deepEqual(trainer?.securityContext, { ...restricted, readOnlyRootFilesystem: true });
  assert.deepEqual(side?.securityContext, restricted);
  const terminationMessagePolicy = "FallbackToLogsOnError";
  assert.deepEqual(pod.initContainers, [
    { name: "fetch", terminationMessagePolicy, securityContext: { ...restricted, runAsUser: 7 } },
  ]);
  assert.partialDeepStrictEqual(trainer, {
    image: "i",
    resources,
    terminationMessagePolicy: "FallbackToLogsOnError",
  });
  const variables = Object.fromEntries(trainer!.env!.map(({ name, value }) => [name, value]));
  assert.equal(variables.A, "b");
  assert.partialDeepStrictEqual(JSON.parse(variables.SEGNAS_TRIAL!), {
    name: "s-3",
    dataset: { format: "Shapes" },
  });
  assert.equal(side?.env, undefined);
});

test("without a template the trainer is the operator's; a template's image, queue and /tmp are its own", () => {
  const trial = makeTrial(0);
  const own = attemptJob(makeSearch(), trial, 0, "trainer:1");
  const [container] = own.spec.template.spec.containers;
  assert.equal(container?.image, "trainer:1");
  assert.deepEqual(container?.volumeMounts, [{ name: "segnas-tmp", mountPath: "/tmp" }]);
  assert.deepEqual(own.spec.template.spec.volumes, [{ name: "segnas-tmp", emptyDir: {} }]);
  assert.equal(own.metadata.labels?.["kueue.x-k8s.io/queue-name"], undefined);
  const volumes = [{ name: "scratch", emptyDir: { medium: "Memory" } }];
  const volumeMounts = [{ name: "scratch", mountPath: "/tmp" }];
  const template = { spec: { volumes, containers: [{ name: "trainer", image: "i", volumeMounts }] } };
  const theirs = attemptJob(
    makeSearch({ trialTemplate: template, queueName: "gpus" }),
    trial,
    0,
    "trainer:1",
  );
  assert.equal(theirs.spec.template.spec.containers[0]?.image, "i");
  assert.deepEqual(theirs.spec.template.spec.containers[0]?.volumeMounts, volumeMounts);
  assert.equal(theirs.metadata.labels?.["kueue.x-k8s.io/queue-name"], "gpus");
});

test("a trainer takes as many threads as its container may use CPUs, unless the template says otherwise", () => {
  const environment = (container: object): Record<string, string | undefined> => {
    const template = { spec: { containers: [{ name: "trainer", ...container }] } };
    const job = attemptJob(makeSearch({ trialTemplate: template }), makeTrial(0), 0);
    return Object.fromEntries(
      job.spec.template.spec.containers[0]!.env!.map(({ name, value }) => [name, value]),
    );
  };
  const limits = (cpu: string | number) => ({ resources: { limits: { cpu } } });
  assert.equal(environment(limits("2500m")).TF_NUM_INTRAOP_THREADS, "3");
  assert.equal(environment(limits("100m")).OMP_NUM_THREADS, "1");
  assert.equal(environment({}).TF_NUM_INTRAOP_THREADS, undefined);
  const own = { ...limits(4), env: [{ name: "TF_NUM_INTRAOP_THREADS", value: "2" }] };
  assert.equal(environment(own).TF_NUM_INTRAOP_THREADS, "2");
  assert.equal(environment(own).TF_NUM_INTEROP_THREADS, "4");
});

test("what looks like a variable in the trial is left as it is", () => {
  const search = makeSearch({ dataset: { format: "Folder", path: "/data/$(HOME)", classes: 3 } });
  const { env } = attemptJob(search, makeTrial(0), 0).spec.template.spec.containers[0]!;
  const value = env!.find(({ name }) => name === "SEGNAS_TRIAL")!.value!;
  assert.ok(value.includes("/data/$$(HOME)"));
});
