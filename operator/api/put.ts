// Files of the repository that are made from others.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const check = process.argv.includes("--check");
const repository = new URL("../../", import.meta.url);

/** Writes a file made from `source`; with --check it only says whether the file is what it should be. */
export function put(path: string, text: string, source: string): void {
  const file = fileURLToPath(new URL(path, repository));
  if (!check) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    console.error(`${path} is not what ${source} says: run npm run generate`);
    process.exitCode = 1;
  }
}
