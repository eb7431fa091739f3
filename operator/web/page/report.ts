// A search as one HTML file that needs nothing but itself: the page, with what it would ask the server for as it is at
// one moment.
import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { keyOf } from "../../api/store.ts";
import { byRank } from "../../ledger/fold.ts";
import { style } from "./assets.ts";
import type { ReportDocument, TrialsDocument } from "./documents.ts";
import type { Elsewhere } from "./elsewhere.ts";
import { browserModules } from "./modules.ts";
import { picturesPath, searchPath, trialPath, trialsPath } from "./paths.ts";
import { searchDocument } from "./search.ts";
import type { PageView } from "./source.ts";
import { AT_A_TIME, emptyTable, extendTable, isRanked, openTrials, trialsDocument } from "./table.ts";
import { picturesDocument, trialDocument } from "./trial.ts";

/** So many of the best, and of the last failures, are told in full; of the others there is the table's row. */
const IN_FULL = 25;

/** The whole file. Lets other work in between. */
export async function reportPage(view: PageView, elsewhere: Elsewhere, now: Date): Promise<string> {
  return htmlOf(await reportDocument(view, elsewhere, now));
}

/** What the page is to show. */
export async function reportDocument(
  view: PageView,
  elsewhere: Elsewhere,
  now: Date,
): Promise<ReportDocument> {
  const { search } = view;
  const key = keyOf(search);
  const table = emptyTable();
  while (!extendTable(table, view.entries, AT_A_TIME)) await turn();
  const told = searchDocument(view, table, elsewhere.commands(key));
  const trials = trialsDocument(view, table, 0);
  const documents: ReportDocument["documents"] = {
    [searchPath(key)]: told,
    [trialsPath(key, 0)]: trials,
  };
  // Those that are drawn come first.
  const best = view.entries.filter(isRanked).sort(byRank).slice(0, IN_FULL);
  const begun = openTrials(table, view.trials).filter(({ status }) => status?.attempts?.length);
  const inFull = [
    ...begun.map(({ spec }) => spec.index),
    ...best.map(({ index }) => index),
    ...lastFailures(trials),
  ];
  for (const index of new Set(inFull)) {
    const trial = await trialDocument(view, index, elsewhere);
    if (trial) documents[trialPath(key, index)] = trial;
    await turn();
  }
  const [first] = best;
  const pictures = first && (await picturesDocument(view, first.index, elsewhere));
  if (pictures) documents[picturesPath(key, first.index)] = pictures;
  return { ...key, written: now.toISOString(), documents };
}

/** As the page lists them under what failed. */
const lastFailures = ({ rows, outcomes }: TrialsDocument): number[] =>
  rows.index
    .filter((_, row) => ["Failed", "Deleted"].includes(outcomes[rows.outcome[row]!]!))
    .slice(-IN_FULL);

/** What all reports have in common: the page without a search. */
interface Frame {
  /** An import map that leads the name of each module to its text. */
  map: string;
  /** The line that begins. */
  main: string;
  style: string;
  /** The Content-Security-Policy. */
  policy: string;
}

/** Made once. */
let frame: Frame | undefined;

function makeFrame(): Frame {
  const modules = browserModules(new URL("client/main.ts", import.meta.url), "modules/");
  const imports = modules.map(({ path, code }) => [
    path,
    `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`,
  ]);
  const map = JSON.stringify({ imports: Object.fromEntries(imports) });
  const main = `import ${JSON.stringify(modules.at(-1)!.path)};`;
  const hashes = [map, main].map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${hashes.join(" ")} data:; base-uri 'none'; form-action 'none'`;
  return { map, main, style: style(), policy };
}

export function htmlOf(report: ReportDocument): string {
  frame ??= makeFrame();
  const { map, main, style, policy } = frame;
  // In a script nothing ends it but this sign.
  const data = JSON.stringify(report).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${report.name}: search</title>
<style>${style}</style>
</head>
<body>
<noscript>This report needs JavaScript. Without it: segnas report -o csv or -o json gives the same as data.</noscript>
<div id="page"></div>
<script type="application/json" id="report">${data}</script>
<script type="importmap">${map}</script>
<script type="module">${main}</script>
</body>
</html>
`;
}
