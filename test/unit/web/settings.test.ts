// What a search was asked to do, in words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { admit } from "@segnas/operator/api/validate.ts";
import { settingsInWords } from "@segnas/operator/web/settings.ts";

const search = admit("ArchitectureSearch", {
  apiVersion: "segnas.dev/v1alpha1",
  kind: "ArchitectureSearch",
  metadata: { name: "s" },
  spec: { maxTrials: 9, dataset: { format: "Shapes" }, training: { stage0: { epochs: 2 } } },
});

test("settings are told in words, nested ones by their path", () => {
  const settings = new Map(settingsInWords(search));
  assert.equal(settings.get("Trials"), "9, 2 at a time");
  assert.match(settings.get("Data set")!, /^Shapes, .*6 classes, 10% of the training part held out$/);
  assert.equal(settings.get("Training"), "preset paper, stage0 epochs 2");
  assert.equal(settings.get("Ends early"), "never");
  assert.deepEqual([settings.get("At most"), settings.get("Begins with")], [undefined, undefined]);
});

test("limits, gate, constraints and starting points are told too", () => {
  const table = { device: "a phone", rows: [] };
  const limited = {
    ...search,
    spec: {
      ...search.spec,
      maxFailedTrials: 1,
      budget: { gpuHours: "2.5", activeDeadlineSeconds: 5400 },
      gate: { ...search.spec.gate, type: "None" as const },
      duplicates: "Retrain" as const,
      startingPoints: { search: "before", architectures: [{ published: "arch1" as const }, {}, {}] },
      objective: {
        ...search.spec.objective,
        constraints: {
          ...{ maxParameters: 300_000, maxMacs: 1_500_000_000, latency: { maxMilliseconds: "40", table } },
          ...{ settings: "Final" as const, onViolation: "Resample" as const },
          image: { height: 360, width: 480 },
        },
      },
    },
  };
  const told = (object: typeof search) => new Map(settingsInWords(object));
  const settings = told(limited);
  assert.deepEqual(
    ["At most", "Ends early", "Begins with", "Gate", "A network again"].map((label) => settings.get(label)),
    [
      "300,000 parameters, 1.50 G MACs, 40 ms on a phone, counted as trained in full, an image of 480 x 360; over that: the policy proposes again",
      "after 2.5 GPU-hours, after 1 h 30 min, with more than 1 failed trial",
      "the trials of before, arch1, 2 given architectures",
      "none: every trial is trained to its end",
      "is trained again",
    ],
  );
  assert.equal(
    told(search).get("Gate"),
    "a trial goes on above the running mean of rewards (decay 0.99), less up to 90%",
  );
});
