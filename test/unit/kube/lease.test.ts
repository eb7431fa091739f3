// Who leads: a Lease on a pretended API server, under a clock of the test's own.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiRequest } from "@segnas/operator/kube/client.ts";
import { LEASE_MS, RENEW_DEADLINE_MS, RETRY_MS } from "@segnas/operator/kube/lease.ts";
import { random } from "@segnas/searchspace/random.ts";
import fc from "fast-check";
import { createWorld, type Passage, type Process, works } from "./lease-world.ts";

const QUICK: Passage = { there: 5, back: 5 };
const quick = () => QUICK;

test("the first makes the Lease and leads, and renews it", async () => {
  const world = createWorld({ passage: quick, epoch: Date.UTC(2026, 0, 1) });
  const a = world.start("a");
  await world.run(100);
  assert.deepEqual(world.server.lease, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "ns", name: "operator", resourceVersion: "1" },
    spec: {
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      acquireTime: "2026-01-01T00:00:00.010000Z",
      renewTime: "2026-01-01T00:00:00.010000Z",
      leaseTransitions: 0,
    },
  });
  assert.ok(works(a));
  await world.run(60_000);
  assert.equal(world.server.lease.spec.acquireTime, "2026-01-01T00:00:00.010000Z");
  assert.ok(world.server.lease.spec.renewTime! > "2026-01-01T00:00:57");
  assert.ok(works(a) && a.leadership!.holds());
  assert.deepEqual([a.failures, a.holders], [[], [undefined, "a"]]);
});

test("another waits until the lease has not changed for its whole time by its own clock, whatever times it holds", async () => {
  for (const renewTime of ["1999-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"]) {
    const world = createWorld({ passage: quick });
    const metadata = { namespace: "ns", name: "operator", resourceVersion: "x", labels: { kept: "yes" } };
    const spec = { holderIdentity: "gone", leaseDurationSeconds: 15, renewTime, leaseTransitions: 3 };
    world.server.lease = { metadata, spec };
    const b = world.start("b");
    await world.run(LEASE_MS);
    assert.ok(!works(b));
    assert.deepEqual(b.holders, ["gone"]);
    await world.run(LEASE_MS + 100);
    assert.ok(works(b));
    assert.deepEqual(b.holders, ["gone", "b"]);
    assert.equal(world.server.lease.spec.leaseTransitions, 4);
    assert.deepEqual(world.server.lease.metadata.labels, { kept: "yes" });
  }
});

test("a container that is started again in its pod leads at once", async () => {
  const world = createWorld({ passage: quick });
  const first = world.start("pod");
  const other = world.start("other");
  await world.run(20_000);
  const { acquireTime } = world.server.lease!.spec;
  first.alive = false;
  const second = world.start("pod");
  await world.run(20_100);
  assert.ok(works(second) && !works(other));
  assert.equal(world.server.lease!.spec.acquireTime, acquireTime);
  assert.equal(world.server.lease!.spec.leaseTransitions, 0);
});

test("a leader that is killed is followed within 20 s, whenever that is", async () => {
  for (let killed = 30_000; killed < 34_000; killed += 250) {
    const world = createWorld({ passage: quick, random: () => 0.45 });
    const a = world.start("a");
    await world.run(100);
    const b = world.start("b");
    await world.run(killed);
    a.alive = false;
    await world.run(killed + 17_600);
    assert.ok(works(b));
  }
});

test("of two that ask at the same time one leads, and that is no failure", async () => {
  const world = createWorld({ passage: quick });
  const both = [world.start("a"), world.start("b")];
  await world.run(1_000);
  assert.equal(both.filter(works).length, 1);
  assert.deepEqual(
    both.map(({ failures }) => failures),
    [[], []],
  );
});

test("one that learns too late that it has the lease asks again before it leads", async () => {
  const world = createWorld({ passage: quick });
  const a = world.start("a");
  await world.run(12);
  a.stoppedUntil = 12 + RENEW_DEADLINE_MS;
  await world.run(a.stoppedUntil + 1_000);
  assert.equal(a.leadership, undefined);
  await world.run(a.stoppedUntil + 2 * RETRY_MS);
  assert.ok(works(a));
});

test("a leader that cannot renew stops at its deadline, and says why", async () => {
  let answers = true;
  const world = createWorld({ passage: () => (answers ? QUICK : { there: undefined, back: undefined }) });
  const a = world.start("a");
  await world.run(11);
  answers = false;
  // The deadline counts from when the renewal was asked for, not from its answer.
  await world.run(10 + RENEW_DEADLINE_MS - 1);
  assert.ok(works(a));
  await world.run(10 + RENEW_DEADLINE_MS);
  assert.ok(!works(a) && !a.leadership!.holds());
  assert.equal(a.leadership!.lost.reason.message, "lease ns/operator: not renewed in 10 s");
  assert.deepEqual(new Set(a.failures), new Set(["lease ns/operator could not be renewed: no answer"]));
});

test("a leader that was stopped notices when it goes on, before it does anything else", async () => {
  const world = createWorld({ passage: quick });
  const a = world.start("a");
  const b = world.start("b");
  await world.run(10_000);
  a.stoppedUntil = 35_000;
  let held: boolean | undefined;
  // What it was about to do comes before its timers.
  world.inProcess(a, 10_001, () => {
    held = a.leadership!.holds();
  });
  await world.run(34_999);
  assert.ok(works(b));
  await world.run(35_000);
  assert.equal(held, false);
  assert.ok(a.leadership!.lost.aborted);
  await world.run(40_000);
  assert.equal(world.server.lease!.spec.holderIdentity, "b");
});

