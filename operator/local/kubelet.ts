// The kubelet and the Job controller on one machine: a child process for each Job, a pod that tells how it fares.
import { type AddressInfo, createServer } from "node:net";
import type { Logger } from "winston";
import {
  controllerReference,
  isControlledBy,
  type Job,
  keyOf,
  NotFoundError,
  type Pod,
  type Store,
} from "../api/store.ts";
import { TRAINER } from "../controllers/candidatetrial/job.ts";
import { jobEnd } from "../controllers/candidatetrial/outcome.ts";
import { timestamp } from "../controllers/status.ts";
import { signalGroup, startOf } from "./process.ts";
import { startTrainer, type TrainerProcess } from "./trainer-process.ts";

export interface KubeletOptions {
  store: Store;
  namespace: string;
  logger: Logger;
  now: () => Date;
  stateDir: string;
  trainer: { command: string[]; env?: Record<string, string> };
  /** How many GPUs there are, one trial on each; 0: trials run on the CPU, however many there are. */
  gpus: number;
  /** Called with whatever goes wrong and is no trial's fault. */
  failed: (error: unknown) => void;
}

export interface Kubelet {
  /** Resolves when no child runs. */
  idle(): Promise<void>;
  /** Stops all children and resolves when they are gone. */
  close(): Promise<void>;
}

/** Where a pod's trainer serves its progress, on 127.0.0.1. */
export const PORT_ANNOTATION = "segnas.dev/port";
const RUNTIME = "process://";

/** Ends what a former process left running, whose pods are lost, and runs Jobs from now on. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { store, namespace, gpus, failed } = options;
  const waiting: Job[] = [];
  const running = new Map<string, { stop: () => void; kill: () => void; ended: Promise<void> }>();
  const freeGpus = Array.from({ length: gpus }, (_, gpu) => gpu);
  const ports = new Set<number>();

  function startWaiting(): void {
    while (waiting.length > 0 && (gpus === 0 || freeGpus.length > 0)) {
      const job = waiting.shift()!;
      const gpu = freeGpus.shift();
      let stopped = false;
      let trainer: TrainerProcess | undefined;
      const stop = () => {
        stopped = true;
        trainer?.stop();
      };
      const started = (process: TrainerProcess) => {
        trainer = process;
        if (stopped) process.stop();
      };
      const ended = runJob(options, ports, job, gpu, started)
        .catch(failed)
        .then(() => {
          running.delete(job.metadata.uid!);
          if (gpu !== undefined) freeGpus.push(gpu);
          startWaiting();
        });
      running.set(job.metadata.uid!, { stop, kill: () => trainer?.kill(), ended });
    }
  }

  function submit(job: Job): void {
    waiting.push(job);
    startWaiting();
  }

  // A trainer that is deaf to our going would outlive us.
  const killAll = () => {
    for (const { kill } of running.values()) kill();
  };
  process.on("exit", killAll);
  await loseFormer(options);
  const watches = [
    store.watch("Job", ({ type, object }) => {
      if (type === "ADDED") submit(object);
      if (type !== "DELETED") return;
      const place = waiting.findIndex(({ metadata }) => metadata.uid === object.metadata.uid);
      if (place >= 0) waiting.splice(place, 1);
      running.get(object.metadata.uid!)?.stop();
    }),
    store.watch("Pod", ({ type, object }) => {
      if (type !== "DELETED") return;
      for (const { uid } of object.metadata.ownerReferences ?? []) running.get(uid)?.stop();
    }),
  ];
  const pods = await store.list("Pod", namespace);
  for (const job of await store.list("Job", namespace)) {
    if (jobEnd(job)) continue;
    const pod = pods.find((pod) => isControlledBy(pod, job));
    // A former process was killed between the pod's end and the Job's. Where no pod was made nothing is lost.
    if (pod) await finishJob(store, job, pod.status?.phase === "Succeeded" ? "Complete" : "Failed", {});
    else submit(job);
  }

  const idle = async () => {
    while (running.size > 0) await Promise.all([...running.values()].map(({ ended }) => ended));
  };
  return {
    idle,
    async close() {
      for (const unwatch of watches) unwatch();
      waiting.length = 0;
      for (const { stop } of running.values()) stop();
      await idle();
      process.off("exit", killAll);
    },
  };
}

/** A Job from its pod's making to its end. Whatever is deleted meanwhile is not written any more. */
async function runJob(
  options: KubeletOptions,
  ports: Set<number>,
  job: Job,
  gpu: number | undefined,
  started: (trainer: TrainerProcess) => void,
): Promise<void> {
  const port = await takePort(ports);
  try {
    await runPod(options, job, { port, gpu }, started);
  } finally {
    ports.delete(port);
  }
}

