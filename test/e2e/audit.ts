// What the operator asked of the API server, by the server's own audit log. There is one on a cluster of this
// machine only.
import { existsSync } from "node:fs";
import { linesOf, logOf } from "../cluster/machine.ts";
import { SERVER } from "../cluster/pki.ts";
import { config } from "./cluster.ts";

interface Entry {
  verb: string;
  requestReceivedTimestamp: string;
  objectRef?: { resource: string; subresource?: string };
}

const LOG = logOf("audit");

/** Whether the cluster's audit log can be read here. */
export const isAudited = (): boolean => existsSync(LOG) && config.getCurrentCluster()!.server === SERVER;

/**
 * How often operators did what, but for their Lease: { "create jobs": 12, ... }.
 * @param who the name of a ServiceAccount, or an operator's credential
 * @param since a time as RFC 3339
 */
export async function requestsOf(who: string, since = ""): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const line of linesOf(LOG)) {
    if (!line.includes(`"${who}"`)) continue;
    const { verb, objectRef, requestReceivedTimestamp } = JSON.parse(line) as Entry;
    if (!objectRef || objectRef.resource === "leases" || requestReceivedTimestamp < since) continue;
    const what = [objectRef.resource, objectRef.subresource].filter(Boolean).join("/");
    const name = `${verb} ${what}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const WRITES = ["create", "update", "patch", "delete"];

/** How many of the requests write. */
export const writesOf = (counts: Record<string, number>): number =>
  Object.entries(counts)
    .filter(([name]) => WRITES.includes(name.split(" ")[0]!))
    .reduce((sum, [, count]) => sum + count, 0);
