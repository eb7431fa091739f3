// What a search's rewards are worth: npm run bench -- results [--dataset FOLDER] [--report]
// The reward's spread over seeds, what the pretrained encoder is worth, and how well the search's short training ranks
// networks (results/plan.ts), on CamVid: the trainer's own trials, kept in docs/results/runs.json as they end, and the
// tables and the plot beside it. Interrupted, it goes on where it was; --report only writes what there is.
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chart, tables } from "./results/report.ts";
import { FOLDER, kept, trainMissing } from "./results/run.ts";

const CAMVID = fileURLToPath(new URL("../../../shared/data/camvid", import.meta.url));

const { values } = parseArgs({
  options: {
    dataset: { type: "string", default: CAMVID },
    report: { type: "boolean", default: false },
  },
});
if (!values.report) {
  if (!existsSync(values.dataset)) {
    console.error(`--dataset: there is no ${values.dataset}, write where CamVid is`);
    process.exit(64);
  }
  await trainMissing(values.dataset);
}
const runs = kept();
if (runs.length > 0) {
  writeFileSync(`${FOLDER}tables.md`, tables(runs));
  writeFileSync(`${FOLDER}short-and-long.svg`, chart(runs));
  console.log(tables(runs));
}
