// A search with objective.constraints never began: the trainer was given its whole objective, knew no field
// `constraints`, and refused the trial as a wrong configuration. What a network may cost is the search's affair.
import assert from "node:assert/strict";
import { test } from "node:test";
import { trainerInput } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { parseTrial } from "@segnas/trainer/training/configuration.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";

test("the trainer takes a trial of a search with constraints and a gate", () => {
  const row = { layer: "Conv2D", perLayer: "1", perGigaMac: "1", perMegaElement: "1" };
  const latency = { maxMilliseconds: "9", table: { rows: [row] } };
  const search = makeSearch({
    objective: { metric: "MeanIoU", constraints: { maxParameters: 9, maxMacs: 9, latency } },
  });
  const trial = makeTrial(0);
  const gate = [{ stage: 0 as const, epoch: 5, threshold: "0.25" }];
  const parsed = parseTrial(trainerInput(search, { ...trial, spec: { ...trial.spec, gate } }));
  assert.equal(parsed.metric, "MeanIoU");
  assert.deepEqual(parsed.gate, [{ stage: 0, epoch: 5, threshold: 0.25 }]);
});
