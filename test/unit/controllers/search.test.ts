// One search: laws that hold however its trials end, and its verdicts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decideSearch } from "@segnas/operator/controllers/architecturesearch/decide.ts";
import { searchStatus } from "@segnas/operator/controllers/architecturesearch/status.ts";
import { settledEntry } from "@segnas/operator/controllers/architecturesearch/trial.ts";
import { readEntry, writeEntry } from "@segnas/operator/ledger/entry.ts";
import { EMPTY, fold } from "@segnas/operator/ledger/fold.ts";
import fc from "fast-check";
import { makeTrial } from "./objects.ts";
import { Play, settings, start } from "./play.ts";

const events = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { minLength: 20, maxLength: 60 });

for (const rewardOrder of ["Index", "Completion"] as const) {
  test(`${rewardOrder}: never more unsettled than parallelism, nor indices than maxTrials, nor one twice`, () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 4 }), (steps, parallelism) => {
        const play = new Play({ rewardOrder, parallelism, maxTrials: 15 });
        play.run();
        for (const [which, how] of steps) {
          assert.ok(play.unsettled().length <= parallelism);
          play.settle(which, how);
          play.run();
        }
        const indices = play.proposals.map(({ index }) => index);
        assert.deepEqual(
          indices,
          indices.map((_, i) => i),
        );
        assert.ok(indices.length <= 15);
        assert.equal(new Set(play.entries.map(({ index }) => index)).size, play.entries.length);
        while (play.unsettled().length > 0) {
          play.settle(0, 5);
          play.run();
        }
        assert.equal(play.entries.length, 15);
        assert.equal(play.condition("Complete")?.status, "True");
      }),
    );
  });
}

test("Index: entries are in the order of indices, and trial i is made from the entries up to i - policyLag alone", () => {
  fc.assert(
    fc.property(events, (steps) => {
      const play = new Play({ rewardOrder: "Index", parallelism: 4, maxTrials: 30 });
      play.run();
      for (const [which, how] of steps) {
        play.settle(which, how);
        play.run();
      }
      assert.deepEqual(
        play.entries.map(({ index }) => index),
        play.entries.map((_, i) => i),
      );
      for (const { index, version, entries } of play.proposals) {
        const due = Math.max(0, index - 3);
        assert.ok(entries >= due);
        const then = play.entries.slice(0, due).reduce((state, entry) => fold(settings, state, entry), EMPTY);
        assert.equal(version, then.policyUpdates);
      }
    }),
  );
});

test("Completion: entries come as trials end, and trials are made from the newest policy", () => {
  const play = new Play({ rewardOrder: "Completion" });
  play.run();
  for (const which of [2, 0, 2]) {
    play.settle(which, 5);
    play.run();
  }
  assert.deepEqual(
    play.entries.map(({ index }) => index),
    [2, 0, 4],
  );
  assert.deepEqual(
    play.proposals.map(({ version }) => version),
    [0, 0, 0, 0, 0, 1],
  );
});

test("a trial that was deleted by hand is entered as that", () => {
  const play = new Play({ rewardOrder: "Index" });
  play.run();
  play.settle(0, 0);
  play.run();
  assert.deepEqual(play.entries, [{ number: 0, index: 0, trial: "s-0", outcome: "Deleted" }]);
  assert.equal(play.search.status?.trials?.deleted, 1);
});

test("a suspended search makes no trials and says so once nothing runs; what has settled is entered", () => {
  const play = new Play({ rewardOrder: "Index" });
  play.run();
  play.trials[1]!.status = { attempts: [{ number: 0, job: "s-1-0", uid: "u" }] };
  play.search = { ...play.search, spec: { ...play.search.spec, suspend: true } };
  play.settle(0, 5);
  play.run();
  assert.equal(play.entries.length, 1);
  assert.equal(play.proposals.length, 3);
  assert.equal(play.condition("Suspended"), undefined);
  assert.equal(play.condition("Progressing")?.status, "False");
  play.trials[0]!.status = {
    attempts: [{ number: 0, job: "s-1-0", uid: "u", endTime: "2026-01-01T00:00:00Z" }],
  };
  play.trials[1]!.status = {
    attempts: [{ number: 0, job: "s-1-0", uid: "u", endTime: "2026-01-01T00:00:00Z" }],
  };
  play.run();
  assert.equal(play.condition("Suspended")?.status, "True");
  play.search = { ...play.search, spec: { ...play.search.spec, suspend: false } };
  play.run();
  assert.equal(play.condition("Suspended")?.status, "False");
  assert.equal(play.proposals.length, 4);
});

