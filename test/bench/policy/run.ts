// The contest of policies on landscapes: runs what is asked for and is not in docs/policy/runs.json yet, adds it
// there, and draws the tables and charts beside it from all that is. Delete that file when an algorithm changes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CONTESTANTS, contest, type Run } from "./contest.ts";
import { LANDSCAPES, landscape, optimum } from "./landscapes.ts";
import { chart, tables } from "./report.ts";

const folder = fileURLToPath(new URL("../../../docs/policy/", import.meta.url));
const file = `${folder}runs.json`;

/**
 * `--landscapes [--seeds N] [--trials N] [--in-flight N] [--only POLICY]... [--on LANDSCAPE]...`: seeds 1 to N of
 * every policy on every landscape, or of those.
 */
export function runContest(args: string[]): void {
  const { values } = parseArgs({
    args,
    options: {
      landscapes: { type: "boolean" },
      seeds: { type: "string", default: "5" },
      trials: { type: "string", default: "300" },
      "in-flight": { type: "string", default: "1" },
      only: { type: "string", multiple: true },
      on: { type: "string", multiple: true },
    },
  });
  const [seeds, trials, inFlight] = [values.seeds, values.trials, values["in-flight"]].map(Number) as [
    number,
    number,
    number,
  ];
  const policies = values.only ?? Object.keys(CONTESTANTS);
  if (policies.some((name) => !(name in CONTESTANTS))) {
    console.error(`--only: write one of ${Object.keys(CONTESTANTS).join(" | ")}`);
    process.exit(64);
  }
  const on = LANDSCAPES.filter((name) => values.on?.includes(name) ?? true);
  if (on.length < (values.on?.length ?? 0)) {
    console.error(`--on: write one of ${LANDSCAPES.join(" | ")}`);
    process.exit(64);
  }
  mkdirSync(folder, { recursive: true });
  for (let seed = 1; seed <= seeds; seed++) {
    for (const name of on) {
      const missing = policies.filter(
        (policy) => !kept().some((run) => isSame(run, { policy, landscape: name, seed, inFlight, trials })),
      );
      if (missing.length === 0) continue;
      const best = optimum(landscape(name, seed), seed);
      for (const policy of missing) {
        keep(contest(policy, name, { seed, inFlight, trials, optimum: best }));
      }
    }
    console.log(`seed ${seed} done`);
  }
  const runs = kept().filter((run) => run.trials === trials);
  const suffix = trials === 300 ? "" : `-${trials}`;
  writeFileSync(`${folder}tables${suffix}.md`, `## ${trials} trials\n\n${tables(runs)}`);
  for (const flight of new Set(runs.map((run) => run.inFlight))) {
    writeFileSync(`${folder}best-${flight}-in-flight${suffix}.svg`, chart(runs, flight));
  }
  console.log(tables(runs));
}

function kept(): Run[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Run[]) : [];
}

type Key = Pick<Run, "policy" | "landscape" | "seed" | "inFlight" | "trials">;

function isSame(run: Run, key: Key): boolean {
  return (Object.keys(key) as (keyof Key)[]).every((name) => run[name] === key[name]);
}

function keep(run: Run): void {
  const rounded = JSON.parse(JSON.stringify(run), (_, value) =>
    typeof value === "number" ? Number(value.toFixed(5)) : value,
  );
  const lines = [...kept(), rounded].map((one) => JSON.stringify(one));
  writeFileSync(file, `[\n${lines.join(",\n")}\n]\n`);
}
