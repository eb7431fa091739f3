// Makes the layers of a network one by one, with the shape of each value: the only place that knows how
// a layer changes a shape. Padding is always dilation * (kernel div 2), so sizes divide rounding up.
import type { Layer, Network, Part, ValueShape } from "./network.ts";

type LayerKind = Layer extends infer L ? (L extends Layer ? Omit<L, keyof Place> : never) : never;
type Place = Pick<Layer, "name" | "part" | "inputs" | "output">;

/** A convolution without bias, 1x1 and dense unless said otherwise. */
interface ConvOptions {
  kernel?: number;
  stride?: number;
  dilation?: number;
  depthwise?: boolean;
  bias?: boolean;
}

export type LayerMaker = ReturnType<typeof layerMaker>;

/** Functions that append a layer of one part to `graph`; each takes and gives indices of values. */
export function layerMaker(graph: Pick<Network, "values" | "layers">, part: Part) {
  const shape = (value: number): ValueShape => graph.values[value]!;

  function append(name: string, kind: LayerKind, inputs: number[], output: ValueShape): number {
    const { channels, height, width } = output;
    const index = graph.values.push({ channels, height, width }) - 1;
    graph.layers.push({ name, part, inputs, output: index, ...kind });
    return index;
  }
  const same = (kind: "BatchNorm" | "Relu" | "Relu6") => (name: string, input: number) =>
    append(name, { kind }, [input], shape(input));
  const strided = (value: number, stride: number) => ({
    height: Math.ceil(shape(value).height / stride),
    width: Math.ceil(shape(value).width / stride),
  });

  function conv(name: string, input: number, channels: number, options: ConvOptions = {}): number {
    const settings = { kernel: 1, stride: 1, dilation: 1, depthwise: false, bias: false, ...options };
    return append(name, { kind: "Conv2D", ...settings }, [input], {
      channels,
      ...strided(input, settings.stride),
    });
  }
  const batchNorm = same("BatchNorm");
  const relu = same("Relu");
  const relu6 = same("Relu6");

  return {
    shape,
    conv,
    batchNorm,
    relu,
    relu6,
    convBn: (name: string, input: number, channels: number, options?: ConvOptions) =>
      batchNorm(`${name}.bn`, conv(`${name}.conv`, input, channels, options)),
    convBnRelu: (name: string, input: number, channels: number) =>
      relu(`${name}.relu`, batchNorm(`${name}.bn`, conv(`${name}.conv`, input, channels))),
    add: (name: string, inputs: number[]) => append(name, { kind: "Add" }, inputs, shape(inputs[0]!)),
    weightedSum: (name: string, inputs: number[]) =>
      append(name, { kind: "WeightedSum" }, inputs, shape(inputs[0]!)),
    concat: (name: string, inputs: number[]) =>
      append(name, { kind: "Concat" }, inputs, {
        ...shape(inputs[0]!),
        channels: inputs.reduce((sum, value) => sum + shape(value).channels, 0),
      }),
    maxPool: (name: string, input: number, stride: number) =>
      append(name, { kind: "MaxPool3x3", stride }, [input], { ...shape(input), ...strided(input, stride) }),
    globalAveragePool: (name: string, input: number) =>
      append(name, { kind: "GlobalAveragePool" }, [input], { ...shape(input), height: 1, width: 1 }),
    broadcast: (name: string, input: number, size: ValueShape) =>
      append(name, { kind: "Broadcast" }, [input], { ...size, channels: shape(input).channels }),
    repeatChannels: (name: string, input: number, times: number) =>
      append(name, { kind: "RepeatChannels", times }, [input], {
        ...shape(input),
        channels: shape(input).channels * times,
      }),
    /** The value itself where it has that size already. */
    resize: (name: string, input: number, size: ValueShape) =>
      shape(input).height === size.height && shape(input).width === size.width
        ? input
        : append(name, { kind: "Resize" }, [input], { ...size, channels: shape(input).channels }),
  };
}
