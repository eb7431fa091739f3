// The best architectures, drawn, and what the best one sees.
import { html } from "htm/preact";
import { large, percent, real, whole } from "../../format.ts";
import type { BestDocument, PicturesDocument, SearchDocument } from "../documents.ts";
import { picturesPath } from "../paths.ts";
import { useOnce } from "./follow.ts";
import { Copyable, Drawing } from "./parts.ts";

interface Props {
  search: SearchDocument;
  chosen: (index: number) => void;
}

export function Best({ search, chosen }: Props) {
  const { drawn } = search;
  const [first] = drawn;
  if (!first) return null;
  return html`<section aria-labelledby="best"><h2 id="best">The best architectures</h2>
    <div class="cards">${drawn.map((it, i) => html`<${Card} key=${it.trial} place=${i + 1} best=${it} chosen=${chosen} />`)}</div>
    <p class="soft">Nodes e0 and e1 are the encoder's. Each block reads two earlier nodes with two operations: s3 and s5 are separable convolutions, d5 a dilated one, avg and max pools, – a skip. They are summed (sum) or concatenated (cat), made ×n in a row, at half the size (/2). A dot marks what the classifier sees.</p>
    <${Pictures} key=${first.trial} search=${search} index=${first.index} title=${`What ${first.trial} sees`} />
  </section>`;
}

function Card({
  best,
  place,
  chosen,
}: {
  best: BestDocument;
  place: number;
  chosen: (index: number) => void;
}) {
  const { trial, index, reward, meanIoU, parameters, macs, genotype, svg } = best;
  const words = [
    `reward ${real(reward)}`,
    meanIoU === undefined ? "" : `mean IoU ${percent(meanIoU)}`,
    `${whole(parameters)} parameters`,
    `${large(macs)} MACs`,
  ].filter(Boolean);
  return html`<article aria-labelledby=${`best-${place}`}>
    <h3 id=${`best-${place}`}>${place}. <button type="button" class="link" onClick=${() => chosen(index)}>${trial}</button></h3>
    <p class="soft">${words.join(", ")}</p>
    <${Drawing} svg=${svg} />
    <${Copyable} text=${genotype} />
  </article>`;
}

/** Held-out images, their truth, and what a trial's network makes of them. */
export function Pictures({
  search,
  index,
  title,
}: {
  search: { namespace: string; name: string };
  index: number;
  title: string;
}) {
  const { document: told, failure } = useOnce<PicturesDocument>(picturesPath(search, index));
  if (failure !== undefined) return html`<p class="soft">${title}: ${failure}</p>`;
  if (!told) return null;
  if (told.none !== undefined) return html`<h3>${title}</h3><p class="soft">${told.none}</p>`;
  return html`<h3>${title}</h3>
    ${told.pictures.map(
      ({ image, truth, prediction }, i) => html`<div class="pictures">
        <img src=${image} alt=${`Held-out image ${i + 1}`} /><img src=${truth} alt=${`Truth of image ${i + 1}, a colour for each class`} /><img src=${prediction} alt=${`Prediction for image ${i + 1}, a colour for each class`} />
      </div>`,
    )}
    <p class="soft">Image, truth and prediction, from the held-out part.</p>
    <ul class="key legend">${told.legend.map(({ name, color }) => html`<li><svg viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" fill=${color} /></svg>${name}</li>`)}</ul>`;
}
