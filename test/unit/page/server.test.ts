// The page's HTTP: what it answers, and what it does not.
import assert from "node:assert/strict";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { servePage } from "@segnas/operator/web/page/server.ts";
import type { PageSource, PageView } from "@segnas/operator/web/page/source.ts";
import { sampleUniform, toDecisions } from "@segnas/searchspace/decisions.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { random } from "@segnas/searchspace/random.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";
import { succeeded } from "../ledger/entries.ts";

const decisions = toDecisions(sampleUniform(random(5)));
const search = makeSearch();
const VIEW: PageView = {
  search,
  trials: [makeTrial(2)],
  entries: [succeeded(0, { decisions }), succeeded(1, { decisions, reward: 0.75 })],
  policy: [{ update: 1, entropy: 44, baseline: 0.5, entry: 1 }],
  running: [],
  events: [],
  isLive: true,
};

const PLAIN: Omit<PageSource, "searches" | "view"> = {
  commands: () => [],
  log: (_, job) => ({ shows: "its log", command: `cat ${job}` }),
  artifacts: () => ({ none: "They lie elsewhere." }),
};

async function serve(context: TestContext, source: Partial<PageSource> = {}) {
  const failures: unknown[] = [];
  const server = await servePage({
    source: {
      searches: async () => [search],
      view: async ({ name }) => (name === "s" ? VIEW : undefined),
      ...PLAIN,
      ...source,
    },
    host: "127.0.0.1",
    port: 0,
    failed: (error) => failures.push(error),
  });
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    failures,
    port,
    get: (path: string, headers: Record<string, string> = {}, method = "GET") =>
      new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) =>
        request({ host: "127.0.0.1", port, path, method, agent: false, headers }, async (response) =>
          resolve({ status: response.statusCode!, headers: response.headers, body: await text(response) }),
        )
          .on("error", reject)
          .end(),
      ),
  };
}

test("a list, a search and its trials are documents", async (context) => {
  const { get } = await serve(context);
  const document = async (path: string) => JSON.parse((await get(path)).body);
  const { searches } = await document("/api/searches");
  assert.deepEqual([searches.length, searches[0].name, searches[0].state], [1, "s", "New"]);
  const one = await document("/api/searches/default/s");
  assert.deepEqual([one.name, one.entries, one.drawn[0].trial], ["s", 2, "s-1"]);
  assert.match(one.drawn[0].svg, /^<svg/);
  const { rows, open, updates } = await document("/api/searches/default/s/trials?from=1");
  assert.deepEqual([rows.index, open.index, updates.entropy], [[1], [2], [1]]);
});

test("what is not there, and what would change anything, is refused in words", async (context) => {
  const { get } = await serve(context);
  const status = async (...args: Parameters<typeof get>) => {
    const { status, body } = await get(...args);
    return [status, JSON.parse(body).message];
  };
  assert.deepEqual(await status("/api/searches/default/other"), [
    404,
    "There is no search other in namespace default.",
  ]);
  for (const path of [
    "/api",
    "/api/searches/default",
    "/../package.json",
    "/modules/main.js",
    "/api/searches/%ff/s/x",
  ])
    assert.deepEqual(await status(path), [404, "There is nothing here."]);
  assert.equal((await status("/api/searches/default/s/trials?from=-1"))[0], 400);
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    assert.deepEqual(await status("/api/searches", {}, method), [405, "This page only reads: GET and HEAD."]);
});

test("another site's name that leads here is turned away", async (context) => {
  const { get, port } = await serve(context);
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example"])
    assert.equal((await get("/api/searches", { host })).status, 421);
  // kubectl port-forward takes any port.
  for (const host of ["localhost:9000", "127.0.0.1", "[::1]:80", "LOCALHOST:1"])
    assert.equal((await get("/api/searches", { host })).status, 200);
});

test("what has not changed is not sent again, and what is long is sent short", async (context) => {
  const { get } = await serve(context);
  const first = await get("/api/searches/default/s");
  const tag = String(first.headers.etag);
  const again = await get("/api/searches/default/s", { "if-none-match": tag });
  assert.deepEqual([again.status, again.body], [304, ""]);
  const zipped = await get("/api/searches/default/s", { "accept-encoding": "gzip" });
  assert.equal(zipped.headers["content-encoding"], "gzip");
  assert.ok(Number(zipped.headers["content-length"]) < Number(first.headers["content-length"]));
  const head = await get("/api/searches/default/s", {}, "HEAD");
  assert.deepEqual([head.status, head.body, head.headers.etag], [200, "", tag]);
});

test("every answer tells browsers to keep to this server", async (context) => {
  const { get } = await serve(context);
  for (const path of ["/", "/page.css", "/api/searches", "/nothing"]) {
    const { headers } = await get(path);
    assert.match(
      String(headers["content-security-policy"]),
      /^default-src 'none'; script-src 'self'; style-src 'self'/,
    );
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["access-control-allow-origin"], undefined);
  }
});

test("a fault is told to the log and not to the browser; what people can mend is told to both", async (context) => {
  let error = new Error("the disk at /secret is gone");
  const { get, failures } = await serve(context, {
    view: async () => {
      throw error;
    },
  });
  const path = "/api/searches/default/s";
  const { status, body } = await get(path);
  assert.equal(status, 500);
  assert.doesNotMatch(body, /secret/);
  assert.deepEqual(failures, [error]);
  error = new UserError("the ledger has a gap");
  assert.equal(JSON.parse((await get(path)).body).message, "the ledger has a gap");
});

test("a port that is taken is said so", async (context) => {
  const { port } = await serve(context);
  const taken = servePage({
    source: { searches: async () => [], view: async () => undefined, ...PLAIN },
    host: "127.0.0.1",
    port,
    failed: () => {},
  });
  await assert.rejects(taken, /^UserError: the page cannot listen on 127\.0\.0\.1:\d+ \(listen EADDRINUSE/);
});

test("a search made anew under the same name begins anew", async (context) => {
  let view: PageView = VIEW;
  const { get } = await serve(context, { view: async () => view });
  const settled = async () => JSON.parse((await get("/api/searches/default/s/trials")).body).settled;
  assert.equal(await settled(), 2);
  const metadata = { ...search.metadata, uid: "another" };
  view = { ...VIEW, search: { ...search, metadata }, entries: VIEW.entries.slice(0, 1) };
  assert.equal(await settled(), 1);
});