test("a leader whose lease was given to another stops at its next renewal", async () => {
  const world = createWorld({ passage: quick });
  const a = world.start("a");
  await world.run(1_000);
  const { metadata, spec } = world.server.lease!;
  world.server.lease = { metadata, spec: { ...spec, holderIdentity: "b" } };
  await world.run(1_000 + RETRY_MS);
  assert.equal(a.leadership!.lost.reason.message, "lease ns/operator: held by b");
  assert.equal(world.server.lease.spec.holderIdentity, "b");
});

test("a leader gives back only what is its own", async () => {
  const world = createWorld({ passage: quick });
  const a = world.start("a");
  await world.run(1_000);
  const { metadata, spec } = world.server.lease!;
  world.server.lease = { metadata, spec: { ...spec, holderIdentity: "b" } };
  void a.leadership!.release();
  await world.run(2_000);
  assert.equal(world.server.lease.spec.holderIdentity, "b");
});

test("a lease that is given back is taken at the next asking", async () => {
  const world = createWorld({ passage: quick });
  const a = world.start("a");
  const b = world.start("b");
  await world.run(10_000);
  void a.leadership!.release();
  await world.run(10_025);
  assert.equal(world.server.lease!.spec.holderIdentity, undefined);
  assert.ok(!a.leadership!.holds() && !a.leadership!.lost.aborted);
  await world.run(10_025 + 1.5 * RETRY_MS);
  assert.ok(works(b));
  assert.equal(world.server.lease!.spec.leaseTransitions, 1);
  assert.deepEqual(b.holders, [undefined, "a", undefined, "b"]);
});

test("a lease that is given back in the middle of a renewal is free afterwards", async () => {
  const passage = ({ method }: ApiRequest) => ({ there: method === "PUT" ? 20 : 5, back: 5 });
  const renewal = 20 + RETRY_MS;
  for (let time = renewal - 5; time < renewal + 50; time += 5) {
    const world = createWorld({ passage });
    const a = world.start("a");
    await world.run(time);
    void a.leadership!.release();
    await world.run(time + 200);
    assert.equal(world.server.lease!.spec.holderIdentity, undefined);
  }
});

test("one that is told to ask no more holds no lease afterwards", async () => {
  for (const time of [2, 7, 12, 17, 22]) {
    const world = createWorld({ passage: quick });
    const a = world.start("a");
    await world.run(time);
    a.stop.abort(new Error("enough"));
    const leads = a.leadership !== undefined;
    await world.run(1_000);
    assert.equal(world.server.lease?.spec.holderIdentity, leads ? "a" : undefined);
    if (!leads) assert.equal(a.leadership, undefined);
  }
});

test("never two at a time, whatever is slow, lost, stopped, killed or given back; and one once all is well", async () => {
  const seeds = fc.record({ seed: fc.nat(), count: fc.integer({ min: 2, max: 4 }) });
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(seeds, async ({ seed, count }) => {
      const draw = random(seed).uniform;
      let calm = false;
      const passage = (): Passage => {
        if (calm) return QUICK;
        const slow = () => (draw() < 0.1 ? draw() * 12_000 : draw() * 100);
        return { there: draw() < 0.1 ? undefined : slow(), back: draw() < 0.1 ? undefined : slow() };
      };
      const world = createWorld({ passage, random: draw });
      const processes: Process[] = [];
      const leaders = (work: (process: Process) => boolean) =>
        processes.filter((one) => one.alive && one.stoppedUntil <= world.time() && work(one));

      function start(identity: string): void {
        const process = world.start(identity, ({ leadership }) => {
          changes++;
          leadership!.lost.addEventListener("abort", () => replace(process));
        });
        processes.push(process);
        live(process);
      }

      /** The process ends, and is started again under the same name. */
      function replace(process: Process): void {
        if (!process.alive) return;
        process.alive = false;
        processes.splice(processes.indexOf(process), 1);
        start(process.identity);
      }

      /** It works where it may, and now and then something happens to it. */
      function live(process: Process): void {
        world.inProcess(process, world.time() + draw() * 3_000, () => {
          if (process.leadership?.holds())
            assert.deepEqual(
              leaders(({ leadership }) => leadership?.holds() ?? false),
              [process],
            );
          const chance = calm ? 1 : draw();
          if (chance < 0.03) process.stoppedUntil = world.time() + draw() * 40_000;
          else if (chance < 0.04) return replace(process);
          else if (chance < 0.06 && process.leadership) {
            void process.leadership.release().then(() => replace(process));
            process.leadership = undefined;
            return;
          }
          live(process);
        });
      }

      for (let i = 0; i < count; i++) start(`${i}`);
      await world.run(200_000, () => assert.ok(leaders(works).length <= 1));
      calm = true;
      await world.run(280_000, () => assert.ok(leaders(works).length <= 1));
      assert.equal(leaders(works).length, 1);
    }),
    { numRuns: 30 },
  );
  assert.ok(changes > 100);
});
