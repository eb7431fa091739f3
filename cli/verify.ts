// `segnas verify`: replays the ledger of a search, and says whether everything that was written agrees with it.
import { resolve } from "node:path";
import { type Verification, verifySearch } from "@segnas/operator/controllers/architecturesearch/verify.ts";
import { readMoment } from "@segnas/operator/kube/moment.ts";
import { verifyFolder } from "@segnas/operator/local/verify.ts";
import { startPolicy } from "@segnas/operator/policy/client.ts";
import { counted } from "@segnas/operator/web/format.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { Command } from "commander";
import { choiceOption } from "./options.ts";
import { atPlace, type PlaceOptions, placeOptions } from "./place.ts";
import { PROGRAM } from "./program.ts";

const SHOWN = 20;

interface Options extends PlaceOptions {
  output: "text" | "json";
}

export function verifyCommand(): Command {
  return placeOptions(new Command("verify"))
    .description(
      "Replay a search's ledger: do policy weights, samples and rewards agree, and is every record as it was written?",
    )
    .argument("[search]", "its name; without one, that of --state")
    .addOption(
      choiceOption("-o, --output <format>", "what standard output gets", ["text", "json"]).default("text"),
    )
    .addHelpText(
      "after",
      `\nExamples:\n  ${PROGRAM} verify quickstart -n mine\n  ${PROGRAM} verify --state .segnas/quickstart`,
    )
    .action(verify);
}

async function verify(name: string | undefined, options: Options): Promise<void> {
  if (name === undefined && options.state === undefined)
    throw new UserError("write the name of a search in the cluster, or --state and the folder of one");
  const report =
    options.state === undefined
      ? await verifyInCluster(name, options)
      : await verifyInFolder(resolve(options.state), name, options);
  const agrees = report.findings.length === 0;
  console.log(
    options.output === "json" ? JSON.stringify({ agrees, ...report }, null, 2) : verificationText(report),
  );
  if (!agrees) process.exitCode = 1;
}

const verifyInCluster = (name: string | undefined, options: PlaceOptions): Promise<Verification> =>
  atPlace(options, async (place) => {
    const search = await place.find(name);
    const { reader, search: then } = await readMoment(place.reader, search);
    return verifySearch({ ...reader, live: reader }, then, startPolicy);
  });

/** The folder's whatever its record says: one that cannot be read is a finding. A name is held against it first. */
const verifyInFolder = (
  folder: string,
  name: string | undefined,
  options: PlaceOptions,
): Promise<Verification> =>
  atPlace(options, async (place) => {
    if (name !== undefined) await place.find(name);
    return verifyFolder(folder);
  });

function verificationText(report: Verification): string {
  const { search, findings, notes, entries, imported, policyUpdates, samples, trials, snapshots } = report;
  const taken = imported > 0 ? ` (${imported} taken over from another search)` : "";
  const counts = [
    `${entries} ${entries === 1 ? "entry" : "entries"} replayed${taken}, ${counted(policyUpdates, "policy update")}`,
    `${counted(samples, "sample")} made again, ${counted(trials, "trial")} and ${counted(snapshots, "snapshot")} compared`,
  ];
  const lines =
    findings.length === 0
      ? [`${search}: weights, samples and rewards agree`]
      : [`${search}: ${counted(findings.length, "thing")} not as it should be`, ...findings.slice(0, SHOWN)];
  if (findings.length > SHOWN) lines.push(`and ${findings.length - SHOWN} more`);
  return [...lines, ...counts, ...notes].map((line, i) => (i === 0 ? line : `  ${line}`)).join("\n");
}
