// One search as the page shows it, all but its trials. Pure.
import { toGenotype } from "@segnas/searchspace/architecture.ts";
import { fromDecisions } from "@segnas/searchspace/decisions.ts";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import { inputSize, networkSettings } from "../../controllers/architecturesearch/networks.ts";
import { trainingSince } from "../../controllers/status.ts";
import type { SettledEntry } from "../../ledger/entry.ts";
import { resolvePolicy } from "../../policy/settings.ts";
import { metricInWords, settingsInWords } from "../settings.ts";
import { summariseTrial } from "../trial-summary.ts";
import type { BestDocument, RunningDocument, SearchDocument } from "./documents.ts";
import { listed } from "./list.ts";
import type { PageView } from "./source.ts";
import { openTrials, type TrialTable } from "./table.ts";

/** The latest. */
const MOST_EVENTS = 200;

export function searchDocument(
  view: PageView,
  table: TrialTable,
  commands: SearchDocument["commands"],
): SearchDocument {
  const { search, trials, events, problem, isLive } = view;
  const { spec, status } = search;
  const { budget, startingPoints } = spec;
  const open = openTrials(table, trials);
  return {
    ...listed(search, isLive),
    ...(problem !== undefined && { problem }),
    entries: table.entries,
    atATime: Math.min(spec.parallelism, view.gpus ?? Infinity),
    metric: metricInWords(spec.objective.metric),
    settings: settingsInWords(search),
    budget: {
      ...(budget?.gpuHours !== undefined && { gpuHours: Number(budget.gpuHours) }),
      ...(budget?.activeDeadlineSeconds !== undefined && { seconds: budget.activeDeadlineSeconds }),
    },
    policy: {
      name: resolvePolicy(spec.policy).name,
      updates: status?.policyUpdates ?? 0,
      ...(status?.policyEntropy !== undefined && { entropy: Number(status.policyEntropy) }),
    },
    ...(table.imported > 0 && {
      takenOver: { search: startingPoints?.search ?? "", trials: table.imported },
    }),
    running: isLive ? running(view, open) : [],
    waiting: isLive ? waiting(open) : [],
    drawn: table.top.map((entry) => best(entry, search)),
    conditions: (status?.conditions ?? []).map((condition) => ({
      type: condition.type,
      status: condition.status,
      reason: condition.reason,
      message: condition.message,
      since: condition.lastTransitionTime,
    })),
    events: events.slice(-MOST_EVENTS),
    commands,
  };
}

function running(view: PageView, open: CandidateTrial[]): RunningDocument[] {
  const told = new Map(view.running.map((it) => [it.trial, it]));
  return open.flatMap((trial) => {
    const since = trainingSince(trial);
    if (since === undefined) return [];
    const { name } = trial.metadata;
    const { stage = trial.status?.stage, progress = {} } = told.get(name) ?? {};
    const { epoch, epochs, step, steps, meanIoU, imagesPerSecond } = progress;
    const numbers = { epoch, epochs, step, steps, meanIoU, imagesPerSecond };
    const known = Object.entries(numbers).filter(([, value]) => typeof value === "number");
    return [
      {
        trial: name,
        index: trial.spec.index,
        since,
        ...(stage !== undefined && { stage: String(stage) }),
        ...(Object.fromEntries(known) as Partial<typeof numbers>),
        losses: numbersOf(progress.losses),
      } as RunningDocument,
    ];
  });
}

/** As many as the trainer's contract allows. */
const MOST_LOSSES = 120;

/** A trainer may say anything. */
const numbersOf = (told: unknown): number[] =>
  Array.isArray(told) ? told.filter(Number.isFinite).slice(-MOST_LOSSES) : [];

/** What trials wait for: of each reason, which trials and since when the first does. */
function waiting(open: CandidateTrial[]): SearchDocument["waiting"] {
  const reasons = new Map<string, SearchDocument["waiting"][number]>();
  for (const { name, waits } of open.map(summariseTrial)) {
    if (!waits) continue;
    const known = reasons.get(waits.why);
    if (known) known.trials.push(name);
    else
      reasons.set(waits.why, {
        why: waits.why,
        trials: [name],
        ...(waits.since !== undefined && { since: waits.since }),
      });
  }
  return [...reasons.values()];
}

/** Drawn once each. */
const drawings = new WeakMap<SettledEntry, BestDocument>();

function best(entry: SettledEntry, search: ArchitectureSearch): BestDocument {
  const known = drawings.get(entry);
  if (known) return known;
  const { trial, index, reward, metrics, parameters, macs, decisions } = entry;
  const architecture = fromDecisions(decisions);
  const drawn = {
    trial,
    index,
    reward: reward!,
    ...(metrics && { meanIoU: metrics.meanIoU }),
    parameters,
    macs,
    genotype: JSON.stringify(toGenotype(architecture)),
    svg: drawSvg(architecture, networkSettings(search), inputSize(search), { compact: true }),
  };
  drawings.set(entry, drawn);
  return drawn;
}
