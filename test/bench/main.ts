// `npm run bench -- NAME [arguments]`: runs test/bench/NAME.ts. Benchmarks report; they assert nothing.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && file !== "main.ts")
  .map((file) => file.slice(0, -3));
const [name, ...rest] = process.argv.slice(2);
if (!name || !names.includes(name)) {
  console.error(`Write one of these benchmarks: npm run bench -- ${names.join(" | ")}`);
  process.exit(64);
}
process.exitCode =
  spawnSync(process.execPath, [`${folder}${name}.ts`, ...rest], { stdio: "inherit" }).status ?? 1;
