// What Prometheus gets of a trainer: nothing that is not known yet.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { serveProgress } from "@segnas/trainer/server.ts";
import { Session } from "@segnas/trainer/training/session.ts";

test("loss and mean IoU are absent until there is one, then the last", async (context) => {
  const session = new Session("t", undefined);
  const server = await serveProgress(session, 0, assert.fail);
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  /** The value of a metric of the trainer that is there, and has no labels. */
  const served = async (): Promise<Record<string, number>> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const lines = text.matchAll(/^segnas_trainer_(loss|mean_iou|images_total|epoch) (\S+)$/gm);
    return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
  };

  session.enter(0, 1, 2, 2);
  assert.deepEqual(await served(), { images_total: 0, epoch: 1 });
  await session.step(1.5, 4);
  assert.deepEqual(await served(), { images_total: 4, epoch: 1, loss: 1.5 });
  session.progress.meanIoU = 0.25;
  session.enter(0, 2, 2, 2);
  await session.step(0, 4);
  assert.deepEqual(await served(), { images_total: 8, epoch: 2, loss: 0, mean_iou: 0.25 });
  session.progress.meanIoU = 0;
  assert.deepEqual(await served(), { images_total: 8, epoch: 2, loss: 0, mean_iou: 0 });
});
