// The client asks, waits when it is asked to, and says plainly what came of it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import {
  type ApiClient,
  ApiError,
  type ApiRequest,
  createClient,
  writesWhile,
} from "@segnas/operator/kube/client.ts";
import { loadKubeConfig } from "@segnas/operator/kube/kubeconfig.ts";
import { temporaryFolder } from "../local/folder.ts";
import { type Answer, configFor, sendJson, sendStatus, startApiServer, status, until } from "./api-server.ts";

const ok: Answer = (call) => sendJson(call, { fine: true });

test("a request's method, path, query, headers and body", async (context) => {
  const server = await startApiServer(context, ok);
  const answer = await server.client.request({
    method: "PATCH",
    path: "/apis/x/v1/things/a",
    query: { fieldManager: "segnas", force: true, limit: 5, labelSelector: "a=b,c" },
    body: { spec: "ü" },
    contentType: "application/apply-patch+yaml",
  });
  assert.deepEqual(answer, { fine: true });
  const { method, path, query, headers, body } = server.calls[0]!;
  assert.deepEqual([method, path, body], ["PATCH", "/apis/x/v1/things/a", '{"spec":"ü"}']);
  assert.deepEqual(query, { fieldManager: "segnas", force: "true", limit: "5", labelSelector: "a=b,c" });
  assert.equal(headers["content-type"], "application/apply-patch+yaml");
  assert.equal(headers["content-length"], "13");
});

test("a server's path, as a proxy of several clusters has one, comes before the request's", async (context) => {
  const server = await startApiServer(context, ok);
  await createClient(configFor(`${server.url}/k8s/clusters/c-1/`)).request({ path: "/api" });
  assert.equal(server.calls[0]?.path, "/k8s/clusters/c-1/api");
});

test("a server at an IPv6 address", async (context) => {
  const server = createServer((_, response) => response.end("{}"));
  server.listen(0, "::1");
  const failed = await Promise.race([
    once(server, "listening"),
    once(server, "error").catch((error) => error),
  ]);
  if (failed instanceof Error) return context.skip("no IPv6 here");
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(await createClient(configFor(`http://[::1]:${port}`)).request({ path: "/" }), {});
  server.closeAllConnections();
});

test("one connection for requests one after the other, as many as needed for those at once", async (context) => {
  const server = await startApiServer(context, (call) =>
    (call.path === "/no" ? sendStatus(404, "NotFound") : ok)(call),
  );
  for (let i = 0; i < 5; i++) await server.client.request({ path: "/" });
  for (let i = 0; i < 5; i++) await server.client.text({ path: "/" });
  for (let i = 0; i < 5; i++) for await (const _ of server.client.lines({ path: "/" }));
  for (let i = 0; i < 5; i++) await assert.rejects(server.client.request({ path: "/no" }));
  assert.equal(server.connections(), 1);
  await Promise.all(Array.from({ length: 4 }, () => server.client.request({ path: "/" })));
  assert.ok(server.connections() <= 4);
});

test("the server's no is an ApiError with its status, reason, message and the time to wait", async (context) => {
  const server = await startApiServer(context, [
    sendStatus(409, "AlreadyExists"),
    (call) => sendJson(call, status(422, "Invalid", { message: "spec.seed: Required value" }), 422),
    ({ response }) => response.writeHead(502).end("<html>Bad gateway</html>\n"),
    sendStatus(429, "TooManyRequests", { "retry-after": "12" }),
    (call) =>
      sendJson(call, status(503, "Unavailable"), 503, { "retry-after": "Wed, 25 Nov 2026 10:00:00 GMT" }),
  ]);
  const ask = () => server.client.text({ path: "/" });
  await assert.rejects(ask, new ApiError(409, "AlreadyExists", "AlreadyExists, says the server"));
  await assert.rejects(ask, new ApiError(422, "Invalid", "spec.seed: Required value"));
  await assert.rejects(ask, new ApiError(502, "", "the API server answered 502: <html>Bad gateway</html>"));
  await assert.rejects(ask, new ApiError(429, "TooManyRequests", "TooManyRequests, says the server", 12));
  await assert.rejects(ask, new ApiError(503, "Unavailable", "Unavailable, says the server"));
});

