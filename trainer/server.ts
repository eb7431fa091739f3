// Progress of a trial over HTTP: /progress as JSON, /metrics for Prometheus.
import { createServer, type Server } from "node:http";
import { Counter, Gauge, Registry } from "prom-client";
import type { Session } from "./training/session.ts";

/** Listens until closed. A port that is taken is reported and trained without: progress is not worth a trial. */
export async function serveProgress(
  session: Session,
  port: number,
  warn: (sentence: string) => void,
): Promise<Server> {
  const registry = new Registry();
  const own = { registers: [registry] };
  const images = new Counter({ name: "segnas_trainer_images_total", help: "Images trained on.", ...own });
  const steps = new Counter({ name: "segnas_trainer_steps_total", help: "Training steps taken.", ...own });
  const seconds = new Counter({
    name: "segnas_trainer_step_seconds_total",
    help: "Seconds spent in training steps.",
    ...own,
  });
  /** A gauge of what is null at first; then it has no value, where prom-client would say 0. */
  const known = (name: string, help: string, value: () => number | null): Gauge =>
    new Gauge({
      ...{ name, help, ...own },
      collect() {
        this.remove();
        const now = value();
        if (now !== null) this.set(now);
      },
    });
  known(
    "segnas_trainer_loss",
    "Loss of the last training step. Absent before the first.",
    () => session.progress.loss,
  );
  known(
    "segnas_trainer_mean_iou",
    "Mean IoU of the last validation. Absent before the first.",
    () => session.progress.meanIoU,
  );
  const epoch = new Gauge({ name: "segnas_trainer_epoch", help: "Epoch within the stage.", ...own });
  new Counter({
    name: "segnas_trainer_stage_seconds_total",
    help: "Seconds spent, by stage: Setup, WarmUp, Features, 0 (the decoder), 1 (everything), Validation.",
    labelNames: ["stage"],
    ...own,
    collect() {
      this.reset();
      for (const [stage, taken] of session.stageSeconds) this.inc({ stage: String(stage) }, taken);
    },
  });
  session.onStep = (_loss, took, size) => {
    images.inc(size);
    steps.inc();
    seconds.inc(took);
  };
  const server = createServer(async (request, response) => {
    // Whatever was asked for: "//" is no URL.
    const [pathname] = request.url!.split("?");
    if (pathname === "/progress") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(session.progress));
    } else if (pathname === "/metrics") {
      epoch.set(session.progress.epoch);
      response.setHeader("content-type", registry.contentType);
      response.end(await registry.metrics());
    } else {
      response.statusCode = 404;
      response.end("Here are /progress and /metrics.\n");
    }
  });
  await new Promise<void>((resolve) => {
    server.once("error", (error) => {
      warn(`progress is not served: ${error.message}`);
      resolve();
    });
    server.listen(port, resolve);
  });
  return server;
}
