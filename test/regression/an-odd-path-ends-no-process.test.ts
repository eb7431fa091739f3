// GET // on the metrics port killed the operator: that is no URL, and the error was nobody's to catch. The trainer's
// server had the same line.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { serve } from "@segnas/operator/web/server.ts";
import { serveProgress } from "@segnas/trainer/server.ts";
import { Registry } from "prom-client";

const servers = {
  operator: () => serve({ port: 0, registry: new Registry(), notReady: () => undefined }),
  trainer: () => serveProgress({ progress: {} } as Parameters<typeof serveProgress>[0], 0, assert.fail),
};
for (const [name, start] of Object.entries(servers))
  test(`the ${name} answers whatever is asked for`, async (context) => {
    const server = await start();
    context.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const path of ["//", "///metrics", "/%", "/?a=//"]) {
      const { status } = await fetch(`http://127.0.0.1:${port}${path}`);
      assert.equal(status, 404, path);
    }
  });
