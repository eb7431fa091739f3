// The reflector tells of all objects, whatever the server and the network do.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { ApiError } from "@segnas/operator/kube/client.ts";
import {
  REFLECTOR_TIMINGS,
  type Reflector,
  type ReflectorOptions,
  recovery,
  startReflector,
  WatchError,
} from "@segnas/operator/kube/reflector.ts";
import {
  type Answer,
  type ApiServer,
  bookmark,
  object,
  sendEvents,
  sendEventsAndEnd,
  sendList,
  sendStatus,
  startApiServer,
  status,
  type TestObject,
  until,
} from "./api-server.ts";

const PATH = "/apis/test/v1/things";

interface Reflected {
  server: ApiServer;
  reflector: Reflector;
  /** What it told, in words. */
  told: string[];
  /** Resolves when it has told that much. */
  tells(count: number): Promise<void>;
}

/** A reflector of a server that answers so, call by call; with waits of a millisecond. */
async function reflect(
  context: TestContext,
  answers: Answer | Answer[],
  options: Partial<ReflectorOptions<TestObject>> = {},
): Promise<Reflected> {
  const server = await startApiServer(context, answers);
  const told: string[] = [];
  const name = ({ metadata }: TestObject): string => `${metadata.name}@${metadata.resourceVersion}`;
  const reflector = startReflector<TestObject>({
    client: server.client,
    path: PATH,
    listed: (objects, version) => told.push(`listed at ${version}: ${objects.map(name).join(" ")}`),
    changed: (type, object) => told.push(`${type} ${name(object)}`),
    failed: (error) => told.push(`failed ${(error as Error).message}`),
    now: () => new Date(),
    random: () => 0,
    ...options,
    timings: { backoffMs: 1, longestBackoffMs: 4, ...options.timings },
  });
  context.after(() => reflector.close());
  const tells = (count: number): Promise<void> => until(() => told.length >= count);
  return { server, reflector, told, tells };
}

const added = (name: string, version: number) => ({ type: "ADDED", object: object(name, version) });
const modified = (name: string, version: number) => ({ type: "MODIFIED", object: object(name, version) });
const deleted = (name: string, version: number) => ({ type: "DELETED", object: object(name, version) });
const gone = { type: "ERROR", object: status(410, "Expired") };
const versions = ({ calls }: ApiServer) =>
  calls.map(({ query }) => (query.watch ? `watch ${query.resourceVersion}` : "list"));

test("a list, then a watch from its version; events are told in their order", async (context) => {
  const { server, reflector, told, tells } = await reflect(
    context,
    [
      sendList([object("a", 1), object("b", 2)], 7),
      sendEvents(added("c", 8), modified("a", 9), deleted("b", 10)),
    ],
    { query: { labelSelector: "x=y" }, random: () => 0.5 },
  );
  await tells(4);
  assert.deepEqual(told, ["listed at 7: a@1 b@2", "ADDED c@8", "MODIFIED a@9", "DELETED b@10"]);
  await reflector.synced;
  const [list, watch] = server.calls;
  assert.equal(list?.path, PATH);
  assert.deepEqual(list?.query, { labelSelector: "x=y", limit: "500" });
  assert.deepEqual(watch?.query, {
    labelSelector: "x=y",
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: "7",
    timeoutSeconds: "450",
  });
});

test("heard: undefined at first, then when the last list, event or bookmark came", async (context) => {
  let time = 0;
  const { server, reflector, tells } = await reflect(context, [() => {}, sendEvents()], {
    now: () => new Date(time),
  });
  const list = await server.call(1);
  assert.equal(reflector.heard(), undefined);
  time = 1000;
  sendList([], 1)(list);
  await reflector.synced;
  assert.deepEqual(reflector.heard(), new Date(1000));
  const { response } = await server.call(2);
  time = 2000;
  response.write(`${JSON.stringify(bookmark(5))}\n`);
  await until(() => reflector.heard()?.getTime() === 2000);
  time = 3000;
  response.write(`${JSON.stringify(added("a", 6))}\n`);
  await tells(2);
  assert.deepEqual(reflector.heard(), new Date(3000));
});

test("a long list comes in pages, and is told as one", async (context) => {
  const { server, told, tells } = await reflect(
    context,
    [sendList([object("a", 1)], 7, "more"), sendList([object("b", 2)], 7, "more still"), sendList(null, 7)],
    { timings: { pageSize: 1 } },
  );
  await tells(1);
  assert.deepEqual(told, ["listed at 7: a@1 b@2"]);
  await server.call(4);
  assert.deepEqual(
    server.calls.map(({ query }) => [query.limit, query.continue, query.resourceVersion]),
    [
      ["1", undefined, undefined],
      ["1", "more", undefined],
      ["1", "more still", undefined],
      [undefined, undefined, "7"],
    ],
  );
});