test("more failures than maxFailedTrials fail the search; deleted trials are none", () => {
  const play = new Play({ maxFailedTrials: 2, rewardOrder: "Completion" });
  play.run();
  for (const how of [0, 1, 2]) {
    play.settle(0, how);
    play.run();
  }
  assert.equal(play.condition("Failed"), undefined);
  play.settle(0, 1);
  play.run();
  assert.equal(play.condition("Failed")?.reason, "MaxFailedTrialsReached");
  assert.equal(play.condition("Progressing")?.status, "False");
  assert.ok(play.search.status?.completionTime);
});

test("a deadline completes a search that has found something, and fails one that has not", () => {
  for (const [how, type] of [
    [5, "Complete"],
    [1, "Failed"],
  ] as const) {
    const play = new Play({ budget: { activeDeadlineSeconds: 60 }, rewardOrder: "Completion" });
    play.run();
    play.settle(0, how);
    play.run();
    const wait = decideSearch(play.world()).find((action) => action.type === "Wait");
    assert.deepEqual(wait?.until, new Date(start + 60_000));
    play.now = start + 60_000;
    play.run();
    assert.equal(play.condition(type)?.reason, "DeadlineExceeded");
  }
});

test("time that the search stood still is not counted", () => {
  const play = new Play({ budget: { activeDeadlineSeconds: 60 }, rewardOrder: "Completion" });
  play.run();
  const suspend = (value: boolean) => {
    play.search = { ...play.search, spec: { ...play.search.spec, suspend: value } };
    play.run();
  };
  play.now += 40_000;
  suspend(true);
  play.now += 1000_000;
  suspend(false);
  assert.equal(play.condition("Progressing")?.status, "True");
  const wait = decideSearch(play.world()).find((action) => action.type === "Wait");
  assert.equal(wait?.until.getTime(), play.now + 20_000);
  play.now += 20_000;
  play.run();
  assert.equal(play.condition("Failed")?.reason, "DeadlineExceeded");
});

test("a search whose configuration was refused goes on once its spec is written anew, and may fail again", () => {
  const play = new Play({ rewardOrder: "Completion" });
  play.run();
  const refuse = () => {
    const { index } = play.unsettled()[0]!.spec;
    const result = { outcome: "Failed", cause: "InvalidConfiguration", message: `no data ${index}` } as const;
    play.now += 1000;
    play.end(index, new Date(play.now).toISOString(), result);
    play.run();
  };
  for (const _ of [0, 1, 2]) refuse();
  assert.equal(play.condition("Failed")?.message, "the trainer refuses the configuration: no data 2");
  play.run();
  assert.equal(play.condition("Failed")?.status, "True");
  play.search = { ...play.search, metadata: { ...play.search.metadata, generation: 2 } };
  play.run();
  assert.equal(play.condition("Failed")?.status, "False");
  assert.equal(play.condition("Progressing")?.status, "True");
  assert.equal(play.entries.length, 3);
  assert.equal(play.noted.forgiven, 3);
  for (const _ of [0, 1]) refuse();
  assert.equal(play.condition("Failed")?.status, "False");
  refuse();
  assert.equal(play.condition("Failed")?.message, "the trainer refuses the configuration: no data 5");
});

