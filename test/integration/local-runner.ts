// A process to be killed: runs the search of its arguments (folder, spec, pretence), one line of JSON an event.
import { openLocalSearch } from "@segnas/operator/local/run.ts";
import { createLogger, transports } from "winston";
import { options } from "./local-fixtures.ts";

const [folder, spec, pretence] = process.argv.slice(2) as [string, string, string];
const local = await openLocalSearch({
  ...options(folder, JSON.parse(spec), JSON.parse(pretence)),
  logger: createLogger({ transports: [new transports.Console()] }),
});
await local.run(new AbortController().signal);
await local.close();
