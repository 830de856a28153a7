"""The weights that learning begins with: shipped, and made from simulations only.

`SLICES`, for learning from a scan, come from tools/start_network.py; `FRAMES`, for the light student of a run, from
tools/start_student.py.
"""

from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

SLICES, FRAMES = (Path(__file__).with_name(f"start_{what}.safetensors") for what in ("slices", "frames"))


def fill_from_start(network: nn.Module, file: Path = SLICES) -> bool:
    """Give a network the shipped weights; where it sees more images than they know, those begin without a say.

    Args:
        network: to be filled.
        file: `SLICES` or `FRAMES`.

    Returns:
        False, the network left as it was, where it has another architecture.
    """
    shipped, own = _shipped(file), network.state_dict()
    if set(shipped) != set(own) or not all(_fits(shipped[name], own[name]) for name in own):
        return False
    with torch.no_grad():
        for name, value in own.items():
            value.zero_()
            value[tuple(slice(side) for side in shipped[name].shape)] = shipped[name]
    return True


@cache
def _shipped(file: Path) -> dict[str, Tensor]:
    return {name: value.to(torch.float32, copy=True) for name, value in load_file(file).items()}


def _fits(shipped: Tensor, own: Tensor) -> bool:
    """Same shape, or more inputs (the second axis of a convolution)."""
    if shipped.shape == own.shape:
        return True
    return shipped.dim() == 4 and shipped.shape[1] <= own.shape[1] and _but_inputs(shipped) == _but_inputs(own)


def _but_inputs(weight: Tensor) -> tuple[int, ...]:
    return (weight.shape[0], *weight.shape[2:])
