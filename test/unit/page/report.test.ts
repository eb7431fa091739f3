// The report: the page in one file, with what it would ask its server for.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SettledEntry } from "@segnas/operator/ledger/entry.ts";
import type { SearchDocument, TrialDocument, TrialsDocument } from "@segnas/operator/web/page/documents.ts";
import { htmlOf, reportDocument, reportPage } from "@segnas/operator/web/page/report.ts";
import { syntheticSource } from "../../integration/page-synthetic.ts";

const now = new Date("2026-03-04T10:00:05Z");

async function reported(trials: number) {
  const source = syntheticSource({ town: trials });
  const view = (await source.view({ namespace: "default", name: "town" }))!;
  return { view, source, report: await reportDocument(view, source, now) };
}

test("it has the search, all its trials as rows, and the best and the failed in full", async () => {
  const { report } = await reported(400);
  const {
    "/api/searches/default/town": search,
    "/api/searches/default/town/trials?from=0": rows,
    ...rest
  } = report.documents as Record<string, unknown> & { [path: string]: unknown };
  const { drawn, metric } = search as SearchDocument;
  const trials = rows as TrialsDocument;
  assert.deepEqual([trials.settled, drawn.length, metric !== ""], [400, 6, true]);
  const pictures = `/api/searches/default/town/trials/${drawn[0]!.index}/pictures`;
  assert.deepEqual(rest[pictures], {
    ...{ pictures: [], legend: [], none: "Pictures and predictions lie on the artifacts volume." },
  });
  const inFull = Object.entries(rest).filter(([path]) => path !== pictures);
  const outcomes = inFull.map(([, document]) => (document as TrialDocument).outcome);
  assert.deepEqual(
    ["Succeeded", "Failed"].map((outcome) => outcomes.filter((it) => it === outcome).length),
    [25, 25],
  );
  for (const { trial } of drawn)
    assert.ok(inFull.some(([, document]) => (document as TrialDocument).trial === trial));
});

test("what is drawn can be opened, however many trials have the same network", async () => {
  const { view, source, report } = await reported(60);
  const { drawn } = report.documents["/api/searches/default/town"] as SearchDocument;
  const best = view.entries.find((entry) => entry.index === drawn[0]!.index) as SettledEntry;
  const twins = Array.from({ length: 40 }, (_, i) => ({
    ...best,
    ...{ number: 60 + i, index: 60 + i, trial: `town-${60 + i}`, duplicateOf: best.trial },
  }));
  const { documents } = await reportDocument({ ...view, entries: [...view.entries, ...twins] }, source, now);
  for (const { index } of drawn) assert.ok(documents[`/api/searches/default/town/trials/${index}`]);
  assert.equal(documents["/api/searches/default/town/trials/70"], undefined);
});

test("a search without a trial has a report too", async () => {
  const { view, source } = await reported(9);
  const { best: _, ...status } = view.search.status!;
  const { documents } = await reportDocument(
    { ...view, search: { ...view.search, status }, entries: [], policy: [] },
    source,
    now,
  );
  assert.equal(Object.keys(documents).length, 2);
});

test("the file needs nothing from anywhere, and lets nothing in", async () => {
  const { view, source } = await reported(12);
  const file = await reportPage(view, source, now);
  assert.deepEqual(file.match(/\b(?:src|href)="|url\(|@import/g) ?? [], []);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(file)![1]!;
  assert.match(policy, /^default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-/);
  assert.doesNotMatch(policy, /https?:|'self'|'unsafe-eval'|script-src[^;]*'unsafe-inline'/);
});

test("nothing that a person wrote becomes markup", async () => {
  const evil = `</script><script>alert('x')</script><!--<script>`;
  const { report } = await reported(12);
  const file = htmlOf({ ...report, documents: { evil: { evil } } });
  assert.equal(file.match(/<script/g)!.length, 3);
  const data = /<script type="application\/json" id="report">([^<]*)<\/script>/.exec(file)![1]!;
  assert.deepEqual(JSON.parse(data).documents, { evil: { evil } });
});
