"""dose-diffusion's one player: a network that takes noise of a stated strength off full-dose patches, and off its own results."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from demottle.learning.data.cohort import Side
from demottle.learning.data.sampling import Derive, SidePatches
from demottle.learning.players import Player, Share
from demottle.methods.unpaired.simulated_noise import ScanNoises
from demottle.methods.unpaired.watched_game import WatchedGame
from demottle.physics.low_dose.dose_time import added_noise, dose_at, dose_with, time_of

BEYOND = 1.5
"""Noise up to so many times that of the least dose is drawn: a scan has places noisier than its level says."""
_ROUND = 0.1
"""Of full dose's noise: what the error is divided by is never less, so that nearly clean patches do not decide alone."""


@dataclass(frozen=True)
class Doses:
    """Which doses are drawn, evenly in time.

    Attributes:
        full: standard deviation of full dose's noise, as the network sees it.
        least: dose at time 1; noise of up to `BEYOND` times as much is drawn too.
        left_out: a range of doses, lower first, of which none is drawn; two equal ones: none is left out.
    """

    full: float
    least: float
    left_out: tuple[float, float] = (0.0, 0.0)

    def drawn(self, random: np.random.Generator, latest: float | None = None) -> float:
        """Draw a time from 0 to `latest` (None: the latest there is)."""
        low, high = self.left_out
        first, last = (time_of(high, self.least), time_of(low, self.least)) if low < high else (0.0, 0.0)
        end = self.latest if latest is None else latest
        gap = max(0.0, min(last, end) - min(first, end))
        time = random.uniform(0, end - gap)
        return float(time if time < first or not gap else time + gap)

    @property
    def latest(self) -> float:
        """The time of the strongest noise."""
        return float(time_of(dose_with(BEYOND * float(added_noise(self.least))), self.least))


@dataclass
class DoseTurn:
    """One step: full-dose patches y, noise of unit variance n, and the doses of both passes, (items, 1, 1, 1)."""

    full: Tensor
    noise: Tensor
    dose: Tensor
    later: Tensor


class DosePatches:
    """Draws full-dose patches and noise of their scans' own spectrum, as the network sees them."""

    def __init__(self, side: Side, size: int, derive: Derive | None, noises: ScanNoises, scale: float) -> None:
        """Open the scans; `scale`: the unit of the images that the network sees as 1."""
        self._patches, self._size, self._scale = SidePatches(side, size, 0, derive), size, scale
        self._noises = [noises.alike(scan) for scan in side.scans]

    def __call__(self, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return a patch and noise, (1, 1, size, size) each."""
        scan, place = self._patches.place(random)
        source, _ = self._noises[scan][random.integers(len(self._noises[scan]))]
        noise = source.draw(1, random)[:, None, : self._size, : self._size]
        return self._patches.cut(scan, place) / self._scale, torch.from_numpy(np.ascontiguousarray(noise))


class DoseGame(WatchedGame[DoseTurn]):
    """One player; with a second pass the network also learns from what it makes itself."""

    def __init__(
        self, draw: DosePatches, network: nn.Module, doses: Doses, *, batch: int, rate: float, second: float
    ) -> None:
        """Prepare; `second`: weight of the second pass, 0: none."""
        self.batch, self._draw, self._doses, self._second = batch, draw, doses, second
        self.players = {"network": Player(network, rate, (0.9, 0.999), averaged=True, largest_gradient=1.0)}

    def draw(self, share: Share) -> DoseTurn:
        """Draw patches, noise and times: one of each patch, and an earlier one."""
        drawn, times, later = [], [], []
        for patch, time in zip(share.random(0), share.random(1), strict=True):
            drawn.append(self._draw(patch))
            times.append(self._doses.drawn(time))
            later.append(self._doses.drawn(time, times[-1]))
        full, noise = (torch.cat(part).to(share.device) for part in zip(*drawn, strict=True))
        dose, after = (
            torch.tensor(dose_at(np.array(part), self._doses.least), dtype=torch.float32).to(share.device)
            for part in (times, later)
        )
        return DoseTurn(full, noise, dose[:, None, None, None], after[:, None, None, None])

    def losses(self, player: str, batch: DoseTurn) -> Mapping[str, Tensor]:
        """Return the mean absolute error of both passes, in units of the noise that each had."""
        network = self.players[player].network
        s, later = (self._doses.full * (1 / dose - 1).clamp_min(0).sqrt() for dose in (batch.dose, batch.later))
        x = batch.full + s * batch.noise
        guess = network(x, s)
        losses = {"first pass": self._error(guess, batch.full, s)}
        if self._second:
            # As `share_removed`; where hardly any noise was added the two doses are one.
            share = (1 - (batch.dose / batch.later).sqrt()) / (1 - batch.dose).clamp_min(1e-6)
            left = x - share * (x - guess.detach())
            losses["second pass"] = self._second * self._error(network(left, later), batch.full, later)
        return losses

    def generator_of(self, networks: Mapping[str, nn.Module]) -> nn.Module:
        """Return the network."""
        return networks["network"]

    def _error(self, guess: Tensor, full: Tensor, s: Tensor) -> Tensor:
        return ((guess.float() - full).abs() / (s + _ROUND * self._doses.full)).mean()
