// `segnas describe`: the ways to name an architecture, its outputs, and what it answers to mistakes.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, mock, test } from "node:test";
import { describeCommand } from "@segnas/cli/describe.ts";
import { PUBLISHED, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "segnas-describe-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** What the command prints. */
async function run(...words: string[]): Promise<string> {
  const log = mock.method(console, "log", () => {});
  try {
    await describeCommand().exitOverride().parseAsync(words, { from: "user" });
    return log.mock.calls.map((call) => call.arguments.join(" ")).join("\n");
  } finally {
    log.mock.restore();
  }
}

test("an architecture is given by name, as JSON, in a file or in a trial", async () => {
  const expected = await run("arch0", "-o", "json");
  const architecture = parseArchitecture("arch0");
  const trial = { kind: "CandidateTrial", spec: { index: 3, architecture } };
  assert.equal(JSON.parse(expected).parameters, 280_147);
  for (const given of [
    JSON.stringify(PUBLISHED.arch0),
    JSON.stringify(architecture),
    file("short.yaml", `# a comment\n${JSON.stringify(PUBLISHED.arch0)}\n`),
    file("trial.json", JSON.stringify(trial)),
  ]) {
    assert.equal(await run(given, "-o", "json"), expected);
  }
});

test("settings and size are taken from the options", async () => {
  const words = "--classes 11 --aggregate-channels 48 --separable-repeats 1 --height 1 --width 7 -o json";
  const { parameters, nodes, logits } = JSON.parse(await run("arch0", ...words.split(" ")));
  assert.equal(parameters, 56_576 + 168_307);
  assert.deepEqual(nodes[0], { channels: 24, height: 1, width: 2 });
  assert.equal(logits.channels, 11);
});

test("it prints text unless asked for JSON or a drawing", async () => {
  assert.match(await run("arch1"), /^parameters +268,235/m);
  assert.match(await run("arch1", "-o", "svg"), /^<svg .*<\/svg>$/s);
});

const mistakes: [words: string[], sentence: RegExp][] = [
  [["arch0", "--height", "0"], /^--height 0: write a whole number from 1 to \d+$/],
  [["arch0", "--width", "abc"], /^--width abc: write a whole number/],
  [["arch0", "--width", "1.5"], /^--width 1\.5: write a whole number/],
  [["arch0", "--classes", "1"], /^--classes 1: write a whole number/],
  [["arch0", "-o", "png"], /^--output png: write text, json or svg$/],
  [["arch9"], /^arch9: there is no such file; write arch0, arch1, JSON, or the path of a file$/],
  [[folder], / is a folder; write arch0, arch1, JSON, or the path of a file$/],
  [["[1,"], /^the given JSON: is not valid JSON or YAML: /],
  [["[[], []]"], /^the given JSON: templates: has 0 items, write 3$/],
  [[file("broken.yaml", "a: b: c")], /broken\.yaml: is not valid JSON or YAML: [^\n]+$/],
  [[file("empty.yaml", "")], /empty\.yaml: is not valid JSON or YAML/],
  [[file("bare.yaml", "kind: CandidateTrial")], /bare\.yaml: spec\.architecture: is missing, write it$/],
  [
    [file("kind.yaml", "kind: Job")],
    /kind\.yaml: architecture: unknown field "kind", write only templates, blocks$/,
  ],
];

for (const [words, sentence] of mistakes) {
  test(`${sentence}`, async () => {
    await assert.rejects(
      run(...words),
      (error) => error instanceof UserError && sentence.test(error.message),
    );
  });
}
