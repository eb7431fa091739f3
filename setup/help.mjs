// `npm run help`: every command of package.json with its line.
import { readFileSync } from "node:fs";

const { scripts, help } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const width = Math.max(...Object.keys(scripts).map((name) => name.length));
console.log("Commands (npm run NAME; start and test also without `run`):\n");
for (const name of Object.keys(scripts)) console.log(`  ${name.padEnd(width)}  ${help[name]}`);