test("trials are noted before they are made, and made before anything is learned where a process died between", () => {
  const play = new Play({ rewardOrder: "Completion" });
  play.run();
  assert.equal(play.noted.reserved, 3);
  play.trials = play.trials.slice(0, 2);
  play.end(0, "2026-01-01T00:00:01Z", { outcome: "Succeeded", reward: "0.5" });
  const { trials } = play;
  // This process knows that it made the third: it was deleted by hand.
  assert.ok(decideSearch(play.world()).some(({ type }) => type === "Append"));
  // Another cannot know: it makes it, from the same policy.
  const again = decideSearch({ ...play.world(), made: 0, unmade: true, trials });
  const place = { index: 2, entries: 0, policyVersion: 0, gate: [] };
  assert.deepEqual(again, [{ type: "Propose", place }]);
});

test("maxTrials may be lowered below what there is, and raised after the end", () => {
  const play = new Play({ maxTrials: 20, rewardOrder: "Index" });
  play.run();
  const setMaxTrials = (maxTrials: number) => {
    play.search = { ...play.search, spec: { ...play.search.spec, maxTrials } };
    play.run();
  };
  setMaxTrials(1);
  for (const _ of [0, 1, 2]) {
    assert.equal(play.condition("Complete"), undefined);
    play.settle(0, 5);
    play.run();
  }
  assert.equal(play.condition("Complete")?.status, "True");
  assert.equal(play.entries.length, 3);
  setMaxTrials(5);
  assert.equal(play.condition("Complete")?.status, "False");
  assert.equal(play.search.status?.completionTime, undefined);
  assert.equal(play.unsettled().length, 2);
});

/** The search's trials all have the same network: all but the first are duplicates of it. */
function duplicates(spec: object): Play {
  const play = new Play(spec);
  play.make = (index) => {
    const trial = makeTrial(index);
    const same = { ...trial.spec, network: "0".repeat(32), ...(index > 0 && { duplicateOf: "s-0" }) };
    return { ...trial, spec: same };
  };
  return play;
}

for (const rewardOrder of ["Index", "Completion"] as const) {
  test(`${rewardOrder}: the same network is trained once, and its result is that of all`, () => {
    const play = duplicates({ rewardOrder, maxTrials: 8, parallelism: 2 });
    play.run();
    // Those that wait take no GPU; as many more as train may be made.
    assert.equal(play.trials.length, 4);
    const stages = [{ stage: "0", seconds: "6.5" }];
    play.end(0, "2026-01-01T00:00:01Z", { outcome: "Succeeded", reward: "0.5", gpuSeconds: "7", stages });
    play.run();
    assert.equal(play.condition("Complete")?.status, "True");
    assert.deepEqual(
      play.entries.map((entry) => entry.outcome !== "Deleted" && [entry.reward, entry.gpuSeconds]),
      [[0.5, 7], ...Array.from({ length: 7 }, () => [0.5, 0])],
    );
    // Theirs took no time.
    assert.deepEqual(
      play.entries.flatMap((entry) => (entry.outcome !== "Deleted" && entry.stages ? [entry] : [])),
      [{ ...play.entries[0], stages: [{ stage: "0", seconds: 6.5 }] }],
    );
    assert.equal(play.state.reused, 7);
    assert.deepEqual(
      play.state.top.map(({ index }) => index),
      [0],
    );
  });
}

test("a duplicate of a trial that came to nothing is trained itself, and is what the others wait for", () => {
  const play = duplicates({ rewardOrder: "Completion", maxTrials: 3 });
  play.run();
  play.end(0, "2026-01-01T00:00:01Z", { outcome: "Failed", cause: "Infrastructure" });
  play.run();
  assert.deepEqual(
    play.trials.map(({ status }) => status?.retrain ?? false),
    [false, true, false],
  );
  play.end(1, "2026-01-01T00:00:02Z", {
    outcome: "Failed",
    reward: "-1",
    cause: "TimeLimit",
    message: "too long",
  });
  play.run();
  const { result } = play.trials[2]!.status!;
  assert.deepEqual([result?.duplicateOf, result?.outcome, result?.message], ["s-1", "Failed", "too long"]);
});

