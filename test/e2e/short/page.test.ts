// The page of an operator in the cluster: whoever may port-forward to its pod sees it; where it has a Service, each sees
// what their token lets them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import type { ListDocument } from "@segnas/operator/web/page/documents.ts";
import { kubectlProgram } from "../../cluster/build.ts";
import { OPERATOR_IMAGE } from "../cluster.ts";
import { CHART, imageValues, runHelm } from "../operator.ts";
import { createSpace, pretendSearch, type Space } from "../space.ts";

/** An operator with a search that stands still, which costs the node nothing. */
async function install(context: TestContext, ...more: string[]): Promise<Space> {
  const space = await createSpace(context);
  const values = [
    ...["scope=Namespace", "crds.install=false", "aggregatedRoles.create=false"],
    ...["resources.requests.cpu=20m", ...imageValues("image", OPERATOR_IMAGE), ...more],
  ];
  // What lies outside the namespace does not go with it.
  context.after(() => runHelm(space.namespace, "uninstall", "segnas"));
  await space.apply(pretendSearch("s", { suspend: true }));
  await runHelm(space.namespace, "install", "segnas", CHART, "--wait", "--set", values.join(","));
  return space;
}

/** Asks the page behind `target` for a path, as the owner of a token if there is one. */
async function forwarded(context: TestContext, { namespace }: Space, target: string, port: number) {
  const child = spawn(await kubectlProgram(), ["port-forward", "-n", namespace, target, `:${port}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill());
  for await (const line of createInterface(child.stdout)) {
    const local = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (local === undefined) continue;
    return async (path: string, token?: string) => {
      const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
      const response = await fetch(`http://127.0.0.1:${local}${path}`, { headers });
      return { status: response.status, document: (await response.json()) as unknown };
    };
  }
  throw new Error(`kubectl port-forward ${target} has ended`);
}

const names = (list: unknown): string[] => (list as ListDocument).searches.map(({ name }) => name);

/** A token of a new ServiceAccount. */
async function tokenOf(space: Space, account: string): Promise<string> {
  await space.kubectl("create", "serviceaccount", account);
  return (await space.kubectl("create", "token", account)).trim();
}

test("the page", { concurrency: true }, async (context) => {
  const alone = context.test("in the pod alone", async (context) => {
    const space = await install(context);
    const ask = await forwarded(context, space, "deployment/segnas", 8081);
    const { status, document } = await ask("/api/searches");
    assert.deepEqual([status, names(document)], [200, ["s"]]);
  });
  const served = context.test("behind a Service", async (context) => {
    const space = await install(context, "page.service.enabled=true");
    const ask = await forwarded(context, space, "service/segnas-page", 80);
    const [reader, stranger] = [await tokenOf(space, "reader"), await tokenOf(space, "stranger")];
    await space.kubectl(
      "create",
      "role",
      "reader",
      "--verb=list",
      "--resource=architecturesearches.segnas.dev",
    );
    const account = `--serviceaccount=${space.namespace}:reader`;
    await space.kubectl("create", "rolebinding", "reader", "--role=reader", account);
    const place = `/api/searches/${space.namespace}/s`;

    for (const token of [undefined, "none.of.this"])
      assert.equal((await ask("/api/searches", token)).status, 401);
    const nothing = await ask("/api/searches", stranger);
    assert.deepEqual([nothing.status, names(nothing.document)], [200, []]);
    assert.equal((await ask(place, stranger)).status, 403);
    const all = await ask("/api/searches", reader);
    assert.deepEqual([all.status, names(all.document)], [200, ["s"]]);
    assert.equal((await ask(place, reader)).status, 200);
    const log = await space.kubectl("logs", "deployment/segnas");
    for (const token of [reader, stranger]) assert.ok(!log.includes(token));
  });
  await Promise.all([alone, served]);
});
