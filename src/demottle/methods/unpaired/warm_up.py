"""A start that knows noise (ours): before the game, a generator learns to take simulated noise off full-dose patches.

Against a discriminator a spectrally normalized generator needs very many steps until it removes noise at all. Here it first
lowers `mean |G(y + n) - y|`, y full dose, n noise with the spectrum of the low-dose scans and up to their strength. No pairs are
needed for that: it is what the criterion without pairs (`learning.exam`) judges by.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from demottle.errors import UnsuitableError
from demottle.events import Listener
from demottle.learning.cohort import Scan, Sets
from demottle.learning.course import Course
from demottle.learning.drawing import Derive, SidePatches
from demottle.learning.exam import level_of, spectrum_of
from demottle.learning.players import Game, Player, Share
from demottle.learning.run import Run
from demottle.learning.training import train
from demottle.methods.unpaired.pdml_game import exact_norms
from demottle.methods.unpaired.watched_game import Draw
from demottle.noise.synthesis import NoiseSource

_RATE = 2e-3
_STRONGEST = 1.3  # times the level of the scan: noise is not the same everywhere
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
        self._noises = [_noise_for(scan, sets.low.scans, size + size % 2) for scan in sets.full.scans]

    def __call__(self, share: Share) -> tuple[Tensor, Tensor]:
        """Return patches with and without noise; it is added to the wavelet band as to a slice: hardly any of it is left out."""
        noisy, clean = [], []
        for random in share.random(0):
            scan, place = self._patches.place(random)
            source, level = self._noises[scan]
            drawn = source.draw(1, random)[:, None, : self._size, : self._size]
            clean.append(self._patches.cut(scan, place))
            noisy.append(clean[-1] + torch.from_numpy(drawn * np.float32(level * random.uniform(0, _STRONGEST))))
        return torch.cat(noisy).to(share.device), torch.cat(clean).to(share.device)


class WarmUpGame(Game[tuple[Tensor, Tensor]]):
    """One player, the generator to be."""

    def __init__(self, draw: Draw, generator: nn.Module, batch: int) -> None:
        """Prepare; `draw` gives patches with and without noise, scaled."""
        self._draw, self.batch = draw, batch
        self.players = {"generator": Player(generator, _RATE, averaged=True)}

    def draw(self, share: Share) -> tuple[Tensor, Tensor]:
        """Draw patches."""
        return self._draw(share)

    def losses(self, player: str, batch: tuple[Tensor, Tensor]) -> Mapping[str, Tensor]:
        """Return the mean absolute error."""
        generator = self.players[player].network
        with exact_norms(generator):
            return {"simulated noise": (generator(batch[0]).float() - batch[1]).abs().mean()}


def warmed(
    generator: nn.Module, draw: Draw, batch: int, course: Course, *, seed: int, run: Run, key: str, listener: Listener
) -> nn.Module:
    """Train a generator on simulated noise and return it; progress is reported as stage "warm-up"."""
    trained = train(
        WarmUpGame(draw, generator, batch),
        course,
        seed=seed,
        device=run.device,
        saved=run.saved("warm-up"),
        key=key,
        listener=lambda event: listener(replace(event, stage="warm-up")),
        observers=run.observers,
        stop=run.stop,
    )
    return trained.networks["generator"].train()


def _noise_for(full: Scan, low: tuple[Scan, ...], side: int) -> tuple[NoiseSource, float]:
    """Spectrum and level of the noise of the low-dose scans with such pixels.

    The full-dose scan's own noise is not taken off: how strong that is depends on which CT numbers pass for tissue, and what
    is learned must not depend on the full-dose scans' CT numbers.
    """
    size = full.facts.spacing[1]
    alike = [scan for scan in low if abs(scan.facts.spacing[1] / size - 1) < _SAME_PIXELS] or list(low)
    level = level_of(alike) or level_of(low)
    if level is None:
        raise UnsuitableError(
            "The noise of the low-dose scans cannot be measured, so none like it can be simulated; set warm_up=0 to do without."
        )
    return NoiseSource(spectrum_of(alike), side), level