test("duplicates: Retrain trains all", () => {
  const play = duplicates({ rewardOrder: "Completion", maxTrials: 3, duplicates: "Retrain" });
  play.run();
  assert.deepEqual(
    play.trials.map(({ status }) => status?.retrain ?? false),
    [false, true, true],
  );
});

test("a network over a constraint gets the failure reward without training, and is no failed trial", () => {
  const play = new Play({ maxTrials: 4, maxFailedTrials: 0 });
  play.make = (index) => {
    const trial = makeTrial(index);
    return { ...trial, spec: { ...trial.spec, violation: "it has 9 parameters" } };
  };
  play.run();
  assert.equal(play.condition("Failed")?.reason, "MaxTrialsReached");
  assert.equal(play.search.status?.trials?.rejected, 4);
  const [entry] = play.entries;
  assert.ok(entry?.outcome === "Rejected");
  assert.deepEqual([entry.reward, entry.gpuSeconds, entry.cause], [-1, 0, "OverConstraint"]);
  assert.equal(play.state.policyUpdates, 1);
});

test("spent GPU hours end a search, those of what still trains too; more of them make it go on", () => {
  const play = new Play({ rewardOrder: "Completion", budget: { gpuHours: "1" } });
  play.run();
  const running = (index: number) => {
    const startTime = "2026-01-01T00:00:00Z";
    play.trials = play.trials.map((trial) =>
      trial.spec.index === index
        ? { ...trial, status: { attempts: [{ number: 0, job: `s-${index}-0`, startTime }] } }
        : trial,
    );
  };
  running(0);
  running(1);
  const wait = decideSearch(play.world()).find(({ type }) => type === "Wait");
  assert.deepEqual(wait, { type: "Wait", until: new Date(start + 1_800_000) });
  play.now = start + 1_800_000;
  play.run();
  assert.equal(play.condition("Failed")?.reason, "BudgetExhausted");
  // Its pod knows its end to the second only, and that was a little earlier.
  play.end(0, new Date(play.now - 900).toISOString(), { outcome: "Failed", cause: "Infrastructure" });
  play.run();
  assert.equal(play.condition("Failed")?.status, "True");
  const { metadata, spec } = play.search;
  play.search = {
    ...play.search,
    metadata: { ...metadata, generation: 2 },
    spec: { ...spec, budget: { gpuHours: "2" } },
  };
  play.run();
  assert.equal(play.condition("Failed")?.status, "False");
  assert.equal(play.condition("Progressing")?.status, "True");
});

test("a search of which nothing has come has failed, and what its end stopped waits for nothing", () => {
  const play = new Play({ rewardOrder: "Completion", maxTrials: 4, maxFailedTrials: 2 });
  play.run();
  for (let i = 0; i < 3; i++) {
    play.settle(0, 1);
    play.run();
  }
  assert.equal(play.condition("Failed")?.reason, "MaxFailedTrialsReached");
  assert.equal(play.search.status?.trials?.pending, 0);
  const all = new Play({ rewardOrder: "Completion", maxTrials: 3 });
  all.run();
  while (all.unsettled().length > 0) {
    all.settle(0, 1);
    all.run();
  }
  assert.equal(all.condition("Failed")?.message, "3 trials have settled, and none has succeeded");
  assert.equal(all.condition("Complete"), undefined);
});

test("a status that differs in counts alone is written at most once in two seconds", () => {
  const play = new Play({ rewardOrder: "Completion", maxTrials: 9 });
  play.run();
  const counted = () => play.search.status?.trials?.settled;
  play.settle(0, 5);
  play.run();
  assert.equal(counted(), 1);
  // The best is told at once.
  play.told = new Date(play.now);
  play.end(play.unsettled()[0]!.spec.index, new Date(play.now).toISOString(), {
    outcome: "Succeeded",
    reward: "0.9",
  });
  play.run();
  assert.equal(counted(), 2);
  play.settle(0, 1);
  play.run();
  assert.equal(counted(), 2);
  const wait = decideSearch(play.world()).find(({ type }) => type === "Wait");
  assert.deepEqual(wait, { type: "Wait", until: new Date(play.told.getTime() + 2000) });
  play.now = play.told.getTime() + 2000;
  play.run();
  assert.equal(counted(), 3);
});

