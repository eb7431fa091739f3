// What each operation of a template is made of.
import type { Operation } from "./architecture.ts";
import type { LayerMaker } from "./layers.ts";

/** Channels to give, the spatial stride, and how many separable convolutions stand in a row. */
interface OperationOptions {
  channels: number;
  stride: number;
  separableRepeats: number;
}

type OperationLayers = (make: LayerMaker, name: string, input: number, options: OperationOptions) => number;

const OPERATION_LAYERS: Record<Operation, OperationLayers> = {
  SeparableConv3x3: separableConv({ kernel: 3, dilation: 1 }),
  SeparableConv5x5: separableConv({ kernel: 5, dilation: 1 }),
  SeparableConv5x5Dilated6: separableConv({ kernel: 5, dilation: 6 }),
  // Ignores the stride in space: the mean goes back to the size of its own input.
  GlobalAveragePool: (make, name, input, { channels }) => {
    const mean = make.globalAveragePool(`${name}.mean`, input);
    const mixed = make.convBnRelu(name, mean, channels);
    return make.broadcast(`${name}.broadcast`, mixed, make.shape(input));
  },
  MaxPool3x3: (make, name, input, { channels, stride }) =>
    make.maxPool(`${name}.pool`, make.convBn(name, input, channels), stride),
  // Ignores the stride in space, but follows it in channels.
  Skip: (make, name, input, { channels }) => {
    const times = channels / make.shape(input).channels;
    return times === 1 ? input : make.repeatChannels(`${name}.repeat`, input, times);
  },
};

/** Depthwise, pointwise, BN, ReLU, in a row; every one strides, the first changes the channels. */
function separableConv({ kernel, dilation }: { kernel: number; dilation: number }): OperationLayers {
  return (make, name, input, { channels, stride, separableRepeats }) => {
    let value = input;
    for (let i = 0; i < separableRepeats; i++) {
      const row = `${name}.${i}`;
      const options = { kernel, dilation, stride, depthwise: true };
      const filtered = make.conv(`${row}.depthwise`, value, make.shape(value).channels, options);
      const mixed = make.conv(`${row}.pointwise`, filtered, channels);
      value = make.relu(`${row}.relu`, make.batchNorm(`${row}.bn`, mixed));
    }
    return value;
  };
}

/** Appends the layers of one operation on value `input`; returns the value that it gives. */
export function applyOperation(
  make: LayerMaker,
  operation: Operation,
  name: string,
  input: number,
  options: OperationOptions,
): number {
  return OPERATION_LAYERS[operation](make, name, input, options);
}
