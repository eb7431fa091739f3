// One trial as the page shows it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Architecture, toGenotype } from "@segnas/searchspace/architecture.ts";
import { drawSvg } from "@segnas/searchspace/drawing.ts";
import type { CandidateTrial } from "../../api/generated/candidatetrials.ts";
import { keyOf } from "../../api/store.ts";
import { inputSize, networkSettings } from "../../controllers/architecturesearch/networks.ts";
import { isImported, type LedgerEntry } from "../../ledger/entry.ts";
import { summariseEntry } from "../trial-summary.ts";
import type { PicturesDocument, TrialDocument, ValidationDocument } from "./documents.ts";
import type { Elsewhere } from "./elsewhere.ts";
import { readPictures } from "./pictures.ts";
import type { PageView } from "./source.ts";
import { inWords, summariseOpen } from "./table.ts";

type Source = Pick<Elsewhere, "log" | "artifacts">;

/** Undefined where there is no trial of that index. */
export async function trialDocument(
  view: PageView,
  index: number,
  source: Source,
): Promise<TrialDocument | undefined> {
  const { entry, trial } = find(view, index);
  const summary = entry ? summariseEntry(entry) : trial && summariseOpen(trial, view.isLive);
  if (!summary) return undefined;
  const { name, outcome, architecture, reward, metrics, parameters, macs, seconds } = summary;
  const words = inWords(summary);
  const policyVersion =
    trial?.spec.policyVersion ?? (entry && "policyVersion" in entry && entry.policyVersion);
  return {
    trial: name,
    index,
    outcome,
    ...(words && { words }),
    ...(reward !== undefined && { reward }),
    ...(metrics && { metrics }),
    ...(parameters !== undefined && { parameters }),
    ...(macs !== undefined && { macs }),
    ...(seconds !== undefined && { seconds }),
    ...(typeof policyVersion === "number" && { policyVersion }),
    ...(architecture && drawn(view, architecture)),
    stages: stagesOf(entry, trial),
    validations: (await readCurve(view, name, source)) ?? measured(entry, trial),
    attempts: trial ? attempts(trial, source) : [],
    events: view.events.filter(({ about }) => about === name),
  };
}

function find({ entries, trials }: PageView, index: number) {
  return {
    entry: entries.findLast((entry) => entry.index === index && !isImported(entry)),
    trial: trials.find(({ spec }) => spec.index === index),
  };
}

const drawn = ({ search }: PageView, architecture: Architecture) => ({
  genotype: JSON.stringify(toGenotype(architecture)),
  svg: drawSvg(architecture, networkSettings(search), inputSize(search)),
});

/** The curve that a trainer writes, where it can be read from here: also of a trial that still trains. */
async function readCurve(
  { search }: PageView,
  name: string,
  source: Source,
): Promise<ValidationDocument[] | undefined> {
  const artifacts = source.artifacts(keyOf(search));
  if (!("folder" in artifacts)) return undefined;
  const text = await readFile(join(artifacts.folder, name, "curve.jsonl"), "utf8").catch(() => "");
  // The last line may be half written.
  const points = text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<keyof ValidationDocument, unknown>];
    } catch {
      return [];
    }
  });
  const numbers = points.flatMap(({ stage, epoch, reward, meanIoU, loss }) =>
    [stage, epoch, reward, meanIoU].every(Number.isFinite)
      ? [{ stage, epoch, reward, meanIoU, ...(Number.isFinite(loss) && { loss }) } as ValidationDocument]
      : [],
  );
  return numbers.length > 0 ? numbers : undefined;
}

const measured = (entry: LedgerEntry | undefined, trial: CandidateTrial | undefined): ValidationDocument[] =>
  entry && "slots" in entry
    ? entry.slots
    : (trial?.status?.result?.slots ?? []).map(({ stage, epoch, reward, meanIoU }) => ({
        stage,
        epoch,
        reward: Number(reward),
        meanIoU: Number(meanIoU),
      }));

const stagesOf = (
  entry: LedgerEntry | undefined,
  trial: CandidateTrial | undefined,
): TrialDocument["stages"] =>
  entry && "slots" in entry
    ? (entry.stages ?? [])
    : (trial?.status?.result?.stages ?? []).map(({ stage, seconds }) => ({
        stage,
        seconds: Number(seconds),
      }));

function attempts(trial: CandidateTrial, source: Source): TrialDocument["attempts"] {
  return (trial.status?.attempts ?? []).map(({ number, job, startTime, endTime, cause, message }) => {
    const log = startTime && source.log(keyOf(trial), job, endTime === undefined);
    const words = message ?? cause;
    return {
      number,
      ...(startTime && { startedAt: startTime }),
      ...(endTime && { endedAt: endTime }),
      ...(words && { message: words }),
      ...(log && { log }),
    };
  });
}

/** Undefined where there is no such trial. */
export async function picturesDocument(
  view: PageView,
  index: number,
  source: Source,
): Promise<PicturesDocument | undefined> {
  const { entry } = find(view, index);
  const artifacts = source.artifacts(keyOf(view.search));
  if (!entry) return undefined;
  if (!("folder" in artifacts)) return { pictures: [], legend: [], none: artifacts.none };
  return readPictures(join(artifacts.folder, entry.trial));
}
