"""Whether the network is the reference's: python goldens.py NETWORKS GOLDENS, both files of JSON, in one order.

In float32, with the kernels that are timed, test/golden/forward.json must be met to the tolerances of its README.
"""

import json
import sys

import torch
import torch.nn.functional as F
from network import STATISTICS, Network, arrays_of

# Of the logits' deviation, of the loss, and of gradients: a ReLU at its kink may fall either way in float32, which
# moves one small filter by up to three times as much.
LOGITS, LOSS, GRADIENT, FILTER = 5e-4, 1e-5, 1e-2, 3e-2


def h(i, j, k, l):
    """The filling function of test/golden/README.md."""
    x = torch.sin(12.9898 * i + 78.233 * j + 37.719 * k + 9.151 * l + 1) * 43758.5453
    return 2 * (x - torch.floor(x)) - 1


def indices(*sizes):
    """For each axis its index at every place."""
    return torch.meshgrid(*(torch.arange(size, dtype=torch.float64) for size in sizes), indexing="ij")


def tensors_of(network):
    """Every array as the goldens fill it, in our layout."""
    tensors = {}
    for layer in network["layers"]:
        name, outputs = layer["name"], network["values"][layer["output"]]["channels"]
        [c] = indices(outputs)
        zero = torch.zeros_like(c)
        if layer["kind"] == "Conv2D":
            kernel, depthwise = layer["kernel"], layer["depthwise"]
            inputs = 1 if depthwise else network["values"][layer["inputs"][0]]["channels"]
            y, x, i, o = indices(kernel, kernel, inputs, outputs)
            weight = h(o, i, y, x) * (3 / (inputs * kernel * kernel)) ** 0.5
            tensors[f"{name}.weight"] = weight.transpose(2, 3) if depthwise else weight
        if layer["kind"] == "Conv2D" and layer["bias"]:
            tensors[f"{name}.bias"] = 0.05 * h(c, 0, 0, 5)
        if layer["kind"] == "BatchNorm":
            tensors[f"{name}.gamma"] = 1 + 0.2 * h(c, 0, 0, 1)
            tensors[f"{name}.beta"] = 0.1 * h(c, 0, 0, 2)
            tensors[f"{name}.mean"], tensors[f"{name}.variance"] = zero, zero + 1
        if layer["kind"] == "WeightedSum":
            tensors[f"{name}.a"] = 1 + 0.2 * h(c, 0, 0, 3)
            tensors[f"{name}.b"] = 1 + 0.2 * h(c, 0, 0, 4)
    return tensors


def figures(logits):
    """What a golden tells of logits."""
    [_, _, height, width] = logits.shape
    whole = torch.stack([logits.mean(), logits.std(correction=0), logits.min(), logits.max()])
    return torch.cat([whole, logits[0, :, 0, 0], logits[1, :, height // 2, width // 2]])


def golden_figures(golden):
    names = ("mean", "std", "min", "max")
    return torch.tensor([*(golden[name] for name in names), *golden["first"], *golden["middle"]])


def check(what, found, wanted, tolerance):
    distance = (found - torch.as_tensor(wanted)).norm()
    if not distance <= tolerance:
        sys.exit(f"{what} is {distance:.1e} away from the golden")


def check_golden(network, golden):
    name = golden["name"]
    tensors = {key: array.float() for key, array in tensors_of(network).items()}
    arrays = arrays_of(network, tensors, torch.preserve_format)
    learned = {key: array.requires_grad_() for key, array in arrays.items() if not key.endswith(STATISTICS)}
    model = Network(network, arrays)
    b, c, y, x = indices(golden["batch"], 3, golden["height"], golden["width"])
    image = h(b, c, y, x).float()

    def check_logits(logits, wanted, what):
        for found, figure in zip(figures(logits), golden_figures(wanted)):
            check(f"{name}: {what}", found, figure, LOGITS * wanted["std"])

    logits = model(image)
    check_logits(logits, golden["training"], "a figure of the logits")
    [_, classes, height, width] = logits.shape
    b, y, x = indices(golden["batch"], height, width)
    loss = F.cross_entropy(logits, ((3 * y + 5 * x + b) % classes).long())
    check(f"{name}: the loss", loss, golden["loss"], LOSS)

    loss.backward()
    gradients = {key: array.grad for key, array in learned.items() if array.grad is not None}
    stem = gradients["encoder.stem.conv.weight"]
    norm = lambda start: torch.stack([g.norm() for key, g in gradients.items() if key.startswith(start)]).norm()
    encoder = norm("encoder.")
    norms = {
        "encoder": encoder,
        "decoder": (norm("") ** 2 - encoder**2).sqrt(),
        "firstConvolution": stem.norm(),
        "classifier": norm("classifier.conv.weight"),
    }
    for part, found in norms.items():
        wanted = golden["gradientNorms"][part]
        check(f"{name}: the gradient norm of {part}", found, wanted, GRADIENT * wanted)
    wanted = torch.tensor(golden["firstConvolutionGradient"])
    check(f"{name}: the stem's gradient", stem[0].flatten(), wanted, FILTER * wanted.norm())
    wanted = torch.tensor(golden["classifierBiasGradient"])
    check(f"{name}: the bias's gradient", gradients["classifier.conv.bias"], wanted, GRADIENT * wanted.norm())

    with torch.inference_mode():
        logits = model.eval()(image)
    check_logits(logits, golden["evaluationAfterOneTrainingPass"], "a figure of the logits in evaluation")


with open(sys.argv[1]) as networks, open(sys.argv[2]) as goldens:
    for network, golden in zip(json.load(networks), json.load(goldens), strict=True):
        check_golden(network, golden)