test("a list whose page has expired begins again; the third time without pages", async (context) => {
  const { server, told, tells } = await reflect(context, [
    sendList([object("old", 1)], 7, "more"),
    sendStatus(410, "Expired"),
    sendList([object("older", 1)], 8, "more"),
    sendStatus(410, "Expired"),
    sendList([object("a", 1)], 9),
  ]);
  await tells(1);
  assert.deepEqual(told, ["listed at 9: a@1"]);
  await server.call(6);
  assert.deepEqual(
    server.calls.map(({ query }) => query.limit),
    ["500", "500", "500", "500", undefined, undefined],
  );
});

test("a list that fails is made again, and nothing is told of it", async (context) => {
  const { told, tells } = await reflect(context, [
    sendStatus(500, "InternalError"),
    (call) => call.response.destroy(),
    sendStatus(403, "Forbidden"),
    sendList([object("a", 1)], 9),
  ]);
  await tells(4);
  assert.deepEqual(told, [
    "failed InternalError, says the server",
    "failed socket hang up",
    "failed Forbidden, says the server",
    "listed at 9: a@1",
  ]);
});

test("a watch that ends goes on from the last event or bookmark, and that is no failure", async (context) => {
  const { server, told } = await reflect(context, [
    sendList([], 7),
    sendEventsAndEnd(added("a", 8)),
    sendEventsAndEnd(bookmark(12)),
    sendEvents(),
  ]);
  await server.call(4);
  assert.deepEqual(versions(server), ["list", "watch 7", "watch 8", "watch 12"]);
  assert.deepEqual(told, ["listed at 7: ", "ADDED a@8"]);
});

test("a watch that breaks goes on from the last event; the server may be away for a while", async (context) => {
  const { server, told } = await reflect(context, [sendList([], 7), sendEvents(added("a", 8))]);
  await server.call(2);
  await until(() => told.length >= 2);
  await server.stop();
  await until(() => told.length >= 5);
  await server.start();
  await server.call(3);
  assert.deepEqual(versions(server), ["list", "watch 7", "watch 8"]);
  assert.match(told[2]!, /^failed aborted/);
  assert.match(told[4]!, /^failed .*ECONNREFUSED/);
});

test("a line that broke off is not told", async (context) => {
  const { server, told, tells } = await reflect(context, [sendList([], 7), sendEvents()]);
  const { response } = await server.call(2);
  response.write(JSON.stringify(added("a", 8)).slice(0, 30));
  await wait(5);
  server.breakAll();
  await server.call(3);
  await tells(2);
  assert.deepEqual(versions(server), ["list", "watch 7", "watch 7"]);
  assert.deepEqual(told, ["listed at 7: ", "failed aborted"]);
});

for (const [name, answer] of [
  ["a status", sendStatus(410, "Expired")],
  ["an event", sendEvents(gone)],
] as const)
  test(`410 as ${name}: it lists again`, async (context) => {
    const { server, told, tells } = await reflect(context, [
      sendList([object("a", 1)], 7),
      answer,
      sendList([object("b", 9)], 10),
    ]);
    await server.call(4);
    await tells(3);
    assert.deepEqual(versions(server), ["list", "watch 7", "list", "watch 10"]);
    assert.deepEqual(told, ["listed at 7: a@1", "failed Expired, says the server", "listed at 10: b@9"]);
  });

for (const code of [429, 500, 503])
  for (const [name, answer] of [
    ["a status", sendStatus(code, "Busy")],
    ["an event", sendEvents({ type: "ERROR", object: status(code, "Busy") })],
  ] as const)
    test(`${code} as ${name}: it watches on from the same version`, async (context) => {
      const { server, told } = await reflect(context, [sendList([], 7), answer]);
      await server.call(3);
      assert.deepEqual(versions(server), ["list", "watch 7", "watch 7"]);
      assert.deepEqual(told, ["listed at 7: ", "failed Busy, says the server"]);
    });

test("an ERROR event keeps the server's reason and the time that it asks for", async (context) => {
  const errors: unknown[] = [];
  const { server } = await reflect(
    context,
    [
      sendList([], 7),
      sendEvents({ type: "ERROR", object: status(503, "Busy", { details: { retryAfterSeconds: 3600 } }) }),
    ],
    { failed: (error) => errors.push(error) },
  );
  await until(() => errors.length > 0);
  assert.deepEqual(errors, [new ApiError(503, "Busy", "Busy, says the server", 3600)]);
  await wait(20);
  assert.equal(server.calls.length, 2, "it waits");
});

