import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { renderReport } from "../../../operator/web/report.ts";
import { meanWidth, paretoFront, runningMean } from "../../../operator/web/report-charts.ts";
import { gatherReport, reportPage, writeReport } from "../../../operator/web/report-file.ts";
import { ranked, type SearchSummary } from "../../../operator/web/report-summary.ts";
import { report, searchOf } from "./fixtures.ts";

const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/g;
const VOID = new Set(["meta", "img"]);

/** How often each tag is opened. Throws where one is not closed in its order or a "<" begins no tag. */
function tagsOf(page: string): Map<string, number> {
  const text = page
    .replace("<!doctype html>", "")
    .replace(/<(script|style)>[\s\S]*?<\/\1>/g, (_, name) => `<${name}></${name}>`);
  const open: string[] = [];
  const seen = new Map<string, number>();
  for (const [, closing, name = "", , selfClosing] of text.matchAll(TAG)) {
    if (closing) {
      assert.equal(open.pop(), name);
      continue;
    }
    seen.set(name, (seen.get(name) ?? 0) + 1);
    if (!selfClosing && !VOID.has(name)) open.push(name);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(text.replace(TAG, ""), /</);
  return seen;
}

const content = (page: string): string => page.replace(/<(script|style)>[\s\S]*?<\/\1>/g, "");

const picture = {
  image: "data:image/png;base64,AA",
  truth: "data:image/png;base64,BB",
  prediction: "data:image/png;base64,CC",
};

test("the page is well formed at any size and has a row for each trial", () => {
  for (const trials of [1, 12, 150]) {
    const page = renderReport(
      report(searchOf(trials), { pictures: [picture], legend: [{ name: "sky", color: "#88aaff" }] }),
    );
    const seen = tagsOf(page);
    const failed = Math.floor((trials + 3) / 9);
    assert.equal(seen.get("tr"), trials + 1 + (failed > 0 ? failed + 1 : 0));
    assert.equal(seen.get("article"), Math.min(5, trials - failed));
    assert.equal(seen.get("img"), 3);
  }
});

test("nothing that a person wrote becomes markup", () => {
  const evil = `"><script>alert('x')</script>`;
  const search = searchOf(12, { name: evil, message: evil, state: "Failed", settings: [[evil, evil]] });
  for (const trial of search.trials) Object.assign(trial, { name: evil, message: evil, cause: evil });
  const page = renderReport(report(search, { pictures: [picture], legend: [{ name: evil, color: evil }] }));
  const seen = tagsOf(page);
  assert.equal(seen.get("script"), 1);
  assert.doesNotMatch(page, /<script>alert/);
});

test("who listens is told of a chart once, and of each wide drawing whose it is", () => {
  const page = renderReport(report(searchOf(12)));
  assert.doesNotMatch(page, /<g [^>]*aria-label/);
  const drawings = [...page.matchAll(/aria-label="(Drawing of [^"]+)"/g)].map(([, label]) => label);
  assert.equal(drawings.length, 5);
  assert.equal(new Set(drawings).size, 5);
});

test("the page needs nothing from anywhere", () => {
  const page = renderReport(report(searchOf(12), { pictures: [picture] }));
  assert.deepEqual(page.match(/(?:src|href)="(?!data:)[^"]*"|url\(|@import/g) ?? [], []);
  assert.match(page, /Content-Security-Policy" content="default-src &#39;none&#39;;/);
});

test("a search without trials says that there is nothing yet", () => {
  const page = renderReport(report(searchOf(0, { state: "Running", maxTrials: 8 })));
  const seen = tagsOf(page);
  assert.match(page, /No trial has ended yet/);
  assert.match(page, /0 of 8/);
  assert.equal(seen.get("table"), undefined);
  assert.equal(seen.get("figure"), undefined);
});

test("a search where every trial failed shows the failures, and no chart but that of the policy", () => {
  const search = searchOf(12);
  const trials = search.trials.map(({ reward: _, metrics: __, ...trial }) => ({
    ...trial,
    outcome: "Failed" as const,
    cause: "OutOfMemory",
  }));
  const page = renderReport(report({ ...search, trials }));
  assert.equal(tagsOf(page).get("figure"), 1);
  assert.match(page, /Entropy of the policy over 3 updates/);
  assert.equal(tagsOf(renderReport(report({ ...search, trials, policy: [] }))).get("figure"), undefined);
  assert.match(page, /it ran out of memory/);
  assert.doesNotMatch(content(page), /NaN(?! at)|undefined|Infinity/);
});

test("trials over a constraint are listed apart from failures, deleted ones without figures", () => {
  const search = searchOf(12);
  const trials = search.trials.map((trial) =>
    trial.index === 1
      ? { ...trial, outcome: "Rejected" as const, cause: "OverConstraint", message: "it has 9 parameters" }
      : trial.index === 2
        ? { name: trial.name, index: 2, outcome: "Deleted" as const }
        : trial,
  );
  const page = content(renderReport(report({ ...search, trials })));
  tagsOf(page);
  assert.match(page, /9 succeeded, 1 failed, 1 over a constraint, 1 deleted/);
  const [failures = "", rejected = ""] = ["failures", "rejected"].map(
    (id) => new RegExp(`<h2 id="${id}">[\\s\\S]*?</section>`).exec(page)?.[0],
  );
  assert.deepEqual(
    [failures, rejected].map((part) => part.match(/city-\d+/g)),
    [["city-2", "city-5"], ["city-1"]],
  );
  assert.doesNotMatch(page, /NaN(?! at)|undefined|Infinity/);
});

test("the policy's course is told as far as it is known", () => {
  const caption = (policyUpdates: number) =>
    /settles on what works: (.*)\.<\/figcaption>/.exec(
      renderReport(report(searchOf(12, { policyUpdates }))),
    )![1];
  assert.deepEqual([3, 5].map(caption), ["3 updates so far", "the first 3 of 5 updates so far"]);
});

test("rewards that are all 0 can be drawn", () => {
  const search = searchOf(4);
  const trials = search.trials.map((trial) => ({ ...trial, reward: 0 }));
  const page = renderReport(report({ ...search, trials, policy: [] }));
  assert.doesNotMatch(content(page), /NaN(?! at)|undefined|Infinity/);
});

const scored = fc.array(
  fc.record({
    reward: fc.double({ min: 0, max: 1, noNaN: true }),
    parameters: fc.integer({ min: 1, max: 50 }),
  }),
);

test("the Pareto front is what nothing beats, and everything else is beaten by it", () => {
  fc.assert(
    fc.property(scored, (trials) => {
      const front = paretoFront(trials);
      const beats = (a: (typeof trials)[0], b: (typeof trials)[0]) =>
        a.reward >= b.reward &&
        a.parameters <= b.parameters &&
        (a.reward > b.reward || a.parameters < b.parameters);
      for (const trial of front) assert.ok(!trials.some((other) => beats(other, trial)));
      for (const trial of trials.filter((it) => !front.includes(it)))
        assert.ok(
          front.some(
            (other) =>
              beats(other, trial) || (other.reward === trial.reward && other.parameters === trial.parameters),
          ),
        );
    }),
  );
});

test("the running mean spans the last trials that have a reward", () => {
  const trials = [0.2, 0.4, undefined, 0.6, 1].map((reward, index) => ({
    index,
    name: `t-${index}`,
    parameters: 1,
    ...(reward !== undefined && { reward }),
  }));
  const means = runningMean(trials, 2).map(({ index, mean }) => [index, Number(mean.toFixed(6))]);
  assert.deepEqual(means, [
    [0, 0.2],
    [1, 0.3],
    [3, 0.5],
    [4, 0.8],
  ]);
  assert.deepEqual([1, 100, 1000].map(meanWidth), [3, 10, 50]);
});

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "segnas-test-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function withPictures(artifacts: string, { trials }: SearchSummary, files: Record<string, string>) {
  const pictures = join(artifacts, ranked(trials)[0]!.name, "pictures");
  await mkdir(pictures, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(pictures, name), text);
}

test("the best trial's pictures and classes are gathered; half a picture is left out", () =>
  inFolder(async (folder) => {
    const search = searchOf(12);
    const files = { "0-image.png": "a", "0-truth.png": "b", "0-prediction.png": "c", "1-image.png": "d" };
    await withPictures(folder, search, {
      ...files,
      "classes.json": '[{"name":"sky","color":"#88aaff"},{"name":3}]',
    });
    const data = await gatherReport(search, folder, new Date("2026-03-01T00:00:00Z"));
    const uri = (text: string) => `data:image/png;base64,${Buffer.from(text).toString("base64")}`;
    assert.deepEqual(data.pictures, [{ image: uri("a"), truth: uri("b"), prediction: uri("c") }]);
    assert.deepEqual(data.legend, [{ name: "sky", color: "#88aaff" }]);
  }));

test("a search whose trials kept nothing is reported without pictures, and the file replaces the old one whole", () =>
  inFolder(async (folder) => {
    const file = join(folder, "state", "report.html");
    for (const trials of [3, 12]) {
      const data = await gatherReport(searchOf(trials), join(folder, "artifacts"), new Date(0));
      assert.deepEqual([data.pictures, data.legend], [[], []]);
      const page = await reportPage(searchOf(trials), join(folder, "artifacts"), new Date(0));
      assert.equal(page, renderReport(data));
      await writeReport(file, page);
      assert.equal(await readFile(file, "utf8"), page);
    }
    assert.deepEqual(await readdir(join(folder, "state")), ["report.html"]);
  }));
