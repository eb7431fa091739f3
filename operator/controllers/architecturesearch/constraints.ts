// The search's limits on networks: whether one is over them, before anything is trained.
import type { Architecture, NetworkSettings } from "@segnas/searchspace/architecture.ts";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { predictLatency } from "@segnas/searchspace/latency.ts";
import { expand } from "@segnas/searchspace/network.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import { inputSize, networkSettings } from "./networks.ts";

/** As the paper trains its results in full. */
const FINAL: Omit<NetworkSettings, "classes"> = { aggregateChannels: 64, separableRepeats: 2 };

const TABLE = "spec.objective.constraints.latency.table";

/**
 * The first limit that the network is over, in a sentence; undefined where it keeps them all. Throws UserError for a
 * latency table that is none for this network.
 */
export function violationOf(search: ArchitectureSearch, architecture: Architecture): string | undefined {
  const { constraints } = search.spec.objective;
  if (!constraints) return undefined;
  const { maxParameters, maxMacs, latency, settings, image } = constraints;
  const own = networkSettings(search);
  const network = expand(
    architecture,
    settings === "Final" ? { ...own, ...FINAL } : own,
    image ?? inputSize(search),
  );
  const over = (amount: string, field: string, limit: string) =>
    `it has ${amount}, objective.constraints.${field} is ${limit}`;
  if (maxParameters !== undefined) {
    const { total } = countParameters(network);
    if (total > maxParameters) return over(`${total} parameters`, "maxParameters", `${maxParameters}`);
  }
  if (maxMacs !== undefined) {
    const { total } = countMacs(network);
    if (total > maxMacs) return over(`${total} multiply-accumulates`, "maxMacs", `${maxMacs}`);
  }
  if (latency) {
    const milliseconds = predictLatency(latency.table, network, TABLE);
    if (milliseconds > Number(latency.maxMilliseconds))
      return over(
        `a latency of ${milliseconds.toPrecision(4)} ms`,
        "latency.maxMilliseconds",
        latency.maxMilliseconds,
      );
  }
  return undefined;
}