/** A clock of the test's own for what waits for silence, and for `now`. All other timers are as ever. */
function silenceClock(context: TestContext) {
  const { idleMs } = REFLECTOR_TIMINGS;
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  let time = 0;
  const due = new Map<object, { at: number; expire: () => void }>();
  context.mock.method(globalThis, "setTimeout", ((expire: () => void, ms: number, ...more: []) => {
    if (ms !== idleMs) return set(expire, ms, ...more);
    const timer = { refresh: () => void due.set(timer, { at: time + idleMs, expire }) };
    timer.refresh();
    return timer;
  }) as typeof setTimeout);
  context.mock.method(globalThis, "clearTimeout", ((timer: NodeJS.Timeout) => {
    if (!due.delete(timer)) clear(timer);
  }) as typeof clearTimeout);
  return {
    now: () => new Date(time),
    pass(milliseconds: number) {
      time += milliseconds;
      for (const [timer, { at, expire }] of due)
        if (at <= time) {
          due.delete(timer);
          expire();
        }
    },
  };
}

test("a watch that says nothing is dead: made again from the last version; the next time listed", async (context) => {
  const { now, pass } = silenceClock(context);
  const { server, told, tells, reflector } = await reflect(
    context,
    [sendList([], 7), sendEvents(), () => {}, sendList([object("a", 9)], 9)],
    { now },
  );
  const { response } = await server.call(2);
  pass(1);
  response.write(`${JSON.stringify(bookmark(8))}\n`);
  await until(() => reflector.heard()?.getTime() === 1);
  pass(REFLECTOR_TIMINGS.idleMs - 1);
  assert.deepEqual(told, ["listed at 7: "], "it is silent since the bookmark, for a moment too short");
  pass(1);
  await server.call(3);
  pass(REFLECTOR_TIMINGS.idleMs);
  await server.call(5);
  await tells(4);
  assert.deepEqual(versions(server), ["list", "watch 7", "watch 8", "list", "watch 9"]);
  const failure = `failed watch of ${PATH}: silent for 150 s`;
  assert.deepEqual(told, ["listed at 7: ", failure, failure, "listed at 9: a@9"]);
  // The dead connections were given up.
  assert.ok(server.calls[1]!.response.destroyed && server.calls[2]!.response.destroyed);
});

test("a watch that speaks up now and then is not silent", async (context) => {
  const { now, pass } = silenceClock(context);
  const { server, told, tells, reflector } = await reflect(context, [sendList([], 7), sendEvents()], { now });
  const { response } = await server.call(2);
  for (let i = 0; i < 20; i++) {
    pass(REFLECTOR_TIMINGS.idleMs - 1);
    response.write(`${JSON.stringify(bookmark(7))}\n`);
    await until(() => reflector.heard()?.getTime() === now().getTime());
  }
  assert.equal(server.calls.length, 2);
  assert.deepEqual(told, ["listed at 7: "]);
  pass(REFLECTOR_TIMINGS.idleMs);
  await tells(2);
});

test("a watch that ends at once without news is a failure: it lists again, and does not spin", async (context) => {
  let time = 0;
  const { server, told } = await reflect(
    context,
    (call) => (call.query.watch ? sendEventsAndEnd(bookmark(7)) : sendList([], 7))(call),
    { now: () => new Date(time++), timings: { backoffMs: 1, longestBackoffMs: 3_600_000 } },
  );
  await server.call(6);
  assert.deepEqual(versions(server).slice(0, 6), ["list", "watch 7", "list", "watch 7", "list", "watch 7"]);
  assert.equal(told[1], `failed watch of ${PATH}: ended at once, without an event`);
  // After the twentieth failure it would wait for nine minutes.
  await wait(100);
  assert.ok(server.calls.length < 40);
});

test("a quiet watch that ends in its time is no failure", async (context) => {
  let time = 0;
  const { server, told } = await reflect(
    context,
    (call) => {
      time += 10_000;
      (call.query.watch ? sendEventsAndEnd() : sendList([], 7))(call);
    },
    { now: () => new Date(time) },
  );
  await server.call(4);
  assert.deepEqual(versions(server).slice(0, 4), ["list", "watch 7", "watch 7", "watch 7"]);
  assert.deepEqual(told, ["listed at 7: "]);
});

for (const line of [
  '{"type":"ADDED"',
  "null",
  '{"type":"SUNG","object":{"metadata":{"resourceVersion":"8"}}}',
])
  test(`a line that is no event: ${line}`, async (context) => {
    const { server, told, tells } = await reflect(context, [
      sendList([], 7),
      ({ response }) => response.writeHead(200).end(`${line}\n`),
      sendList([], 8),
    ]);
    await server.call(4);
    await tells(3);
    assert.deepEqual(versions(server), ["list", "watch 7", "list", "watch 8"]);
    assert.equal(told[1], `failed watch of ${PATH}: not an event: ${line}`);
  });

