// What stands beside a search's data: the commands that show more of it, the logs of its trainers, and its artifacts.
import { join } from "node:path";
import type { Key } from "../../api/store.ts";
import type { Command } from "./documents.ts";

export interface Elsewhere {
  /** Where people find more of a search. */
  commands(key: Key): Command[];
  /** What shows the log of a Job; undefined where that is gone with the Job. */
  log(key: Key, job: string, isRunning: boolean): Command | undefined;
  /** The folder that has a folder for each trial of a search; in words why there is none. */
  artifacts(key: Key): { folder: string } | { none: string };
}

/** Of a search that this machine runs in a folder. */
export const inFolder = (stateDir: string): Elsewhere => ({
  commands: () => [
    { shows: "how it stands", command: `segnas status --state ${quoted(stateDir)}` },
    { shows: "a report in one file", command: `segnas report --state ${quoted(stateDir)}` },
  ],
  log: (_, job) => ({
    shows: "what the trainer printed",
    command: `less ${quoted(join(stateDir, "logs", `${job}.log`))}`,
  }),
  artifacts: () => ({ folder: join(stateDir, "artifacts") }),
});

/** As a shell reads it. */
export const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

/** Of a search in a cluster; `artifacts` as Elsewhere's, for each search the same. */
export const inCluster = (artifacts: ReturnType<Elsewhere["artifacts"]>): Elsewhere => ({
  commands: ({ namespace, name }) => [
    {
      shows: "conditions and events",
      command: `kubectl --namespace ${namespace} describe archsearch ${name}`,
    },
    { shows: "how it stands", command: `kubectl segnas status ${name} --namespace ${namespace}` },
    { shows: "a report in one file", command: `kubectl segnas report ${name} --namespace ${namespace}` },
  ],
  log: ({ namespace }, job, isRunning) =>
    isRunning
      ? {
          shows: "what the trainer prints",
          command: `kubectl --namespace ${namespace} logs job/${job} --container trainer --follow`,
        }
      : undefined,
  artifacts: () => artifacts,
});
