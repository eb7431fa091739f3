// The commands that read a cluster, as processes: kubectl's options, what an API server may answer, and kubectl's name.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeSearch } from "../controllers/objects.ts";
import { type Answer, sendJson, startApiServer, status } from "../kube/api-server.ts";

const MAIN = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "segnas-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const plugin = join(folder, "kubectl-segnas");
symlinkSync(MAIN, plugin);

/** A kubeconfig with the contexts here (namespace mine) and elsewhere. */
function kubeconfig(server: string): string {
  const file = join(folder, `config-${server.replace(/\W/g, "-")}`);
  const cluster = { server, "insecure-skip-tls-verify": true };
  const context = (namespace: string) => ({ cluster: "c", user: "u", namespace });
  writeFileSync(
    file,
    JSON.stringify({
      "current-context": "here",
      clusters: [{ name: "c", cluster }],
      contexts: [
        { name: "here", context: context("mine") },
        { name: "elsewhere", context: context("other") },
      ],
      users: [{ name: "u", user: {} }],
    }),
  );
  return file;
}

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function run(args: string[], { main = MAIN, ...env }: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const environment = { ...process.env, SEGNAS_DEBUG: "", ...env };
    execFile(process.execPath, [main, ...args], { cwd: folder, env: environment }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

const named = (name: string, namespace: string) => {
  const search = makeSearch();
  const metadata = { ...search.metadata, name, namespace, creationTimestamp: new Date().toISOString() };
  return { ...search, metadata };
};
const there = [named("first", "mine"), named("second", "mine"), named("third", "other")];

/** An API server with three searches in two namespaces, and nothing else. */
const searches: Answer = (call) => {
  const [, namespace, plural, name] =
    /^\/apis\/[^/]+\/[^/]+(?:\/namespaces\/([^/]+))?\/(\w+)(?:\/(.+))?$/.exec(call.path) ?? [];
  const items = there.filter(
    ({ metadata }) =>
      plural === "architecturesearches" && (namespace ?? metadata.namespace) === metadata.namespace,
  );
  if (name === undefined) return sendJson(call, { metadata: {}, items });
  const found = items.find(({ metadata }) => metadata.name === name);
  sendJson(call, found ?? status(404, "NotFound"), found ? 200 : 404);
};

test("searches are listed of the context's namespace, of another, or of all", async (context) => {
  const { url } = await startApiServer(context, searches);
  const config = ["--kubeconfig", kubeconfig(url)];
  const namesOf = async (...args: string[]) => {
    const { stdout, stderr } = await run(["status", ...config, ...args, "-o", "json"]);
    assert.equal(stderr, "");
    return JSON.parse(stdout).map(({ name }: { name: string }) => name);
  };
  assert.deepEqual(await namesOf(), ["first", "second"]);
  assert.deepEqual(await namesOf("--context", "elsewhere"), ["third"]);
  assert.deepEqual(await namesOf("-n", "other"), ["third"]);
  assert.deepEqual(await namesOf("-A"), ["first", "second", "third"]);
  const none = await run(["status", ...config, "-n", "empty"]);
  assert.match(
    none.stdout,
    /^There are no searches in namespace empty \(-A shows.*kubectl -n empty apply -f search\.yaml\n$/,
  );
});

test("one is shown with its empty states, by the name that kubectl calls the program", async (context) => {
  const { url } = await startApiServer(context, searches);
  const env = { KUBECONFIG: kubeconfig(url), main: plugin };
  const { stdout, stderr } = await run(["status", "first"], env);
  assert.equal(stderr, "");
  assert.match(stdout, /^first in namespace mine: New\n {2}no operator has taken it up yet/);
  assert.match(stdout, /\nBest +no reward yet\n/);
  const absent = await run(["report", "frist"], env);
  assert.equal(absent.stderr, "there is no search frist in namespace mine; those there are first, second\n");
  const elsewhere = await run(["watch", "first", "-n", "empty"], env);
  assert.match(
    elsewhere.stderr,
    /nor any other; elsewhere there are first \(-n mine\), second \(-n mine\), third/,
  );
  assert.match(
    (await run(["status", "--help"], env)).stdout,
    /^Usage: kubectl segnas status .*\n[\s\S]*kubectl segnas status -A\n/,
  );
});

for (const [type, reason, expected] of [
  ["Complete", "MaxTrialsReached", 0],
  ["Failed", "InvalidConfiguration", 1],
] as const)
  test(`watching ends with the search, and with exit code ${expected} where it is ${type}`, async (context) => {
    const [search] = there;
    const condition = (of: string, why: string) => ({
      conditions: [{ type: of, status: "True", reason: why, message: `because of ${why}` }],
      observedGeneration: 1,
    });
    let looks = 0;
    const { url } = await startApiServer(context, (call) => {
      if (!call.path.endsWith("/architecturesearches/first"))
        return sendJson(call, { metadata: {}, items: [] });
      // It is looked for, then seen stalled, and the API server stumbles once.
      looks++;
      if (looks === 3) return sendJson(call, status(503, "ServiceUnavailable"), 503);
      const now = looks < 4 ? condition("Stalled", "LedgerUnusable") : condition(type, reason);
      sendJson(call, { ...search, status: now });
    });
    const { code, stdout, stderr } = await run(["watch", "first", "--kubeconfig", kubeconfig(url)]);
    assert.deepEqual(stdout.split("\n").slice(0, 5), [
      "first is stalled: because of LedgerUnusable",
      "ServiceUnavailable, says the server; trying again.",
      "The API server answers again.",
      "",
      "first: 0 trials of 20 ended, 0 succeeded, 0 failed",
    ]);
    assert.equal(stderr, type === "Failed" ? "first failed: because of InvalidConfiguration\n" : "");
    assert.equal(code, expected);
  });

const forbidden =
  'architecturesearches.segnas.dev is forbidden: User "ann" cannot list resource "architecturesearches" in API group "segnas.dev" in the namespace "mine"';
const refusals: [string, number, object | string, RegExp][] = [
  [
    "segnas is not installed",
    404,
    "404 page not found\n",
    /^segnas is not installed in this cluster .*: helm install segnas charts\/segnas\n$/,
  ],
  [
    "a right is missing",
    403,
    status(403, "Forbidden", { message: forbidden }),
    /^ann may not list architecturesearches in namespace mine: ask for the role view there\n$/,
  ],
  [
    "nobody knows who asks",
    401,
    status(401, "Unauthorized"),
    / does not know who you are \(401\): log in to it/,
  ],
  ["the server is in trouble", 500, status(500, "InternalError"), /: InternalError, says the server\n$/],
];
for (const [what, code, body, says] of refusals)
  test(`where ${what}, a sentence says so`, async (context) => {
    const { url } = await startApiServer(context, (call) =>
      typeof body === "string" ? call.response.writeHead(code).end(body) : sendJson(call, body, code),
    );
    for (const args of [["status"], ["status", "first"], ["verify", "first"]]) {
      const { code: exit, stdout, stderr } = await run(args, { KUBECONFIG: kubeconfig(url) });
      assert.match(stderr, says);
      assert.deepEqual([exit, stdout, stderr.trimEnd().split("\n").length], [64, "", 1]);
    }
  });

test("where nothing answers, or nothing says where a cluster is, a sentence says so", async (context) => {
  const { url, stop } = await startApiServer(context, []);
  const config = kubeconfig(url);
  await stop();
  const cases: [string[], Record<string, string>, RegExp][] = [
    [
      [],
      { KUBECONFIG: config },
      /^http:\/\/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\): is the cluster up, and here the right context\?\n$/,
    ],
    [["--context", "nowhere"], { KUBECONFIG: config }, /^kubeconfig: it has no context nowhere/],
    [["--kubeconfig", "absent"], {}, /^kubeconfig: cannot be read \(ENOENT/],
    [[], { KUBECONFIG: "", HOME: folder }, /^kubeconfig: there is none; .* with --state\n$/],
    [["-n", "No_Name"], { KUBECONFIG: config }, /^--namespace No_Name: write the name of a namespace\n$/],
    [["-n", "mine", "--state", folder], {}, /cannot be used with option/],
    [["--state", folder], {}, /: holds no search; give the folder of one with --state\n$/],
  ];
  for (const [args, env, says] of cases) {
    const { code, stderr } = await run(["status", ...args], env);
    assert.match(stderr, says);
    assert.equal(code, 64);
  }
});
