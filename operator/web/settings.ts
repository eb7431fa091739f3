// What a search was asked to do, in words: label and value, for the report and for `segnas plan`.
import type { ArchitectureSearch, ArchitectureSearchSpec } from "../api/generated/architecturesearches.ts";
import { networkSettings } from "../controllers/architecturesearch/networks.ts";
import { resolvePolicy } from "../policy/settings.ts";
import { counted, duration, large, percent, whole } from "./format.ts";

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
    ...constraintsInWords(spec),
    ["Trials", `${whole(spec.maxTrials)}, ${whole(spec.parallelism)} at a time`],
    ["Ends early", limitsInWords(spec)],
    ...startInWords(spec),
    ["Policy", fieldsInWords({ name: resolvePolicy(spec.policy).name, ...spec.policy })],
    ["Order of rewards", order],
    [
      "Space",
      `${counted(spec.space.aggregateChannels, "channel")} before the classifier, separable convolutions made ${times(spec.space.separableRepeats)}`,
    ],
    ["Training", fieldsInWords({ preset: "paper", ...spec.training })],
    ["Gate", gateInWords(spec.gate)],
    [
      "A network again",
      spec.duplicates === "Reuse" ? "gets the result that it has already" : "is trained again",
    ],
    ["A trial again", `${counted(spec.retries, "time")} where the machine fails it`],
    ["Seed", String(spec.seed)],
  ];
}

function constraintsInWords({ objective }: ArchitectureSearchSpec): [string, string][] {
  if (!objective.constraints) return [];
  const { maxParameters, maxMacs, latency, settings, image, onViolation } = objective.constraints;
  const limits = [
    maxParameters === undefined ? "" : `${whole(maxParameters)} parameters`,
    maxMacs === undefined ? "" : `${large(maxMacs)} MACs`,
    latency && `${latency.maxMilliseconds} ms${latency.table.device ? ` on ${latency.table.device}` : ""}`,
  ].filter(Boolean);
  const at =
    image && (maxMacs !== undefined || latency) ? `, an image of ${image.width} x ${image.height}` : "";
  const counted = `counted as ${settings === "Final" ? "trained in full" : "the search trains"}${at}`;
  const over =
    onViolation === "Resample" ? "the policy proposes again" : "the reward of a failure, untrained";
  return [["At most", `${limits.join(", ")}, ${counted}; over that: ${over}`]];
}

function limitsInWords({ maxFailedTrials, budget }: ArchitectureSearchSpec): string {
  const limits = [
    budget?.gpuHours === undefined ? "" : `after ${budget.gpuHours} GPU-hours`,
    budget?.activeDeadlineSeconds === undefined ? "" : `after ${duration(budget.activeDeadlineSeconds)}`,
    maxFailedTrials === undefined ? "" : `with more than ${counted(maxFailedTrials, "failed trial")}`,
  ].filter(Boolean);
  return limits.join(", ") || "never";
}

function startInWords({ startingPoints }: ArchitectureSearchSpec): [string, string][] {
  const { search, architectures = [] } = startingPoints ?? {};
  const given = architectures.filter(({ published }) => published === undefined).length;
  const points = [
    search === undefined ? "" : `the trials of ${search}`,
    ...architectures.map(({ published }) => published ?? ""),
    given > 0 ? counted(given, "given architecture") : "",
  ].filter(Boolean);
  return points.length > 0 ? [["Begins with", points.join(", ")]] : [];
}

function gateInWords({ type, tolerance, decay, biasCorrection }: ArchitectureSearchSpec["gate"]): string {
  if (type === "None") return "none: every trial is trained to its end";
  const mean = `running mean of rewards (decay ${decay}${biasCorrection ? "" : ", from 0.01 on"})`;
  return `a trial goes on above the ${mean}, less up to ${percent(Number(tolerance)).replace(".0%", "%")}`;
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