test("Retry-After: a request is made again, the whole of it, ten times at most; a watch and a text are not", async (context) => {
  const busy = sendStatus(429, "TooManyRequests", { "retry-after": "0" });
  const server = await startApiServer(context, [
    busy,
    sendStatus(500, "Timeout", { "retry-after": "0" }),
    ok,
  ]);
  const request = { method: "POST", path: "/", body: { name: "a" } } as const;
  assert.deepEqual(await server.client.request(request), { fine: true });
  assert.deepEqual(
    server.calls.map(({ method, body }) => `${method} ${body}`),
    Array(3).fill('POST {"name":"a"}'),
  );

  const always = await startApiServer(context, busy);
  await assert.rejects(always.client.request({ path: "/" }), { status: 429 });
  assert.equal(always.calls.length, 11);
  await assert.rejects(always.client.text({ path: "/" }), { status: 429 });
  await assert.rejects(always.client.lines({ path: "/" })[Symbol.asyncIterator]().next(), { status: 429 });
  assert.equal(always.calls.length, 13);

  const without = await startApiServer(context, sendStatus(429, "TooManyRequests"));
  await assert.rejects(without.client.request({ path: "/" }), { status: 429 });
  assert.equal(without.calls.length, 1);
});

test("a signal ends a request that waits for its answer, for its body, or for the time that the server asked for", async (context) => {
  for (const answer of [
    () => {},
    ({ response }) => response.writeHead(200).write('{"half":'),
    sendStatus(429, "TooManyRequests", { "retry-after": "3600" }),
  ] as Answer[]) {
    const server = await startApiServer(context, answer);
    const controller = new AbortController();
    const request = server.client.request({ path: "/", signal: controller.signal });
    await server.call(1);
    await wait(5);
    controller.abort();
    await assert.rejects(request);
    assert.equal(server.calls.length, 1);
  }
  const server = await startApiServer(context, ok);
  await assert.rejects(server.client.request({ path: "/", signal: AbortSignal.abort() }), {
    name: "AbortError",
  });
  assert.equal(server.calls.length, 0);
});

test("no answer, or none further, in the time that there is", async (context) => {
  const server = await startApiServer(
    context,
    [() => {}, ({ response }) => response.writeHead(200).write("{")],
    {
      timeoutMs: 50,
    },
  );
  const message = "GET /x: no answer in 0.05 s";
  await assert.rejects(server.client.request({ path: "/x" }), { message });
  await assert.rejects(server.client.request({ path: "/x" }), { message });
});

test("a server that is away, and an answer that breaks off, are errors", async (context) => {
  const server = await startApiServer(context, ({ response }) => {
    response.writeHead(200, { "content-length": "100" }).write('{"a":');
    setImmediate(() => response.destroy());
  });
  await assert.rejects(server.client.request({ path: "/" }), { code: "ECONNRESET" });
  await server.stop();
  await assert.rejects(server.client.request({ path: "/" }), { code: "ECONNREFUSED" });
});

test("lines: as they come; an answer that breaks off throws after its last whole line", async (context) => {
  const server = await startApiServer(context, ({ response }) =>
    response.writeHead(200).write("one\ntwo\r\nthr"),
  );
  const seen: string[] = [];
  await assert.rejects(
    async () => {
      for await (const line of server.client.lines({ path: "/" })) {
        seen.push(line);
        if (line === "two") server.breakAll();
      }
    },
    { code: "ECONNRESET" },
  );
  assert.deepEqual(seen, ["one", "two"]);
});

test("lines: a reader that stops gives the connection up, and one that is slow misses nothing", async (context) => {
  const server = await startApiServer(context, ({ response }) => {
    response.writeHead(200);
    for (let i = 0; i < 5000; i++) response.write(`${i}\n`);
  });
  for await (const _ of server.client.lines({ path: "/" })) break;
  await until(() => server.calls[0]!.response.destroyed);

  const seen: string[] = [];
  for await (const line of server.client.lines({ path: "/" })) {
    seen.push(line);
    if (seen.length % 500 === 0) await wait(1);
    if (seen.length === 5000) break;
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 5000 }, (_, i) => `${i}`),
  );
});

test("lines: an answer that breaks off while its reader is busy throws all the same", async (context) => {
  const server = await startApiServer(context, ({ response }) => {
    response.writeHead(200);
    for (let i = 0; i < 5000; i++) response.write(`${i}\n`);
  });
  let count = 0;
  await assert.rejects(
    async () => {
      for await (const line of server.client.lines({ path: "/" })) {
        assert.equal(line, `${count++}`);
        if (count === 10) server.breakAll();
        if (count % 100 === 0) await wait(1);
      }
    },
    { code: "ECONNRESET" },
  );
});