test("an event that cannot be taken comes again", async (context) => {
  const taken: string[] = [];
  const { server } = await reflect(
    context,
    [sendList([], 7), sendEvents(added("a", 8), added("b", 9)), sendEvents(added("b", 9))],
    {
      changed: (_, { metadata }) => {
        if (metadata.name === "b" && server.calls.length === 2) throw new Error("not now");
        taken.push(metadata.name);
      },
    },
  );
  await until(() => taken.length >= 2);
  assert.deepEqual(taken, ["a", "b"]);
  assert.deepEqual(versions(server), ["list", "watch 7", "watch 8"]);
});

for (const [when, answers] of [
  ["in the first list", [() => {}]],
  ["in a watch without an answer", [sendList([], 7), () => {}]],
  ["in a watch", [sendList([], 7), sendEvents(bookmark(8))]],
  ["while it waits", [sendList([], 7), sendStatus(429, "Busy", { "retry-after": "3600" })]],
  ["while the list waits", [sendStatus(429, "Busy", { "retry-after": "3600" })]],
] as [string, Answer[]][])
  test(`close ${when} ends it at once`, async (context) => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const { server, reflector, told } = await reflect(context, answers);
    const { response } = await server.call(answers.length);
    await wait(10);
    const count = told.length;
    const gone = response.writableFinished ? undefined : once(response, "close");
    await reflector.close();
    await gone;
    if (when.includes("first list") || when.includes("list waits"))
      await assert.rejects(reflector.synced, /closed before the first list/);
    await wait(10);
    assert.equal(server.calls.length, answers.length);
    assert.equal(told.length, count);
    assert.equal(timers(), before);
    await reflector.close();
  });

test("close from within what it calls: nothing is called after", async (context) => {
  const { reflector, told, tells } = await reflect(
    context,
    [sendList([], 7), sendEvents(added("a", 8), added("b", 9))],
    {
      changed: (_, { metadata }) => {
        told.push(metadata.name);
        reflector.close();
      },
    },
  );
  await tells(2);
  await reflector.close();
  assert.deepEqual(told, ["listed at 7: ", "a"]);
});

const wait800 = (error: unknown, inARow: number, random = 0): number =>
  recovery(error, inARow, random).waitMs;

test("recovery: waits from .8 s, doubled, to 30 s; with up to as much again; never less than the server asks", () => {
  const error = new Error("broken");
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 2000].map((inARow) => wait800(error, inARow)),
    [800, 1600, 3200, 6400, 12800, 25600, 30000, 30000],
  );
  assert.equal(wait800(error, 1, 0.5), 1200);
  assert.equal(wait800(new ApiError(429, "", "", 7), 1), 7000);
  assert.equal(wait800(new ApiError(429, "", "", 1), 7), 30000);
});

test("recovery: lists where a watch cannot go on from the last version, else watches on", () => {
  const lists = (error: unknown, inARow = 1): boolean => recovery(error, inARow, 0).list;
  for (const code of [400, 403, 404, 410, 504]) assert.ok(lists(new ApiError(code, "", "")), `${code}`);
  for (const code of [429, 500, 503]) assert.ok(!lists(new ApiError(code, "", "")), `${code}`);
  assert.ok(!lists(new ApiError(429, "", ""), 9));
  assert.ok(lists(new ApiError(500, "", ""), 2));
  assert.ok(!lists(new Error("connect ECONNREFUSED"), 9));
  assert.ok(!lists(new WatchError("silent", "")));
  assert.ok(lists(new WatchError("silent", ""), 2));
  assert.ok(lists(new WatchError("short", "")));
  assert.ok(lists(new WatchError("malformed", "")));
});

test("failures count in a row until there is news, or two minutes without any", async (context) => {
  let time = 0;
  const broken: Answer = sendStatus(500, "InternalError");
  const { server } = await reflect(
    context,
    [
      sendList([], 7),
      broken,
      sendEventsAndEnd(added("a", 8)),
      broken,
      (call) => {
        time += REFLECTOR_TIMINGS.backoffResetMs + 1;
        broken(call);
      },
      broken,
      sendList([], 9),
    ],
    { now: () => new Date(time) },
  );
  await server.call(8);
  // The second 500 in a row makes it list.
  assert.deepEqual(versions(server), [
    "list",
    "watch 7",
    "watch 7",
    "watch 8",
    "watch 8",
    "watch 8",
    "list",
    "watch 9",
  ]);
});
