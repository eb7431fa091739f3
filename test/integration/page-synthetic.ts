// Searches that nobody ran, of any length, as the page reads them.
import type { LedgerEntry, SettledEntry } from "@segnas/operator/ledger/entry.ts";
import type { PageSource, PageView } from "@segnas/operator/web/page/source.ts";
import { sampleUniform, toDecisions } from "@segnas/searchspace/decisions.ts";
import { random } from "@segnas/searchspace/random.ts";
import { makeSearch, makeTrial } from "../unit/controllers/objects.ts";
import { succeeded } from "../unit/ledger/entries.ts";

/** One in nine fails; rewards rise, and so does how often the policy's favourites are chosen. */
function entryOf(name: string, number: number, of: number): LedgerEntry {
  const draw = random(3, name, number);
  const trial = `${name}-${number}`;
  if (number % 1000 === 999) return { number, index: number, trial, outcome: "Deleted" };
  const decisions = toDecisions(sampleUniform(draw));
  if (draw.uniform() < (0.6 * number) / of) decisions.splice(0, 2, 4, 1);
  const reward = Math.min(0.9, Math.max(0.02, 0.25 + (0.3 * number) / of + 0.08 * draw.normal()));
  const entry = succeeded(number, {
    ...{ trial, decisions, reward, gpuSeconds: 60 + draw.integer(240) },
    parameters: Math.round(90_000 * Math.exp(2.5 * draw.uniform())),
    macs: Math.round(3e8 * Math.exp(2 * draw.uniform())),
    metrics: { meanIoU: reward * 0.85, meanAccuracy: reward * 1.02, frequencyWeightedIoU: reward * 1.1 },
    policyVersion: Math.floor(number / 10),
  });
  if (number % 9 !== 5) return entry;
  const message = `the loss was NaN at step ${draw.integer(400)} of epoch 2`;
  return { ...entry, outcome: "Failed", reward: 0, metrics: null, cause: "NonFiniteLoss", message };
}

function viewOf(name: string, trials: number): PageView {
  const entries = Array.from({ length: trials }, (_, number) => entryOf(name, number, trials));
  const deleted = entries.filter(({ outcome }) => outcome === "Deleted").length;
  const made = makeSearch({ maxTrials: trials });
  const settled = entries.filter((entry): entry is SettledEntry => entry.outcome === "Succeeded");
  const top = settled.toSorted((a, b) => b.reward! - a.reward!)[0]!;
  const best = {
    ...{ trial: top.trial, index: top.index, parameters: top.parameters },
    ...{ reward: String(top.reward), meanIoU: String(top.metrics!.meanIoU) },
  };
  const failed = entries.filter(({ outcome }) => outcome === "Failed").length;
  const search = {
    ...made,
    metadata: { ...made.metadata, name, uid: `uid-of-${name}`, creationTimestamp: "2026-03-01T10:00:00Z" },
    status: {
      conditions: [
        {
          ...{ type: "Complete", status: "True" as const, reason: "MaxTrialsReached" },
          ...{ message: `${trials} trials have settled`, lastTransitionTime: "2026-03-04T10:00:00Z" },
        },
      ],
      observedGeneration: 1,
      trials: { pending: 0, running: 0, succeeded: settled.length, failed, rejected: 0, deleted },
      best,
      gpuSeconds: String(trials * 180),
      startTime: "2026-03-01T10:00:00Z",
      completionTime: "2026-03-04T10:00:00Z",
    },
  };
  const policy = Array.from({ length: Math.floor(trials / 10) }, (_, u) => ({
    ...{ update: u + 1, entropy: 50 * Math.exp(-u / (trials / 20)), baseline: 0.25 + (3 * u) / trials },
    entry: 10 * u + 9,
  }));
  return { search, entries, policy, trials: [], running: [], events: [], isLive: true };
}

/** Searches of so many trials each, by name. */
export function syntheticSource(lengths: Record<string, number>): PageSource {
  const views = new Map(Object.entries(lengths).map(([name, trials]) => [name, viewOf(name, trials)]));
  return {
    searches: async () => [...views.values()].map(({ search }) => search),
    view: async ({ name }) => views.get(name),
    commands: () => [],
    log: () => undefined,
    artifacts: () => ({ none: "Pictures and predictions lie on the artifacts volume." }),
  };
}

const time = "2026-03-01T10:00:00Z";

/** Two searches that have ended, and one in which a trial trains, one waits and something was told. */
export function villages(): PageSource {
  const ended = syntheticSource({ village: 60, hamlet: 7, town: 30 });
  const pending = {
    type: "Progressing",
    status: "True" as const,
    reason: "Pending",
    message: "Unschedulable: no GPU",
  };
  const attempt = { number: 0, job: "j", creationTime: time };
  const open = [
    makeTrial(30, { attempts: [{ ...attempt, startTime: time }] }),
    makeTrial(31, { attempts: [attempt], conditions: [{ ...pending, lastTransitionTime: time }] }),
  ];
  return {
    ...ended,
    async view(key) {
      const view = (await ended.view(key))!;
      if (key.name !== "town") return view;
      const { completionTime: _, conditions: __, ...rest } = view.search.status!;
      const progressing = {
        type: "Progressing",
        status: "True" as const,
        reason: "Searching",
        message: "30 of 40",
      };
      const status = { ...rest, conditions: [{ ...progressing, lastTransitionTime: time }] };
      return {
        ...view,
        search: { ...view.search, spec: { ...view.search.spec, maxTrials: 40 }, status },
        trials: open.map((trial) => ({
          ...trial,
          metadata: { ...trial.metadata, name: `town-${trial.spec.index}` },
        })),
        running: [
          {
            trial: "town-30",
            stage: "0",
            progress: { stage: 0, epoch: 1, epochs: 5, loss: 0.5, losses: [1, 0.5] },
          },
        ],
        events: [{ about: "town", type: "Warning", reason: "TrialFailed", note: "the loss is NaN", time }],
      };
    },
    commands: () => [{ shows: "how it stands", command: "kubectl segnas status town" }],
    log: () => ({ shows: "its log", command: "kubectl logs job/j" }),
  };
}