test("lines: a signal ends them, also between two lines", async (context) => {
  const server = await startApiServer(context, ({ response }) => response.writeHead(200).write("one\n"));
  const controller = new AbortController();
  const lines = server.client.lines({ path: "/", signal: controller.signal })[Symbol.asyncIterator]();
  assert.deepEqual(await lines.next(), { value: "one", done: false });
  const next = lines.next();
  controller.abort();
  await assert.rejects(next);
  await until(() => server.calls[0]!.response.destroyed);
});

test("each answer is observed once; code 0 where there is none", async (context) => {
  const codes: number[] = [];
  const observe = ({ code }: { code: number }) => codes.push(code);
  const unfinished: Answer = ({ response }) => response.writeHead(200).write("{");
  const breaksOff: Answer = (call) => {
    unfinished(call);
    // Once its beginning has come.
    until(() => codes.length === 3).then(() => call.response.destroy());
  };
  const answers = [ok, sendStatus(404, "NotFound"), breaksOff, () => {}, unfinished];
  const server = await startApiServer(context, answers, { observe });
  await server.client.request({ path: "/" });
  for (let i = 0; i < 2; i++) await assert.rejects(server.client.request({ path: "/" }));
  assert.deepEqual(codes, [200, 404, 200]);

  const hasty = createClient(configFor(server.url), { observe, timeoutMs: 50 });
  await assert.rejects(hasty.request({ path: "/" }));
  assert.deepEqual(codes, [200, 404, 200, 0]);
  await assert.rejects(hasty.request({ path: "/" }));
  // 200, or 0 where even its beginning took too long.
  assert.equal(codes.length, 5);
});

test("a token's file is read again once a minute, and no connection is made for it", async (context) => {
  const server = await startApiServer(context, ok);
  const file = join(temporaryFolder(context), "token");
  const user = { authProvider: { name: "tokenFile", config: { tokenFile: file } } };
  const client = createClient(configFor(server.url, user));
  context.mock.timers.enable({ apis: ["Date"] });
  for (const token of ["first", "second"]) {
    writeFileSync(file, token);
    await client.request({ path: "/" });
    context.mock.timers.tick(61_000);
  }
  assert.deepEqual(
    server.calls.map(({ headers }) => headers.authorization),
    ["Bearer first", "Bearer second"],
  );
  assert.equal(server.connections(), 1);
});

test("kubeconfig: what is wrong with it is said in a sentence", (context) => {
  const { KUBECONFIG = "", HOME } = process.env;
  context.after(() => Object.assign(process.env, { HOME, KUBECONFIG }));
  const folder = temporaryFolder(context);
  process.env.HOME = folder;
  process.env.KUBECONFIG = "";
  assert.throws(loadKubeConfig, { name: "UserError", message: /^kubeconfig: there is none; set KUBECONFIG/ });
  process.env.KUBECONFIG = join(folder, "config");
  assert.throws(loadKubeConfig, { name: "UserError", message: /^kubeconfig: cannot be read \(ENOENT/ });
  writeFileSync(process.env.KUBECONFIG, configFor("http://a.example").exportConfig());
  assert.equal(loadKubeConfig().getCurrentCluster()?.server, "http://a.example");
  const message = /^kubeconfig: it has no context other with a cluster/;
  assert.throws(() => loadKubeConfig("other"), { name: "UserError", message });
});

test("who may write only while something holds reads all the same", async () => {
  const asked: string[] = [];
  const client: ApiClient = {
    namespace: "n",
    request: async <T>({ method = "GET", path }: ApiRequest) => void asked.push(`${method} ${path}`) as T,
    text: async () => "",
    async *lines() {},
  };
  let holds = true;
  const own = writesWhile(client, () => holds);
  await own.request({ method: "POST", path: "/a" });
  holds = false;
  for (const method of ["POST", "PUT", "PATCH", "DELETE"] as const)
    await assert.rejects(own.request({ method, path: "/b" }), /the Lease is not held/);
  await own.request({ path: "/c" });
  assert.deepEqual(asked, ["POST /a", "GET /c"]);
});
