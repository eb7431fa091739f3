// The search's limits on networks: whether one is over them, before anything is trained.
import type { Architecture, NetworkSettings } from "@segnas/searchspace/architecture.ts";
import { countMacs, countParameters } from "@segnas/searchspace/count.ts";
import { sampleUniform } from "@segnas/searchspace/decisions.ts";
import { predictLatency } from "@segnas/searchspace/latency.ts";
import { expand, type Network } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
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
  const { maxParameters, maxMacs, latency } = constraints;
  const network = constrainedNetwork(search, architecture);
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

/** Each kind of layer is in some third of all architectures or more: in so many none is missed. */
const DRAWS = 50;

/** Throws UserError for a latency table that lacks what a network of the search may have: not first when one has it. */
export function checkConstraints(search: ArchitectureSearch): void {
  const { latency } = search.spec.objective.constraints ?? {};
  const draw = random(0, "latency table");
  for (let n = 0; latency && n < DRAWS; n++)
    predictLatency(latency.table, constrainedNetwork(search, sampleUniform(draw)), TABLE);
}

/** The network as the constraints speak of it. */
function constrainedNetwork(search: ArchitectureSearch, architecture: Architecture): Network {
  const { settings, image } = search.spec.objective.constraints!;
  const own = networkSettings(search);
  return expand(architecture, settings === "Final" ? { ...own, ...FINAL } : own, image ?? inputSize(search));
}
