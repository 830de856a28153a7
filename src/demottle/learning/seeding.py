"""Seeded construction: the same seed gives the same initial weights, whatever else draws random numbers."""

from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


def seeded(build: Callable[[], T], seed: int) -> T:
    """Call `build` with torch's generator seeded; its state outside is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build()
