// Where the cluster is and who we are, in a pod.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@segnas/operator/kube/client.ts";
import { podAccess } from "@segnas/operator/kube/pod.ts";

test("outside of a cluster there is none", () => {
  assert.equal(
    podAccess({}, () => new Date()),
    undefined,
  );
});

test("in a pod the ServiceAccount says who it is; its token is read anew, and one agent serves all", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "segnas-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  write("ca.crt", "");
  write("namespace", "team");
  write("token", "first\n");
  let time = Date.parse("2026-01-01T00:00:00Z");
  const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
  const access = podAccess(env, () => new Date(time), folder)!;
  assert.equal(access.getCurrentCluster()?.server, "https://[fd00::1]:6443");
  assert.equal(createClient(access).namespace, "team");
  const ask = async (): Promise<RequestOptions> => {
    const options: RequestOptions = { headers: { accept: "x" } };
    await access.applyToHTTPSOptions(options);
    return options;
  };
  const first = await ask();
  assert.deepEqual(first.headers, { accept: "x", authorization: "Bearer first" });
  write("token", "second");
  assert.deepEqual((await ask()).headers, first.headers);
  time += 61_000;
  const later = await ask();
  assert.deepEqual(later.headers, { accept: "x", authorization: "Bearer second" });
  assert.equal(later.agent, first.agent);
});
