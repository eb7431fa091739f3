"""A network in PyTorch: the list of layers that searchspace/network.ts expands an architecture to, run as it is.

Maps are [batch, channels, height, width]. Arrays go by the names of our weights files, `<layer>.<role>`.
"""

import json
from collections import Counter

import torch
import torch.nn.functional as F

EPSILON = 1e-5
MOMENTUM = 0.1
STATISTICS = (".mean", ".variance")


def read_safetensors(path):
    """Named float32 tensors of a file that trainer/model/safetensors.ts wrote."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        numbers = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
    header.pop("__metadata__")
    places = {name: [byte // 4 for byte in entry["data_offsets"]] for name, entry in header.items()}
    return {name: numbers[slice(*places[name])].reshape(entry["shape"]) for name, entry in header.items()}


def arrays_of(network, tensors, memory_format):
    """The network's own copies of its arrays. Ours are [ky, kx, in, out], of depthwise ones [ky, kx, channels, 1]."""
    filters = {f"{layer['name']}.weight" for layer in network["layers"] if layer.get("depthwise")}

    def copy(name, array):
        if not name.endswith(".weight"):
            return array.clone()
        order = (2, 3, 0, 1) if name in filters else (3, 2, 0, 1)
        return array.permute(order).clone(memory_format=memory_format)

    return {name: copy(name, array) for name, array in tensors.items()}


def fold(network, arrays):
    """Network and arrays in which convolutions do the work of the BN layers behind them."""
    arrays = dict(arrays)
    uses = Counter(value for layer in network["layers"] for value in layer["inputs"])
    layers = []
    for layer in network["layers"]:
        maker = layers[-1] if layers else layer
        [source, *_] = layer["inputs"]
        if layer["kind"] != "BatchNorm" or maker["kind"] != "Conv2D" or maker["output"] != source or uses[source] > 1:
            layers.append(layer)
            continue
        name, weight = layer["name"], f"{maker['name']}.weight"
        factor = arrays[f"{name}.gamma"] / torch.sqrt(arrays[f"{name}.variance"] + EPSILON)
        arrays[weight] = arrays[weight] * factor.reshape(-1, 1, 1, 1)
        arrays[f"{maker['name']}.bias"] = arrays[f"{name}.beta"] - arrays[f"{name}.mean"] * factor
        layers[-1] = {**maker, "bias": True, "output": layer["output"]}
    return {**network, "layers": layers}, arrays


class Network(torch.nn.Module):
    """All layers as one function of the image."""

    def __init__(self, network, arrays):
        super().__init__()
        self.arrays = arrays
        self.logits = network["logits"]
        uses = Counter(value for layer in network["layers"] for value in layer["inputs"])
        makers = {layer["output"]: layer["kind"] for layer in network["layers"]}
        needed = {self.logits}
        self.steps = []
        for layer in reversed(network["layers"]):
            [source, *_] = layer["inputs"]
            # Their gradients do not ask for what they made.
            in_place = makers.get(source) in ("Conv2D", "BatchNorm") and uses[source] == 1
            ended = set(layer["inputs"]) - needed
            needed |= ended
            operation = self.operation(layer, network["values"], in_place)
            self.steps.insert(0, (operation, layer["inputs"], layer["output"], ended))

    def operation(self, layer, values, in_place):
        """What a layer does, as a function of its inputs."""
        made = values[layer["output"]]
        size = (made["height"], made["width"])
        array = lambda role: self.arrays.get(f"{layer['name']}.{role}")
        factors = lambda role: array(role).reshape(1, -1, 1, 1)
        match layer["kind"]:
            case "Conv2D":
                stride, dilation = layer["stride"], layer["dilation"]
                padding = dilation * (layer["kernel"] // 2)
                groups = made["channels"] if layer["depthwise"] else 1
                return lambda x: F.conv2d(x, array("weight"), array("bias"), stride, padding, dilation, groups)
            case "BatchNorm":
                roles = ("mean", "variance", "gamma", "beta")
                return lambda x: F.batch_norm(x, *map(array, roles), self.training, MOMENTUM, EPSILON)
            case "Relu":
                return F.relu_ if in_place else F.relu
            case "Relu6":
                return lambda x: F.relu6(x, in_place)
            case "Add":
                return torch.add
            case "WeightedSum":
                return lambda x, y: torch.addcmul(x * factors("a"), y, factors("b"))
            case "Concat":
                return lambda *parts: torch.cat(parts, 1)
            case "MaxPool3x3":
                return lambda x: F.max_pool2d(x, 3, layer["stride"], 1)
            case "GlobalAveragePool":
                return lambda x: x.mean((2, 3), keepdim=True)
            case "Resize":
                return lambda x: F.interpolate(x, size, mode="bilinear", align_corners=False)
            case "Broadcast":
                return lambda x: x.expand(-1, -1, *size)
            case "RepeatChannels":
                return lambda x: x.repeat(1, layer["times"], 1, 1)

    def forward(self, image):
        values = {0: image}
        for operation, inputs, output, ended in self.steps:
            values[output] = operation(*(values[value] for value in inputs))
            for value in ended:
                del values[value]
        return values[self.logits]
