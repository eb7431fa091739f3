// The law of the reflector: whatever the server and the network go through, what it told comes to what there is.
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { startReflector } from "@segnas/operator/kube/reflector.ts";
import fc from "fast-check";
import {
  type Answer,
  type ApiServer,
  bookmark,
  object,
  sendEvents,
  sendList,
  sendStatus,
  startApiServer,
  status,
  type TestObject,
  until,
} from "./api-server.ts";

type Step =
  | { do: "write" | "delete"; name: string }
  /** Of every watch: it ends, breaks off in the middle of a line, says nothing any more, or says something odd. */
  | { do: "end" | "break" | "mute" | "garble" }
  /** Of every watch: an ERROR event. */
  | { do: "error"; code: number }
  /** The next requests are refused. */
  | { do: "refuse"; code: number; requests: number }
  /** The next watches are accepted and never say anything. */
  | { do: "ignore"; requests: number }
  /** History is lost: older versions and pages under way have expired. */
  | { do: "compact" }
  | { do: "restart" }
  | { do: "pause"; ms: number };

const names = fc.constantFrom("a", "b", "c", "d", "e");
const codes = fc.constantFrom(403, 410, 429, 500, 503, 504);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constantFrom("write" as const, "delete" as const), name: names }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("pause" as const), ms: fc.nat(8) }) },
    fc.record({ do: fc.constantFrom("end" as const, "break" as const, "mute" as const, "garble" as const) }),
    fc.record({ do: fc.constant("error" as const), code: codes }),
    fc.record({ do: fc.constant("refuse" as const), code: codes, requests: fc.nat(3) }),
    fc.record({ do: fc.constant("ignore" as const), requests: fc.nat(2) }),
    fc.record({ do: fc.constantFrom("compact" as const, "restart" as const) }),
  ),
  { minLength: 5, maxLength: 40, size: "max" },
);

/** A collection as etcd keeps it: a history of changes, of which the older ones may be lost. */
async function collection(context: TestContext): Promise<{
  server: ApiServer;
  objects: Map<string, TestObject>;
  take(step: Step): Promise<void>;
  /** No more faults. */
  heal(): void;
}> {
  const objects = new Map<string, TestObject>();
  let version = 1;
  let compacted = 1;
  let history: { type: string; object: TestObject; version: number }[] = [];
  let pages = new Map<string, { items: TestObject[]; version: number }>();
  let watches: ServerResponse[] = [];
  const faults: Answer[] = [];

  const send = (response: ServerResponse, event: object): void => {
    if (!response.destroyed) response.write(`${JSON.stringify(event)}\n`);
  };
  const change = (type: string, object: TestObject): void => {
    history.push({ type, object, version });
    for (const watch of watches) send(watch, { type, object });
  };
  const list: Answer = (call) => {
    const { items, version: at } = call.query.continue
      ? (pages.get(call.query.continue) ?? { items: undefined, version })
      : { items: [...objects.values()], version };
    if (items === undefined) return sendStatus(410, "Expired")(call);
    const limit = Number(call.query.limit ?? Number.POSITIVE_INFINITY);
    const rest = items.slice(limit);
    const next = `${at}-${rest.length}`;
    if (rest.length > 0) pages.set(next, { items: rest, version: at });
    sendList(items.slice(0, limit), at, rest.length > 0 ? next : undefined)(call);
  };
  const watch: Answer = (call) => {
    const from = Number(call.query.resourceVersion);
    if (from < compacted) return sendStatus(410, "Expired")(call);
    sendEvents(...history.filter(({ version }) => version > from))(call);
    watches.push(call.response);
  };
  const server = await startApiServer(context, (call) =>
    (faults.shift() ?? (call.query.watch ? watch : list))(call),
  );
  const toAll = (act: (response: ServerResponse) => void): void => {
    for (const watch of watches) act(watch);
    watches = [];
  };
  const bookmarks = setInterval(() => {
    for (const watch of watches) send(watch, bookmark(version));
  }, 5);
  context.after(() => clearInterval(bookmarks));

  return {
    server,
    objects,
    heal: () => void faults.splice(0),
    async take(step) {
      switch (step.do) {
        case "write": {
          const type = objects.has(step.name) ? "MODIFIED" : "ADDED";
          objects.set(step.name, object(step.name, ++version));
          return change(type, objects.get(step.name)!);
        }
        case "delete":
          if (objects.delete(step.name)) change("DELETED", object(step.name, ++version));
          return;
        case "end":
          return toAll((response) => response.end());
        case "break":
          return toAll((response) => {
            response.write('{"type":"MODI');
            response.socket?.destroySoon();
          });
        case "mute":
          return toAll(() => {});
        case "garble":
          return toAll((response) => response.write('{"type":"SUNG"}\n'));
        case "error":
          return toAll((response) => send(response, { type: "ERROR", object: status(step.code, "Odd") }));
        case "refuse":
          for (let i = 0; i < step.requests; i++) faults.push(sendStatus(step.code, "Odd"));
          return;
        case "ignore":
          for (let i = 0; i < step.requests; i++)
            faults.push((call) => (call.query.watch ? sendEvents() : list)(call));
          return;
        case "compact":
          compacted = version;
          history = [];
          pages = new Map();
          return;
        case "restart":
          watches = [];
          await server.stop();
          return await server.start();
        case "pause":
          await wait(step.ms);
      }
    },
  };
}

test("what it told comes to what there is", async (context) => {
  const seen = { lists: 0, events: 0, failures: 0 };
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (script, settled) => {
      const { server, objects, take, heal } = await collection(context);
      let told = new Map<string, TestObject>();
      const reflector = startReflector<TestObject>({
        client: server.client,
        path: "/apis/test/v1/things",
        listed(all) {
          seen.lists++;
          told = new Map(all.map((object) => [object.metadata.name, object]));
        },
        changed(type, object) {
          seen.events++;
          const { name } = object.metadata;
          // Each event follows from the state before it.
          assert.equal(told.has(name), type !== "ADDED", `${type} ${name}`);
          if (type === "DELETED") told.delete(name);
          else told.set(name, object);
        },
        failed(error) {
          seen.failures++;
          assert.notEqual((error as Error).name, "AssertionError", String(error));
        },
        now: () => new Date(),
        random: Math.random,
        timings: { pageSize: 2, idleMs: 60, shortWatchMs: 3, backoffMs: 1, longestBackoffMs: 4 },
      });
      const comes = (): Promise<void> => until(() => isDeepStrictEqual(told, objects));
      try {
        if (settled) await reflector.synced;
        for (const step of script) await take(step);
        heal();
        await comes();
        // And it goes on.
        await take({ do: "write", name: "last" });
        await comes();
      } finally {
        await reflector.close();
        await server.stop();
      }
    }),
    // The same script may go another way the next time.
    { numRuns: 60, endOnFailure: true },
  );
  context.diagnostic(JSON.stringify(seen));
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no ${what}`);
});