async function runPod(
  options: KubeletOptions,
  job: Job,
  { port, gpu }: { port: number; gpu: number | undefined },
  started: (trainer: TrainerProcess) => void,
): Promise<void> {
  const { store, now, trainer, stateDir, logger } = options;
  let pod: Pod;
  try {
    const latest = await store.get("Job", keyOf(job));
    if (latest?.metadata.uid !== job.metadata.uid) return;
    pod = await store.create<"Pod">(podOf(job, port));
    // It waits in no queue any more.
    const status = { ...latest!.status, startTime: timestamp(now()) };
    await store.updateStatus<"Job">({ ...latest!, status });
  } catch (error) {
    return ignoreGone(error);
  }
  const env = trainer.env ?? {};
  const process = startTrainer(job, { command: trainer.command, env, stateDir, port, gpu, now });
  const startedAt = now().toISOString();
  started(process);

  let timedOut: string | undefined;
  const { activeDeadlineSeconds } = job.spec.template.spec;
  const deadline =
    activeDeadlineSeconds &&
    setTimeout(
      () => {
        timedOut = `it took longer than ${activeDeadlineSeconds} s`;
        process.stop();
      },
      Math.min(activeDeadlineSeconds * 1000, 2 ** 31 - 1),
    );

  const start = process.pid && (await startOf(process.pid));
  const containerID = `${RUNTIME}${process.pid}/${start}`;
  const status = (state: Required<NonNullable<Pod["status"]>>["containerStatuses"][number]["state"]) => ({
    podIP: "127.0.0.1",
    containerStatuses: [{ name: TRAINER, containerID, state }],
  });
  try {
    pod = await store.updateStatus<"Pod">({
      ...pod,
      status: { phase: "Running", ...status({ running: { startedAt } }) },
    });
  } catch (error) {
    ignoreGone(error);
  }
  const terminated = await process.ended;
  clearTimeout(deadline || undefined);
  const phase = terminated.exitCode === 0 ? "Succeeded" : "Failed";
  const { exitCode, reason } = terminated;
  logger.debug("process ended", { job: job.metadata.name, exitCode, reason });
  const why = timedOut && exitCode !== 0 ? { reason: "DeadlineExceeded", message: timedOut } : {};
  let end: "Complete" | "Failed" = phase === "Succeeded" ? "Complete" : "Failed";
  try {
    await store.updateStatus<"Pod">({ ...pod, status: { phase, ...why, ...status({ terminated }) } });
  } catch (error) {
    ignoreGone(error);
    // Whatever came of a pod that was deleted, nobody can read it.
    end = "Failed";
  }
  await finishJob(store, job, end, why).catch(ignoreGone);
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}

/** What was running in a former process: it is ended if it still runs, and its pod says that it is lost. */
async function loseFormer({ store, namespace, logger }: KubeletOptions): Promise<void> {
  const jobs = await store.list("Job", namespace);
  for (const pod of await store.list("Pod", namespace)) {
    const { phase, containerStatuses } = pod.status ?? {};
    if (phase === "Succeeded" || phase === "Failed") continue;
    const [, pid, start] = /^process:\/\/(\d+)\/(.+)$/.exec(containerStatuses?.[0]?.containerID ?? "") ?? [];
    if (pid && (await startOf(Number(pid))) === start) signalGroup(Number(pid), "SIGKILL");
    const message = "the process that ran it ended before it did";
    logger.info("pod lost", { pod: pod.metadata.name });
    await store.updateStatus<"Pod">({
      ...pod,
      status: { ...pod.status, phase: "Failed", reason: "NodeLost", message },
    });
    const job = jobs.find(({ metadata }) => metadata.uid === pod.metadata.ownerReferences?.[0]?.uid);
    if (job && !jobEnd(job)) await finishJob(store, job, "Failed", { reason: "NodeLost", message });
  }
}

async function finishJob(
  store: Store,
  job: Job,
  type: "Complete" | "Failed",
  why: { reason?: string; message?: string },
): Promise<void> {
  const latest = await store.get("Job", keyOf(job));
  if (latest?.metadata.uid !== job.metadata.uid) return;
  const conditions = [{ type, status: "True" as const, ...why }];
  await store.updateStatus<"Job">({ ...latest!, status: { ...latest?.status, conditions } });
}

function podOf(job: Job, port: number): Pod {
  const { namespace, name } = keyOf(job);
  const { metadata, spec } = job.spec.template;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-pod`,
      namespace,
      labels: { ...metadata.labels, "batch.kubernetes.io/job-name": name },
      annotations: { ...metadata.annotations, [PORT_ANNOTATION]: String(port) },
      ownerReferences: [controllerReference(job)],
    },
    spec,
  };
}

/** A port that nobody listens on, and that no other trial was given: one that starts does not listen yet. */
async function takePort(taken: Set<number>): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
