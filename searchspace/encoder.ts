// The fixed encoder: the first three stages of MobileNetV2 (arXiv 1801.04381), width 1.0.
import type { LayerMaker } from "./layers.ts";

/** Stages after the 3x3/2 stem of 32 channels; the last two give nodes 0 (1/4) and 1 (1/8). */
const STAGES = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
];

/** Adds the encoder on top of value `image`; returns its two nodes. Names: `encoder.1.0.expand.conv` (stage, block). */
export function addEncoder(make: LayerMaker, image: number): [number, number] {
  let value = make.relu6(
    "encoder.stem.relu6",
    make.convBn("encoder.stem", image, 32, { kernel: 3, stride: 2 }),
  );
  const ends: number[] = [];
  for (const [index, stage] of STAGES.entries()) {
    for (let block = 0; block < stage.blocks; block++) {
      const name = `encoder.${index}.${block}`;
      value = addInvertedResidual(make, name, value, { ...stage, stride: block === 0 ? stage.stride : 1 });
    }
    ends.push(value);
  }
  return [ends[1]!, ends[2]!];
}

/** Expand, depthwise, project (no activation); the input is added where stride is 1 and channels are equal. */
function addInvertedResidual(
  make: LayerMaker,
  name: string,
  input: number,
  { expansion, channels, stride }: { expansion: number; channels: number; stride: number },
): number {
  const before = make.shape(input).channels;
  const hidden = before * expansion;
  // With expansion 1 this 1x1 convolution is redundant; the published networks keep it.
  const expanded = make.relu6(`${name}.expand.relu6`, make.convBn(`${name}.expand`, input, hidden));
  const options = { kernel: 3, stride, depthwise: true };
  const filtered = make.convBn(`${name}.depthwise`, expanded, hidden, options);
  const projected = make.convBn(`${name}.project`, make.relu6(`${name}.depthwise.relu6`, filtered), channels);
  return stride === 1 && before === channels ? make.add(`${name}.add`, [input, projected]) : projected;
}
