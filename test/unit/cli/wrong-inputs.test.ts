// What people get wrong on the command line: the sentence alone on stderr, exit code 64, never a stack.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "segnas-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const manifest = (spec: string): string => `apiVersion: segnas.dev/v1alpha1
kind: ArchitectureSearch
metadata: {name: small}
spec:
  dataset: {format: Shapes}
  ${spec}
`;
const good = file("good.yaml", manifest("maxTrials: 4"));
// A trainer that finds its data set wrong, and one that breaks.
const refusing = file(
  "refusing.mjs",
  'console.error("spec.dataset.path: no images in /data"); process.exit(64);',
);
const unreadable = file(
  "unreadable.mjs",
  'if (process.argv.includes("--check")) process.exit(); console.error("a.png: has 16 bits"); process.exit(64);',
);
const breaking = file("breaking.mjs", 'console.error("no TensorFlow here"); process.exit(1);');

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function segnas(args: string[], stdin = ""): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, SEGNAS_DEBUG: "" };
    const child = execFile(process.execPath, [MAIN, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end(stdin);
  });
}

interface Case {
  args: string[];
  code?: number;
  stdin?: string;
  says: RegExp;
}

const cases: Case[] = [
  { args: ["serch"], says: /^unknown command 'serch'\s+\(Did you mean search\?\)\n$/ },
  { args: ["search"], says: /^required option '-f, --file <file>' not specified\n$/ },
  { args: ["search", "-f", good, "--output", "xml"], says: /^--output xml: write text or json\n$/ },
  {
    args: ["search", "-f", good, "--log-level", "loud"],
    says: /^--log-level loud: write error, warn, info or debug\n$/,
  },
  {
    args: ["search", "-f", good, "--max-trials", "0"],
    says: /^--max-trials 0: write a whole number of at least 1\n$/,
  },
  { args: ["search", "-f", "absent.yaml"], says: /^absent\.yaml: there is no such file; give the manifest/ },
  { args: ["plan", "-f", folder], says: /is a folder; give the manifest of an ArchitectureSearch\n$/ },
  { args: ["plan", "-f", "-"], stdin: "kind: [", says: /^standard input:\d+:\d+: not valid YAML/ },
  {
    args: ["plan", "-f", file("two.yaml", manifest("maxTrials: 0\n  retries: -1"))],
    says: /spec\.maxTrials: [\s\S]*spec\.retries: /,
  },
  {
    args: [
      "plan",
      "-f",
      file("policy.yaml", manifest('maxTrials: 4\n  policy: {name: random, clip: "0.2"}')),
    ],
    says: /^spec\.policy\.clip: not used by the policy random/,
  },
  {
    args: [
      "plan",
      "-f",
      file(
        "latency.yaml",
        manifest(
          'maxTrials: 4\n  objective: {constraints: {latency: {maxMilliseconds: "9", table: {rows: [{layer: Conv2D, perLayer: "1", perGigaMac: "1", perMegaElement: "1"}]}}}}',
        ),
      ),
    ],
    says: /^spec\.objective\.constraints\.latency\.table\.rows: there is none for the layer BatchNorm, /,
  },
  {
    args: ["search", "-f", file("asleep.yaml", manifest("maxTrials: 4\n  suspend: true"))],
    says: /^spec\.suspend is true: write false/,
  },
  {
    args: ["search", "-f", good, "--trainer", refusing],
    says: /^spec\.dataset\.path: no images in \/data\n$/,
  },
  {
    args: ["search", "-f", good, "--trainer", breaking],
    code: 70,
    says: /no TensorFlow here\n.*SEGNAS_DEBUG=1/,
  },
  {
    args: ["search", "-f", file("endless.yaml", manifest("maxTrials: .inf"))],
    says: /spec\.maxTrials in body must be of type integer/,
  },
  {
    args: ["search", "-f", good, "--page", "http"],
    says: /^--page http: write a whole number from 0 to 65535\n$/,
  },
  { args: ["status", "--output", "xml"], says: /^--output xml: write text, wide or json\n$/ },
  {
    args: ["describe", "absent"],
    says: /^absent: there is no such file; write arch0, arch1, JSON, or the path of a file\n$/,
  },
  {
    args: ["measure", "-"],
    stdin: "[1,",
    says: /^standard input: is not valid JSON or YAML: /,
  },
  {
    args: ["describe", "arch0", "--state", "nowhere"],
    says: /^--state nowhere: write trial\/<name> for a trial there, or leave the option out\n$/,
  },
  {
    args: ["describe", "arch0", "-n", "foo"],
    says: /^--namespace foo: write trial\/<name> for a trial there/,
  },
  {
    args: ["describe", "trial/", "--state", "nowhere"],
    says: /^trial\/: write the trial's name after it, <search>-<number>\n$/,
  },
  { args: ["encoder", "import"], says: /^required option '--output <file>' not specified\n$/ },
  {
    args: ["encoder", "import", "nsfwjs", "--output", folder],
    says: /: is not a file; give the path of one\n$/,
  },
];

for (const trials of [1, 9])
  test(`data that only the trainer finds wrong end a search of ${trials} trials with exit code 64`, async () => {
    const state = join(folder, `unreadable-${trials}`);
    const args = ["search", "-f", good, "--max-trials", String(trials), "--state", state];
    const { code, stdout, stderr } = await segnas([...args, "--trainer", unreadable]);
    assert.equal(code, 64);
    assert.match(stdout, /a\.png: has 16 bits/);
    assert.match(stderr, /No trial has succeeded: mend the cause/);
  });

test("a full disk under standard output is told in a sentence", { skip: !existsSync("/dev/full") }, () => {
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [MAIN, "describe", "arch0"], {
    stdio: ["ignore", full, "pipe"],
    encoding: "utf8",
  });
  closeSync(full);
  assert.equal(stderr, "Standard output cannot be written: ENOSPC: no space left on device, write\n");
  assert.equal(status, 74);
});

describe("wrong inputs", { concurrency: true }, () => {
  for (const { args, code = 64, stdin, says } of cases)
    test(`segnas ${args.map((arg) => arg.replace(`${folder}/`, "")).join(" ")}`, async () => {
      const outcome = await segnas(args, stdin);
      assert.match(outcome.stderr, says);
      assert.doesNotMatch(outcome.stderr, /^\s+at /m);
      assert.equal(outcome.code, code);
      assert.equal(outcome.stdout, "");
    });
});
