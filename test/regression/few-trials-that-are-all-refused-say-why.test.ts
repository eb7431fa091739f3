// A search with fewer trials than it takes to call a configuration hopeless ended with "2 trials have settled, and none has
// succeeded": what the trainer had said of the configuration stood in the trials alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Play } from "../unit/controllers/play.ts";

test("the trainer's sentence is in the search's condition, whatever is kept of its trials", () => {
  for (const trialsHistoryLimit of [0, 10]) {
    const play = new Play({ maxTrials: 2, trialsHistoryLimit });
    play.run();
    for (const index of [0, 1])
      play.end(index, "2026-01-01T00:00:01Z", {
        ...{
          outcome: "Failed",
          cause: "InvalidConfiguration",
          message: `dataset.path: is no folder (${index})`,
        },
      });
    play.run();
    const { reason, message } = play.condition("Failed")!;
    assert.equal(reason, "MaxTrialsReached");
    assert.equal(
      message,
      "2 trials have settled, and none has succeeded; the trainer refuses the configuration: dataset.path: is no folder (1)",
    );
  }
});
