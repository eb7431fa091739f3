// `segnas measure` as people run it: an architecture's figures, a table that predicts, and mistakes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { admit, parseManifest } from "@segnas/operator/api/validate.ts";
import { parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { LAYER_KINDS, type LatencyTable, predictLatency } from "@segnas/searchspace/latency.ts";
import { expand } from "@segnas/searchspace/network.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const SMALL = "--height 40 --width 56 --classes 3 --aggregate-channels 8 --separable-repeats 1 --threads 1";

function measure(args: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [MAIN, "measure", ...args.split(" ")], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    ),
  );
}

/** Whether a table gives arch0 at the measured size a time above 0. */
function predicts(table: LatencyTable): boolean {
  const settings = { classes: 3, aggregateChannels: 8, separableRepeats: 1 };
  return predictLatency(table, expand(parseArchitecture("arch0"), settings, { height: 40, width: 56 })) > 0;
}

/** A manifest with the printed table where it belongs. */
const pasted = (printed: string): string => `apiVersion: segnas.dev/v1alpha1
kind: ArchitectureSearch
metadata: {name: small}
spec:
  maxTrials: 4
  dataset: {format: Shapes}
  objective:
    constraints:
      latency:
        maxMilliseconds: "20"
${printed.replace(/^/gm, "        ")}`;

/** The table of a manifest that the cluster would admit. */
function tableOf(manifest: string): LatencyTable {
  const { spec } = admit("ArchitectureSearch", parseManifest(manifest, "manifest"));
  return spec.objective.constraints!.latency!.table;
}

describe("segnas measure", { concurrency: 1 }, () => {
  it("times an architecture", async () => {
    const { stdout, stderr, code } = await measure(`arch0 ${SMALL} -o json`);
    assert.equal(code, 0, stderr);
    const { genotype, input, device, milliseconds, residentBytes } = JSON.parse(stdout);
    assert.deepEqual(parseArchitecture(genotype), parseArchitecture("arch0"));
    assert.deepEqual(input, { height: 40, width: 56 });
    assert.match(device, /, TensorFlow .* (on the CPU, 1 thread|with CUDA)$/);
    const { tenth, median, ninetieth, runs } = milliseconds;
    assert.ok(0 < tenth && tenth <= median && median <= ninetieth && runs > 1);
    assert.ok(residentBytes > 50 * 2 ** 20, `${residentBytes}`);
    const text = await measure(`arch0 ${SMALL}`);
    assert.match(text.stdout, /^latency {2}\S+ ms \(median of 30; /m);
    assert.match(text.stdout, /^memory {3}\S+ [MG]iB /m);
  });

  it("makes a table that predicts, for a manifest or as JSON", async () => {
    const yaml = await measure(`${SMALL} --samples 5`);
    assert.equal(yaml.code, 0, yaml.stderr);
    assert.match(yaml.stderr, /^Timed (\d+) of \1$/m);
    assert.match(yaml.stdout, /^# .*nine in ten\n# by less than [\d.]+%; rank correlation -?[\d.]+\.$/m);
    assert.ok(predicts(tableOf(pasted(yaml.stdout))));
    const json = JSON.parse((await measure(`${SMALL} --samples 5 -o json`)).stdout);
    assert.equal(json.table.rows.length, LAYER_KINDS.length);
    assert.ok(predicts(json.table));
    assert.ok(json.heldOut.networks >= 5 && json.heldOut.medianError >= 0);
  });

  it("makes a table of 4 x 4 pixels, where nothing is resized", async () => {
    const { code, stdout, stderr } = await measure(`${SMALL} --samples 5 --height 4 --width 4`);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^# No network of this size has the layer Resize: the table has no row for it\.$/m);
    const { rows } = tableOf(pasted(stdout));
    assert.deepEqual(
      rows.map(({ layer }) => layer).sort(),
      LAYER_KINDS.filter((kind) => kind !== "Resize").sort(),
    );
  });

  const mistakes: [args: string, sentence: RegExp][] = [
    ["-o text", /^--output text: write yaml or json for the table\n$/],
    ["arch0 -o yaml", /^--output yaml: write text or json for an architecture\n$/],
    ["--samples 1", /^--samples 1: write a whole number from 5 to 1000\n$/],
    ["arch9", /^arch9: there is no such file; write arch0, arch1, JSON, or the path of a file\n$/],
  ];
  for (const [args, sentence] of mistakes)
    it(`measure ${args}: one sentence, exit 64`, async () => {
      const { code, stdout, stderr } = await measure(args);
      assert.match(stderr, sentence);
      assert.deepEqual([code, stdout], [64, ""]);
    });
});
