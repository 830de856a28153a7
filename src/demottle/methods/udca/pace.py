"""How long UDCA will learn on this machine, by trying a few steps of its networks."""

import time

import torch
from torch import nn

from demottle.image import Image
from demottle.learning.device import best_device, has_fast_bfloat16
from demottle.methods.base import Budget
from demottle.methods.one_scan.slice_network import INPUTS
from demottle.methods.udca.frames import CAUSAL_INPUTS, SINGLE_INPUTS
from demottle.methods.udca.settings import UdcaSettings, remembers, student_network, teacher_network

_TRIALS = 3
_BESIDES = 1.3  # drawing patches, losses and the optimizer, in units of the network's own time
_NEIGHBORS = 4


def learning_seconds(image: Image, settings: UdcaSettings, steps: int, budget: Budget) -> float:
    """Estimate the seconds that learning takes, without what is measured and prepared before; takes some steps to find out.

    Args:
        image: to learn from; only its kind counts.
        settings: settings of the method.
        steps: where the budget names none.
        budget: its minutes are not looked at.
    """
    size, kind = settings.resolved(in_time=image.sequence)
    inputs = INPUTS if not image.sequence else CAUSAL_INPUTS if remembers(kind) else SINGLE_INPUTS
    seconds = _step_of(student_network(size, kind, inputs), inputs, settings)
    if settings.uns > 0:
        seconds += _step_of(teacher_network(size, _NEIGHBORS), _NEIGHBORS, settings)
    return (budget.steps or steps) * seconds * _BESIDES


def _step_of(network: nn.Module, inputs: int, settings: UdcaSettings) -> float:
    """Seconds for one batch, there and back: the shortest of some, because anything else only makes it longer."""
    device = best_device()
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    shape = (settings.batch, inputs, settings.patch, settings.patch)
    seen = torch.rand(shape, device=device).contiguous(memory_format=torch.channels_last)
    spent = []
    for _ in range(_TRIALS):
        begun = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16()):
            answer = network(seen)
        answer.float().square().mean().backward()
        if device.type == "cuda":
            torch.cuda.synchronize()
        spent.append(time.perf_counter() - begun)
    return min(spent[1:])