test("fewer trials than have settled already are not counted against", () => {
  const play = new Play({ rewardOrder: "Completion", maxTrials: 9 });
  play.run();
  for (let i = 0; i < 4; i++) {
    play.settle(0, 5);
    play.run();
  }
  play.search = { ...play.search, spec: { ...play.search.spec, maxTrials: 1 } };
  play.run();
  assert.equal(play.condition("Progressing")?.message, "4 trials have settled");
});

test("a trainer that comes to refuse the configuration stalls the search; one trial at a time finds out whether it still does", () => {
  const play = new Play({ rewardOrder: "Completion", maxTrials: 50 });
  play.run();
  const end = (cause?: string) => {
    const { index } = play.unsettled()[0]!.spec;
    play.now += 1000;
    const endTime = new Date(play.now).toISOString();
    const result = cause ? { cause, message: "no data" } : { reward: "0.5" };
    play.end(index, endTime, { outcome: cause ? "Failed" : "Succeeded", ...result });
    play.run();
  };
  end();
  for (let i = 0; i < 3; i++) end("InvalidConfiguration");
  assert.equal(play.condition("Stalled")?.reason, "InvalidConfiguration");
  assert.match(play.condition("Stalled")!.message, /no data$/);
  while (play.unsettled().length > 0) end("InvalidConfiguration");
  assert.equal(play.condition("Failed"), undefined);
  const wait = decideSearch(play.world()).find(({ type }) => type === "Wait");
  assert.ok(wait?.type === "Wait" && wait.until > new Date(play.now));
  play.now = wait.until.getTime();
  play.run();
  assert.equal(play.unsettled().length, 1);
  end();
  assert.equal(play.condition("Stalled")?.status, "False");
  assert.equal(play.unsettled().length, 3);
});

test("an entry has its stages' times where the trial has them, and is else as it was before there were any", () => {
  const entryOf = (fields: object) =>
    writeEntry(
      settledEntry(makeTrial(4, { result: { outcome: "Succeeded", reward: "0.5", ...fields } }), 2)!,
    );
  const stages = [
    { stage: "Setup", seconds: "2.1" },
    { stage: "1", seconds: "1234.5" },
  ];
  const [without, entry] = [entryOf({}), entryOf({ stages })];
  assert.ok(!without.includes("stages"));
  const written = '"stages":[{"stage":"Setup","seconds":2.1},{"stage":"1","seconds":1234.5}],';
  assert.equal(entry, without.replace('"cause"', `${written}"cause"`));
  assert.equal(writeEntry(readEntry(entry)), entry);
});

test("the status of 10,000 trials is under 64 KiB, whatever their names and rewards", () => {
  const play = new Play({ maxTrials: 20_000 });
  play.search.metadata.name = "n".repeat(40);
  for (let number = 0; number < 10_000; number++) {
    const trial = makeTrial(number);
    const entry = settledEntry(
      {
        ...trial,
        metadata: { ...trial.metadata, name: `${play.search.metadata.name}-${number}` },
        status: {
          result: {
            outcome: "Succeeded",
            // Each is on the Pareto front: larger, and better.
            reward: String((number + 1) / 3e4),
            parameters: 1e15 + number,
            metrics: { meanIoU: String(1 / (number + 3)), meanAccuracy: "1", frequencyWeightedIoU: "1" },
            gpuSeconds: String(1000 / 3),
          },
        },
      },
      number,
    )!;
    play.state = fold(settings, play.state, entry);
    play.entries.push(entry);
  }
  const bytes = Buffer.byteLength(JSON.stringify(searchStatus(play.world(), undefined)));
  assert.ok(bytes < 64 * 1024, `${bytes} bytes`);
});
