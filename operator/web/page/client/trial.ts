// All of one trial, over the page.
import { html } from "htm/preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { counted, duration, large, percent, real, whole } from "../../format.ts";
import type { SearchDocument, TrialDocument, ValidationDocument } from "../documents.ts";
import { trialPath } from "../paths.ts";
import { Pictures } from "./best.ts";
import { Chart, countAxis, type Ink, type Line, leftAxis } from "./chart.ts";
import { Events } from "./events.ts";
import { useDocument } from "./follow.ts";
import { Commands, Copyable, Fact, Notice, WideDrawing } from "./parts.ts";
import { OUTCOME_WORDS, since, stageTimes, when } from "./words.ts";

interface Props {
  search: SearchDocument;
  index: number;
  close: () => void;
}

export function TrialDialog({ search, index, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { document: trial, failure } = useDocument<TrialDocument>(trialPath(search, index));
  useEffect(() => {
    dialog.current!.showModal();
  }, []);
  // A click beside it is one on the dialog itself.
  const aside = (event: MouseEvent) => event.target === dialog.current && close();
  return html`<dialog ref=${dialog} aria-labelledby="trial" onClose=${close} onClick=${aside}><div class="inside">
    <form method="dialog"><button class="copy close">Close</button></form>
    <h2 id="trial">${search.name}-${index}</h2>
    <${Notice} failure=${failure} reading=${!trial} />
    ${trial && html`<${Trial} search=${search} trial=${trial} />`}
  </div></dialog>`;
}

function Trial({ search, trial }: { search: SearchDocument; trial: TrialDocument }) {
  const { outcome, words, reward, metrics, parameters, macs, seconds, policyVersion } = trial;
  return html`
    ${words && html`<p class=${outcome === "Failed" ? "notice" : ""}>${words}</p>`}
    <dl class="facts">
      <${Fact} label="Outcome" value=${OUTCOME_WORDS[outcome] ?? outcome} more=${policyVersion === undefined ? undefined : `proposed after ${counted(policyVersion, "update")}`} />
      ${reward !== undefined && html`<${Fact} label="Reward" value=${real(reward)} />`}
      ${metrics && html`<${Fact} label="Mean IoU" value=${percent(metrics.meanIoU)} />`}
      ${metrics?.meanAccuracy !== undefined && html`<${Fact} label="Mean accuracy" value=${percent(metrics.meanAccuracy)} />`}
      ${metrics?.frequencyWeightedIoU !== undefined && html`<${Fact} label="Weighted IoU" value=${percent(metrics.frequencyWeightedIoU)} more="by frequency" />`}
      ${parameters !== undefined && html`<${Fact} label="Parameters" value=${whole(parameters)} more=${macs === undefined ? undefined : `${large(macs)} MACs`} />`}
      ${seconds !== undefined && html`<${Fact} label="Trained for" value=${duration(seconds)} />`}
    </dl>
    ${trial.stages.length > 0 && html`<p class="soft">It took: ${stageTimes(trial.stages)}.</p>`}
    ${trial.validations.length > 1 && html`<${Validations} validations=${trial.validations} />`}
    ${trial.attempts.length > 0 && html`<h3>Attempts</h3>${trial.attempts.map((it) => html`<${Attempt} key=${it.number} attempt=${it} />`)}`}
    <${Events} events=${trial.events} />
    ${trial.svg && html`<h3>Architecture</h3><${Copyable} text=${trial.genotype} /><${WideDrawing} svg=${trial.svg} label="Drawing of the architecture" />`}
    ${outcome === "Succeeded" && html`<${Pictures} search=${search} index=${trial.index} title="What it sees" />`}`;
}

function Attempt({ attempt }: { attempt: TrialDocument["attempts"][number] }) {
  const { number, startedAt, endedAt, message, log } = attempt;
  const times = [
    startedAt ? `began ${when(startedAt)}` : "did not begin",
    startedAt ? (endedAt ? `took ${since(startedAt, new Date(endedAt))}` : "trains now") : "",
  ].filter(Boolean);
  return html`<p><strong>${number + 1}.</strong> <span class="soft">${times.join(", ")}.</span> ${message ?? ""}</p>
    ${log ? html`<${Commands} commands=${[log]} />` : startedAt && html`<p class="soft">Its log is gone with its Job.</p>`}`;
}

function Validations({ validations }: { validations: ValidationDocument[] }) {
  const hasLoss = validations.some(({ loss }) => loss !== undefined);
  const data = useMemo(
    () => [
      validations.map((_, i) => i + 1),
      validations.map(({ reward }) => reward),
      validations.map(({ meanIoU }) => meanIoU),
      ...(hasLoss ? [validations.map(({ loss }) => loss ?? null)] : []),
    ],
    [validations],
  );
  const name = (value: number) => {
    const { stage, epoch } = validations[value - 1]!;
    return `stage ${stage}, after ${counted(epoch, "epoch")}`;
  };
  const last = validations.at(-1)!;
  return html`<figure><h3>Validations on its way</h3><${Chart}
    label=${`${counted(validations.length, "validation")}; the last with reward ${real(last.reward)}`}
    data=${data}
    height=${200}
    shape=${`${validations.length} ${hasLoss}`}
    drawing=${(ink: Ink) => ({
      x: name,
      axes: [
        countAxis(ink, "validation"),
        leftAxis(ink, "reward, mean IoU"),
        ...(hasLoss
          ? [{ ...leftAxis(ink, "loss"), side: 1 as const, scale: "loss", grid: { show: false } }]
          : []),
      ],
      lines: [
        { label: "reward", mark: "line", colour: ink.best, words: real },
        { label: "mean IoU", mark: "line", colour: ink.line, words: percent },
        ...(hasLoss
          ? [{ label: "loss", mark: "dashes", colour: ink.point, words: real, scale: "loss" } as Line]
          : []),
      ],
    })}
  /></figure>`;
}
