// Who may see what, as a stand-in for the API server says.
import assert from "node:assert/strict";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { createAccess } from "@segnas/operator/web/page/access.ts";
import { servePage } from "@segnas/operator/web/page/server.ts";
import { makeSearch } from "../controllers/objects.ts";
import { type Call, sendJson, startApiServer, status, until } from "../kube/api-server.ts";

/** Tokens, and the namespaces that their owners may list searches in. */
const RIGHTS: Record<string, string[]> = { admin: [""], ann: ["a"], bob: ["b"], nobody: [] };

function answer(call: Call): void {
  const { spec } = JSON.parse(call.body);
  if (call.path === "/apis/authentication.k8s.io/v1/tokenreviews") {
    const known = spec.token in RIGHTS;
    const user = { username: `${spec.token}@example`, uid: "7", groups: ["staff"], extra: { scopes: ["x"] } };
    sendJson(call, { status: known ? { authenticated: true, user } : { authenticated: false } }, 201);
    return;
  }
  assert.equal(call.path, "/apis/authorization.k8s.io/v1/subjectaccessreviews");
  const { resourceAttributes, user, ...rest } = spec;
  assert.deepEqual(rest, { uid: "7", groups: ["staff"], extra: { scopes: ["x"] } });
  const { namespace, ...what } = resourceAttributes;
  assert.deepEqual(what, { group: "segnas.dev", resource: "architecturesearches", verb: "list" });
  const allowed = RIGHTS[user.replace("@example", "")]!.includes(namespace);
  sendJson(call, { status: { allowed } }, 201);
}

/** The page of searches in namespaces a and b. */
async function serve(context: TestContext, answers = answer, now = () => 0) {
  const api = await startApiServer(context, answers);
  const made = makeSearch();
  const searches = ["a", "b"].map((namespace) => ({
    ...made,
    metadata: { ...made.metadata, namespace, uid: namespace },
  }));
  const failures: unknown[] = [];
  const server = await servePage({
    source: {
      searches: async () => searches,
      view: async ({ namespace }) => {
        const search = searches.find(({ metadata }) => metadata.namespace === namespace);
        return (
          search && { search, trials: [], entries: [], policy: [], running: [], events: [], isLive: true }
        );
      },
      commands: () => [],
      log: () => undefined,
      artifacts: () => ({ none: "" }),
    },
    host: "0.0.0.0",
    port: 0,
    access: createAccess(api.client, now),
    failed: (error) => failures.push(error),
  });
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const get = (path: string, token?: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) =>
      request(
        {
          ...{ host: "127.0.0.1", port, path, agent: false },
          headers: { host: "page.example", ...(token && { authorization: `Bearer ${token}` }) },
        },
        async (response) => resolve({ status: response.statusCode!, body: await text(response) }),
      )
        .on("error", reject)
        .end(),
    );
  const listed = async (token: string) =>
    JSON.parse((await get("/api/searches", token)).body).searches.map(
      (it: { namespace: string }) => it.namespace,
    );
  return { api, get, listed, failures };
}

test("each sees the namespaces that they may list, and no other", async (context) => {
  const { get, listed } = await serve(context);
  assert.deepEqual(await listed("admin"), ["a", "b"]);
  assert.deepEqual(await listed("ann"), ["a"]);
  assert.deepEqual(await listed("nobody"), []);
  const of = async (namespace: string, token: string) =>
    (await get(`/api/searches/${namespace}/s`, token)).status;
  assert.deepEqual([await of("a", "ann"), await of("b", "ann"), await of("b", "admin")], [200, 403, 200]);
  // Whether there is such a namespace, or such a search in it, is not told either.
  assert.deepEqual([await of("none", "ann"), await of("none", "admin")], [403, 404]);
  for (const part of ["trials", "trials/0", "trials/0/pictures"])
    assert.equal((await get(`/api/searches/b/s/${part}`, "ann")).status, 403);
});

test("without a token that is good there is no data, but there is the page that asks for one", async (context) => {
  const { get } = await serve(context);
  for (const token of [undefined, "mallory", "ann bob", ""])
    for (const path of ["/api/searches", "/api/searches/a/s", "/api/searches/a/s/trials"])
      assert.equal((await get(path, token)).status, 401, `${path} ${token}`);
  assert.equal((await get("/")).status, 200);
});

test("the API server is asked once for what is asked many times, and again after a while", async (context) => {
  let now = 0;
  const { api, listed } = await serve(context, answer, () => now);
  await Promise.all([listed("ann"), listed("ann"), listed("ann")]);
  // The token; all namespaces, a, b.
  assert.equal(api.calls.length, 4);
  await listed("ann");
  assert.equal(api.calls.length, 4);
  RIGHTS.ann = [];
  now = 31_000;
  assert.deepEqual(await listed("ann"), []);
  RIGHTS.ann = ["a"];
  assert.equal(api.calls.length, 8);
});

test("where the operator may not ask nothing is shown, and the log says why", async (context) => {
  let isAllowed = false;
  const { get, failures } = await serve(context, (call) =>
    isAllowed ? answer(call) : sendJson(call, status(403, "Forbidden"), 403),
  );
  const { status: code, body } = await get("/api/searches", "ann");
  assert.equal(code, 500);
  assert.doesNotMatch(body, /Forbidden/);
  assert.match(String(failures[0]), /Forbidden, says the server/);
  // And that is not remembered.
  isAllowed = true;
  assert.equal((await get("/api/searches", "ann")).status, 200);
});

test("tokens that are tried out by the hundred are not all shown to the API server", async (context) => {
  const held: Call[] = [];
  const { api, get } = await serve(context, (call) => void held.push(call));
  const answers: { status: number; body: string }[] = [];
  const tries = Array.from({ length: 100 }, async (_, i) =>
    answers.push(await get("/api/searches", `token-${i}`)),
  );
  await until(() => answers.length === 92);
  for (const { status, body } of answers)
    assert.deepEqual(
      [status, JSON.parse(body).message],
      [503, "Too many tokens are being looked at: try again."],
    );
  assert.equal(held.length, 8);
  for (const call of held) answer(call);
  await Promise.all(tries);
  assert.deepEqual(
    answers.slice(92).map(({ status }) => status),
    Array(8).fill(401),
  );
  assert.equal(api.calls.length, 8);
});

test("a page for everybody is not served to other machines", async () => {
  const source = { searches: async () => [], view: async () => undefined };
  const rest = { commands: () => [], log: () => undefined, artifacts: () => ({ none: "" }) };
  const served = servePage({ source: { ...source, ...rest }, host: "0.0.0.0", port: 0, failed: () => {} });
  // Should it be served after all, it must not hold the tests up.
  served.then(
    (server) => server.close(),
    () => {},
  );
  await assert.rejects(served, /for everybody is served on 0\.0\.0\.0/);
});
