"""The way from a scan's dose to the wanted one, in passes; without random numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demottle.image import Mask, Voxels
from demottle.noise import guide
from demottle.physics.low_dose.dose_time import added_noise, dose_with, planned_doses, share_removed

_GRAIN_SIGMA = 1.0  # pixels
_MEDIAN_SIZE = 1.4826  # standard deviations that a median absolute value stands for
_MOST_WRONG = 2.0  # times the planned noise, or that part of it: what is measured on a slice is rough
_FEWEST = 500  # pixels

Estimate = Callable[[Voxels, float], Voxels]
"""R: what full dose looks like, of a slice at a dose."""


@dataclass(frozen=True)
class Way:
    """From where to where.

    Attributes:
        dose: of the scan, as a fraction of full dose; below 1 and `wanted`.
        wanted: dose of the result; infinite: without noise.
        passes: of the network; 1 or more.
        least: dose at time 1.
    """

    dose: float
    wanted: float
    passes: int
    least: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """Measures after each pass how much noise is left, since the network seldom takes off just what was planned.

    The fine grain of what is left, less that of R, is noise: with D the robust deviation of the grain over the body, in units of
    that of unit noise, and d the dose R was made of, `(s / s_f)^2 = (D(x)^2 - D(R)^2) / s_f^2 - (1 - d)`.

    Attributes:
        body: where it looks (rows, columns).
        relative: noise level of each place over that of the scan, the same shape or (1, 1).
        full: standard deviation of full dose's noise, in the unit of the slices.
        grain: deviation of the fine grain of noise of deviation 1.
    """

    body: Mask
    relative: Voxels
    full: float
    grain: float

    def dose_of(self, x: Voxels, guess: Voxels, before: float, planned: float) -> float:
        """Return the dose that fits what is left.

        Args:
            x: the slice after a pass.
            guess: R of that pass.
            before: dose at which it was made.
            planned: dose that the pass was to reach; noise of less than half or more than double of it is not believed.
        """
        if int(self.body.sum()) < _FEWEST:
            return planned
        power = (self._grain_of(x) ** 2 - self._grain_of(guess) ** 2) / self.full**2
        expected = float(added_noise(planned))
        found = np.sqrt(max(power - (1 - before), 0.0))
        return float(dose_with(float(np.clip(found, expected / _MOST_WRONG, expected * _MOST_WRONG))))

    def _grain_of(self, x: Voxels) -> float:
        return grain_of(x / self.relative, self.body) / self.grain


def grain_of(x: Voxels, where: Mask) -> float:
    """Return the robust standard deviation of a slice's fine grain, `x - Gaussian of a pixel`, in the unit of the slice."""
    fine = x - guide.smooth(x, _GRAIN_SIGMA)
    return float(_MEDIAN_SIZE * np.median(np.abs(fine[where])))


def walked(
    x: Voxels, way: Way, estimate: Estimate, calibration: Calibration | None = None
) -> tuple[Voxels, list[Voxels]]:
    """Take a slice to the wanted dose.

    Args:
        x: the slice (rows, columns).
        way: from where to where.
        estimate: gives R.
        calibration: what measures the noise that is left between passes; None: it is as planned.

    Returns:
        The slice at the wanted dose, and R of each pass.
    """
    dose, guesses = way.dose, []
    for planned in planned_doses(way.dose, way.wanted, way.passes, way.least):
        guess = estimate(x, dose)
        guesses.append(guess)
        x = x - np.float32(share_removed(dose, planned)) * (x - guess)
        goes_on = len(guesses) < way.passes
        dose = calibration.dose_of(x, guess, dose, planned) if calibration and goes_on else planned
    return x, guesses
