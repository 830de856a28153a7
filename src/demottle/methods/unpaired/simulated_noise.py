"""Noise like that of the low-dose scans, put on full-dose patches: pairs that need no pairs of scans (ours)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from demottle.errors import UnsuitableError
from demottle.learning.cohort import Scan, Sets
from demottle.learning.drawing import Derive, SidePatches
from demottle.learning.exam import level_of, spectrum_of
from demottle.learning.players import Share
from demottle.methods.unpaired.watched_game import Draw
from demottle.noise.synthesis import NoiseSource

_WEAKEST, _STRONGEST = 0.3, 1.4  # times the level of the scan: noise is not the same everywhere
_SAME_PIXELS = 0.1  # relative difference of pixel sizes


class NoisyPatches:
    """Draws full-dose patches with noise and without, both (items, 1, size, size) in the unit of the images."""

    def __init__(self, sets: Sets, size: int, margin: int = 0, derive: Derive | None = None) -> None:
        """Open the full-dose scans, and measure the noise of low-dose scans with pixels of their size.

        Raises:
            UnsuitableError: where the noise of the low-dose scans cannot be measured.
        """
        self._patches = SidePatches(sets.full, size, margin, derive)
        self._size = size
        side, found = size + size % 2, dict[tuple[Scan, ...], tuple[NoiseSource, float]]()
        for scan in sets.full.scans:
            alike = _alike(scan, sets.low.scans)
            if alike not in found:
                found[alike] = _noise_of(alike, sets.low.scans, side)
        self._noises = [found[_alike(scan, sets.low.scans)] for scan in sets.full.scans]

    def __call__(self, share: Share) -> tuple[Tensor, Tensor]:
        """Return patches with and without noise; it is added to the wavelet band as to a slice: hardly any of it is left out."""
        noisy, clean = [], []
        for random in share.random(0):
            scan, place = self._patches.place(random)
            source, level = self._noises[scan]
            drawn = source.draw(1, random)[:, None, : self._size, : self._size]
            clean.append(self._patches.cut(scan, place))
            noisy.append(clean[-1] + torch.from_numpy(drawn * np.float32(level * random.uniform(_WEAKEST, _STRONGEST))))
        return torch.cat(noisy).to(share.device), torch.cat(clean).to(share.device)


@dataclass(frozen=True)
class SimulatedNoise:
    """The term of the warm-up as a further loss of a game's generator.

    Attributes:
        draw: gives full-dose patches with simulated noise and without, as the generator sees them.
        weight: of the mean absolute error.
    """

    draw: Draw
    weight: float

    def loss(self, generator: nn.Module, patches: tuple[Tensor, Tensor]) -> Tensor:
        """Return `weight mean |G(y + n) - y|` for patches that `draw` gave, a scalar."""
        noisy, clean = patches
        made: Tensor = generator(noisy)
        return self.weight * (made.float() - clean).abs().mean()


def _alike(full: Scan, low: tuple[Scan, ...]) -> tuple[Scan, ...]:
    """The low-dose scans with pixels of that size, or all of them."""
    size = full.facts.spacing[1]
    return tuple(scan for scan in low if abs(scan.facts.spacing[1] / size - 1) < _SAME_PIXELS) or low


def _noise_of(alike: tuple[Scan, ...], low: tuple[Scan, ...], side: int) -> tuple[NoiseSource, float]:
    """Spectrum and level of the noise of low-dose scans.

    The full-dose scan's own noise is not taken off: how strong that is depends on which CT numbers pass for tissue, and what
    is learned must not depend on the full-dose scans' CT numbers.
    """
    level = level_of(alike) or level_of(low)
    if level is None:
        raise UnsuitableError(
            "The noise of the low-dose scans cannot be measured, so none like it can be simulated; set warm_up=0 and "
            "simulated=0 to do without."
        )
    return NoiseSource(spectrum_of(alike), side), level
