// What the operator is told by its environment.
import { hostname } from "node:os";
import { UserError } from "@segnas/searchspace/errors.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

export interface Settings {
  /** The searches of one namespace; of all where undefined. */
  namespace: string | undefined;
  /** For searches whose trialTemplate names none. */
  trainerImage: string | undefined;
  /** Of metrics and health. */
  port: number;
  /** Where the page is served: to all who reach a loopback address, to who gives a token on any other; nowhere where undefined. */
  page: { host: string; port: number } | undefined;
  /** A folder in which each trial of the one namespace that is served has its own. */
  artifacts: string | undefined;
  logLevel: LogLevel;
  pod: {
    name: string;
    /** Where the Lease lies. */
    namespace: string | undefined;
    /** Who holds the Lease: the same for each start of a pod's container. */
    uid: string;
  };
}

/**
 * @param processId what stands for the pod's UID outside a cluster
 * @throws UserError that names the variable
 */
export function readSettings(env: NodeJS.ProcessEnv, processId: string): Settings {
  const { SEGNAS_PORT = "8080", SEGNAS_LOG_LEVEL: logLevel = "info" } = env;
  const port = Number(SEGNAS_PORT);
  if (!/^\d+$/.test(SEGNAS_PORT) || port > 65_535)
    throw new UserError(`SEGNAS_PORT: is ${SEGNAS_PORT}, write a port from 0 to 65535`);
  if (!isLogLevel(logLevel))
    throw new UserError(
      `SEGNAS_LOG_LEVEL: is ${logLevel}, write ${LOG_LEVELS.slice(0, -1).join(", ")} or debug`,
    );
  if (env.SEGNAS_PAGE_ARTIFACTS && !env.SEGNAS_NAMESPACE)
    throw new UserError(
      "SEGNAS_PAGE_ARTIFACTS: trials of several namespaces may have the same name; write SEGNAS_NAMESPACE too",
    );
  return {
    namespace: env.SEGNAS_NAMESPACE || undefined,
    trainerImage: env.SEGNAS_TRAINER_IMAGE || undefined,
    port,
    page: env.SEGNAS_PAGE ? pageAddress(env.SEGNAS_PAGE) : undefined,
    artifacts: env.SEGNAS_PAGE_ARTIFACTS || undefined,
    logLevel,
    pod: {
      name: env.POD_NAME || hostname(),
      namespace: env.POD_NAMESPACE || undefined,
      uid: env.POD_UID || processId,
    },
  };
}

const isLogLevel = (level: string): level is LogLevel => (LOG_LEVELS as readonly string[]).includes(level);

/** Without a host it is every address. */
function pageAddress(address: string): { host: string; port: number } {
  const [, ipv6, host = ipv6, port] = /^(?:\[([\da-f:.]+)\]|([\w.-]*)):(\d+)$/i.exec(address) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw new UserError(`SEGNAS_PAGE: is ${address}, write an address and a port, such as 127.0.0.1:8081`);
  return { host, port: Number(port) };
}
