"""One case of the trainer's benchmark in PyTorch: python run.py FOLDER [--compile], the folder as contender.ts fills it.

Tries every variant that PyTorch has of the work, shows that each computes what ours does, and keeps the fastest. Says
so in a line of JSON, then does the work once for each line that it reads and answers with the milliseconds.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from network import STATISTICS, Network, arrays_of, fold, read_safetensors

IGNORED = 255
# Runs by which a variant is chosen, after as many that warm it up.
TRIES = 3
# Of the logits' deviation, as for the goldens.
LOGITS = 5e-4
# Of the loss in each of the first steps: Adam makes moves of one size out of gradients of any, their noise too.
LOSSES = 1e-4, 1e-3, 1e-2

folder = Path(sys.argv[1])
case = json.loads((folder / "case.json").read_text())
network, settings = case["network"], case["optimizer"]
weights = read_safetensors(folder / "weights.safetensors")
data = read_safetensors(folder / "data.safetensors")
formats = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def image_in(memory_format):
    return data["image"].permute(0, 3, 1, 2).contiguous(memory_format=memory_format)


class Training:
    """Training steps as trainer/model/model.ts takes them: loss, clipping by side, Adam, Polyak averages."""

    def __init__(self, layout, wrap):
        self.image = image_in(formats[layout])
        self.label = data["label"].to(torch.uint8)
        arrays = arrays_of(network, weights, formats[layout])
        learned = {name: array.requires_grad_() for name, array in arrays.items() if not name.endswith(STATISTICS)}
        encoder = [array for name, array in learned.items() if name.startswith("encoder.")]
        decoder = [array for name, array in learned.items() if not name.startswith("encoder.")]
        self.sides = [encoder, decoder]
        self.parameters = encoder + decoder
        self.averages = [array.detach().clone() for array in self.parameters]
        rates = (settings["encoderLearningRate"], settings["decoderLearningRate"])
        groups = [{"params": side, "lr": rate} for side, rate in zip(self.sides, rates)]
        self.adam = torch.optim.Adam(groups, weight_decay=settings["weightDecay"], fused=True)
        self.model = wrap(Network(network, arrays))

    def run(self):
        self.adam.zero_grad()
        loss = F.cross_entropy(self.model(self.image), self.label.long(), ignore_index=IGNORED)
        loss.backward()
        for side in self.sides:
            torch.nn.utils.clip_grad_norm_(side, settings["gradientClip"])
        self.adam.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.parameters, 1 - settings["polyakDecay"])
        return loss.item()

    def check(self):
        for tolerance, wanted in zip(LOSSES, case["losses"], strict=True):
            loss = self.run()
            if not abs(loss - wanted) <= tolerance * wanted:
                return f"the loss of a step is {loss} where ours is {wanted}"


class Inference:
    """Logits of one batch, BN folded into the convolutions."""

    def __init__(self, layout, wrap):
        self.image = image_in(formats[layout])
        folded, arrays = fold(network, arrays_of(network, weights, formats[layout]))
        self.model = wrap(Network(folded, arrays).eval())

    @torch.inference_mode()
    def run(self):
        return self.model(self.image)

    def check(self):
        wanted = data["logits"].permute(0, 3, 1, 2)
        distance = ((self.run() - wanted).abs().max() / wanted.std()).item()
        if not distance <= LOGITS:
            return f"a logit is {distance:.1e} deviations away from ours"


def traced(layout):
    """TorchScript, which for inference knows oneDNN's fused convolutions."""

    def wrap(model):
        with torch.inference_mode():
            frozen = torch.jit.freeze(torch.jit.trace(model, image_in(formats[layout])))
            return torch.jit.optimize_for_inference(frozen)

    return wrap


def variants():
    """Name, and how to make it, of each."""
    make = Training if case["kind"] == "Training" else Inference
    for layout in formats:
        yield f"{layout}", lambda: make(layout, lambda model: model)
        if make is Inference:
            yield f"{layout}, traced", lambda: make(layout, traced(layout))
        if "--compile" in sys.argv:
            yield f"{layout}, compiled", lambda: make(layout, torch.compile)


def milliseconds(work):
    clock = time.process_time if case["clock"] == "Processor" else time.perf_counter
    start = clock()
    work.run()
    return 1000 * (clock() - start)


threads = case["threads"]
torch.set_num_threads(threads)
torch.set_num_interop_threads(threads)
torch.set_flush_denormal(True)
best, tried = None, {}
for name, make in variants():
    work = make()
    if fault := work.check():
        sys.exit(f"PyTorch ({name}): {fault}")
    times = [milliseconds(work) for _ in range(2 * TRIES)]
    tried[name] = median(times[TRIES:])
    if tried[name] == min(tried.values()):
        best = work
print(json.dumps(tried), flush=True)
for _ in sys.stdin:
    print(json.dumps(milliseconds(best)), flush=True)
