// `segnas verify`: replays the ledger of a search, and says whether everything that was written agrees with it.
import { resolve } from "node:path";
import type { Verification } from "@segnas/operator/controllers/architecturesearch/verify.ts";
import { verifyFolder } from "@segnas/operator/local/verify.ts";
import { counted } from "@segnas/operator/web/report-format.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { Command, Option } from "commander";

const SHOWN = 20;

export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Replay a search's ledger: do policy weights, samples and rewards agree, and is every record as it was written?",
    )
    .requiredOption("--state <folder>", "where the search is kept, as given to segnas search", stateFolder)
    .addOption(
      new Option("-o, --output <format>", "what standard output gets")
        .choices(["text", "json"])
        .default("text"),
    )
    .addHelpText("after", "\nExample:\n  segnas verify --state .segnas/quickstart")
    .action(verify);
}

/** A folder from the command line. Throws UserError for none. */
export function stateFolder(value: string): string {
  if (value.trim() === "") throw new UserError("--state: is empty; write a folder");
  return value;
}

async function verify({ state, output }: { state: string; output: "text" | "json" }): Promise<void> {
  const report = await verifyFolder(resolve(state));
  const agrees = report.findings.length === 0;
  console.log(output === "json" ? JSON.stringify({ agrees, ...report }, null, 2) : verificationText(report));
  if (!agrees) process.exitCode = 1;
}

function verificationText(report: Verification): string {
  const { search, findings, notes, entries, policyUpdates, samples, trials, snapshots } = report;
  const counts = [
    `${entries} ${entries === 1 ? "entry" : "entries"} replayed, ${counted(policyUpdates, "policy update")}`,
    `${counted(samples, "sample")} made again, ${counted(trials, "trial")} and ${counted(snapshots, "snapshot")} compared`,
  ];
  const lines =
    findings.length === 0
      ? [`${search}: weights, samples and rewards agree`]
      : [`${search}: ${counted(findings.length, "thing")} not as it should be`, ...findings.slice(0, SHOWN)];
  if (findings.length > SHOWN) lines.push(`and ${findings.length - SHOWN} more`);
  return [...lines, ...counts, ...notes].map((line, i) => (i === 0 ? line : `  ${line}`)).join("\n");
}
