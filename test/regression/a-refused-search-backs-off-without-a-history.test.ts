// A search whose trainer had come to refuse the configuration is tried again later and later after the last refusal. With
// trialsHistoryLimit 0 that trial was deleted with the others, the time went with it, and there was a trial a second.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decideSearch } from "@segnas/operator/controllers/architecturesearch/decide.ts";
import { Play } from "../unit/controllers/play.ts";

test("the last trial that was refused stays while the count goes on, and no other", () => {
  const play = new Play({ rewardOrder: "Completion", maxTrials: 50, trialsHistoryLimit: 0 });
  const end = (refused: boolean) => {
    const { index } = play.unsettled()[0]!.spec;
    play.now += 1000;
    const endTime = new Date(play.now).toISOString();
    const result = refused
      ? { outcome: "Failed" as const, cause: "InvalidConfiguration", message: "no data" }
      : { outcome: "Succeeded" as const, reward: "0.5" };
    play.end(index, endTime, result);
    play.run();
  };
  play.run();
  end(false);
  const waits: number[] = [];
  for (let refusals = 0; refusals < 9; refusals++) {
    if (play.unsettled().length === 0) {
      const wait = decideSearch(play.world()).find(({ type }) => type === "Wait");
      assert.ok(wait?.type === "Wait");
      waits.push((wait.until.getTime() - play.now) / 1000);
      play.now = wait.until.getTime();
      play.run();
    }
    end(true);
  }
  assert.deepEqual(waits, [40, 80, 160, 300]);
  const there = play.trials.map(({ spec }) => spec.index);
  // The best is kept as well.
  assert.deepEqual(there, [0, 9]);
});
