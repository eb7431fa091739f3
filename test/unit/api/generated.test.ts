import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { CandidateTrialSpec } from "../../../operator/api/generated/candidatetrials.ts";
import type { Architecture } from "../../../searchspace/architecture.ts";

test("the generated types are those of the CRDs", async () => {
  const script = fileURLToPath(new URL("../../../operator/api/generate.ts", import.meta.url));
  await promisify(execFile)(process.execPath, [script, "--check"]);
});

test("an architecture is what a trial carries", () => {
  const architecture: Architecture = {
    templates: [{ operations: ["Skip", "MaxPool3x3"], aggregate: "Sum" }],
    blocks: [{ inputs: [0, 1], template: 0, repeats: 1, stride: 2 }],
  };
  const carried: CandidateTrialSpec["architecture"] = architecture; // tsc is what judges this
  assert.equal(carried, architecture);
});
