// What a search was asked to do, in words: label and value, for the report and for `segnas plan`.
import type { ArchitectureSearch, ArchitectureSearchSpec } from "../api/generated/architecturesearches.ts";
import { networkSettings } from "../controllers/architecturesearch/networks.ts";
import { resolvePolicy } from "../policy/settings.ts";
import { counted, percent, whole } from "./report-format.ts";

/** The settings that a reader of the result wants to know; what the manifest leaves to the presets is said so. */
export function settingsInWords(search: ArchitectureSearch): [string, string][] {
  const { spec } = search;
  const order =
    spec.rewardOrder === "Index"
      ? `Index, with a lag of ${spec.policyLag}: the same seed repeats the search`
      : "Completion, as trials finish";
  return [
    ["Data set", inWords(search)],
    ["Reward", metricInWords(spec.objective.metric)],
    ["Reward of a failure", spec.objective.failureReward],
    ["Trials", `${whole(spec.maxTrials)}, ${whole(spec.parallelism)} at a time`],
    ["Policy", fieldsInWords({ name: resolvePolicy(spec.policy).name, ...spec.policy })],
    ["Order of rewards", order],
    [
      "Space",
      `${counted(spec.space.aggregateChannels, "channel")} before the classifier, separable convolutions made ${times(spec.space.separableRepeats)}`,
    ],
    ["Training", fieldsInWords({ preset: "paper", ...spec.training })],
    ["Seed", String(spec.seed)],
  ];
}

const times = (n: number): string => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`);

export const metricInWords = (metric: ArchitectureSearchSpec["objective"]["metric"]): string =>
  metric === "MeanIoU" ? "mean IoU" : "geometric mean of mean IoU, mean accuracy and frequency-weighted IoU";

function inWords(search: ArchitectureSearch): string {
  const { format, path, classNames, shapes, heldOut } = search.spec.dataset;
  const { classes } = networkSettings(search);
  const parts = [
    path ? `${format} at ${path}` : format,
    shapes ? `${counted(shapes.images, "image")} of ${shapes.width} x ${shapes.height}` : "",
    `${classes} classes${classNames ? ` (${classNames.join(", ")})` : ""}`,
    `${percent(Number(heldOut)).replace(".0%", "%")} of the training part held out`,
  ];
  return parts.filter(Boolean).join(", ");
}

/** Nested settings as "name value", outer names first: "stage0 epochs 5". */
export function fieldsInWords(value: Record<string, unknown>, prefix = ""): string {
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) =>
      typeof field === "object" && field !== null
        ? fieldsInWords(field as Record<string, unknown>, `${prefix}${name} `)
        : `${prefix}${name} ${field}`,
    )
    .join(", ");
}
