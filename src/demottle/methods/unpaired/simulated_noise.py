"""Noise like that of the low-dose scans, put on full-dose patches: pairs that need no pairs of scans (ours)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from demottle.errors import UnsuitableError
from demottle.learning.data.cohort import Scan, Sets
from demottle.learning.data.sampling import Derive, SidePatches
from demottle.learning.players import Share
from demottle.learning.validation import WHITE, level_of, own_spectrum
from demottle.methods.unpaired.watched_game import Draw
from demottle.noise.slices import spread
from demottle.noise.synthesis import NoiseSource

_WEAKEST, _STRONGEST = 0.3, 1.4  # times the level of the scan: noise is not the same everywhere
_SAME_PIXELS = 0.1  # relative difference of pixel sizes
_MOST = 16  # low-dose scans whose noise is measured: a second or two each

LOW = (
    "The noise of the low-dose scans cannot be measured, so none like it can be simulated; set warm_up=0 and simulated=0 to do "
    "without."
)
Noise = tuple[NoiseSource, float]
"""A source of noise of unit variance, and the level in the unit of the images."""


class NoisyPatches:
    """Draws full-dose patches with noise and without, both (items, 1, size, size) in the unit of the images."""

    def __init__(self, sets: Sets, size: int, margin: int = 0, derive: Derive | None = None) -> None:
        """Open the full-dose scans, and measure the noise of low-dose scans with pixels of their size.

        Raises:
            UnsuitableError: where the noise of the low-dose scans cannot be measured.
        """
        self._patches = SidePatches(sets.full, size, margin, derive)
        self._size = size
        noises = ScanNoises(sets.low.scans, size + size % 2, LOW)
        self._noises = [noises.alike(scan) for scan in sets.full.scans]

    def __call__(self, share: Share) -> tuple[Tensor, Tensor]:
        """Return patches with and without noise; it is added to the wavelet band as to a slice: hardly any of it is left out."""
        noisy, clean = [], []
        for random in share.random(0):
            scan, place = self._patches.place(random)
            choice = self._noises[scan]
            source, level = choice[random.integers(len(choice))]
            drawn = source.draw(1, random)[:, None, : self._size, : self._size]
            clean.append(self._patches.cut(scan, place))
            noisy.append(clean[-1] + torch.from_numpy(drawn * np.float32(level * random.uniform(_WEAKEST, _STRONGEST))))
        return torch.cat(noisy).to(share.device), torch.cat(clean).to(share.device)


@dataclass(frozen=True)
class SimulatedNoise:
    """The term of the warm-up as a further loss of a game's generator.

    Attributes:
        draw: gives full-dose patches with simulated noise and without, as the generator sees them.
        weight: weight of the mean absolute error.
    """

    draw: Draw
    weight: float

    def loss(self, generator: nn.Module, patches: tuple[Tensor, Tensor]) -> Tensor:
        """Return `weight mean |G(y + n) - y|` for patches that `draw` gave, a scalar."""
        noisy, clean = patches
        made: Tensor = generator(noisy)
        return self.weight * (made.float() - clean).abs().mean()


class ScanNoises:
    """Spectrum and level of the noise of every scan of a side, or of `_MOST` of them spread over all.

    Each its own: another kernel, dose or patient has another texture, and a generator that has seen only one takes the rest for
    anatomy. A scan whose spectrum cannot be measured is left out where another's can; else noise is taken as white. A full-dose
    scan's own noise is not taken off: how strong that is depends on which CT numbers pass for tissue, and what is learned must
    not depend on the full-dose scans' CT numbers.
    """

    def __init__(self, scans: tuple[Scan, ...], side: int, without: str) -> None:
        """Measure.

        Args:
            scans: the scans.
            side: of the patches that are drawn, even.
            without: what to say where no scan has a measurable noise.

        Raises:
            UnsuitableError: there is none.
        """
        asked = {at: level_of(scans[at : at + 1]) for at in spread(len(scans), _MOST)}
        levels = {at: level for at, level in asked.items() if level is not None}
        spectra = {at: found for at in levels if (found := own_spectrum(scans[at])) is not None} or dict.fromkeys(
            levels, WHITE
        )
        self._found = [
            (scans[at].facts.spacing[1], (NoiseSource(spectrum, side), levels[at])) for at, spectrum in spectra.items()
        ]
        if not self._found:
            raise UnsuitableError(without)

    def every(self) -> list[Noise]:
        """Return the noises of all scans that have one."""
        return [noise for _, noise in self._found]

    def alike(self, full: Scan) -> list[Noise]:
        """Return the noises of scans with pixels of a full-dose scan's size, or all of them."""
        size = full.facts.spacing[1]
        close = [noise for spacing, noise in self._found if abs(spacing / size - 1) < _SAME_PIXELS]
        return close or self.every()
