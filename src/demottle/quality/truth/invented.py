"""Structure that a denoiser makes out of pure noise: a noise-only input must come out flat.

Give it an image of uniform tissue with noise of the scan's own spectrum (`demottle.noise.synthesis.NoiseSource`), and compare
what went in with what came out, less the uniform value.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis

from demottle.errors import InputError
from demottle.quality.arrays import planes_of, same_shape, spacing_of
from demottle.quality.objects.nps import nps_of_uniform

Array = NDArray[np.float64]

DIAMETERS = (3.0, 5.0, 10.0)
_RIM = 8  # pixels at the border that do not count: filters behave differently there


@dataclass(frozen=True)
class FalseDisc:
    """The strongest disc-like spot of one size in HU (mean of the disc less mean of the ring around), before and after."""

    diameter: float
    before: float
    after: float


@dataclass(frozen=True)
class NoiseOnly:
    """What became of pure noise.

    Attributes:
        before, after: standard deviation in HU.
        shift: mean after minus mean before in HU; 0 for an honest denoiser.
        amplification: largest ratio of noise power, after over before, of any radial frequency; above 1: structure was made.
        amplified_at: that frequency in 1/mm.
        excess: excess kurtosis after; 0 for Gaussian noise, large where a flat image keeps lone spots.
        discs: strongest false discs by size.
    """

    before: float
    after: float
    shift: float
    amplification: float
    amplified_at: float
    excess: float
    discs: tuple[FalseDisc, ...]


def noise_only(
    before: NDArray[Any],
    after: NDArray[Any],
    spacing: float | tuple[float, float],
    diameters: tuple[float, ...] = DIAMETERS,
    fewest: int = 20,
) -> NoiseOnly:
    """Compare a noise-only input with the denoiser's output.

    Args:
        before, after: (n, rows, columns) in HU: uniform value plus noise, and what came out of it.
        spacing: pixel spacing in mm.
        diameters: diameters of the false discs to look for, in mm; those below 3 pixels or too large for the planes are left out.
        fewest: least number of 64 x 64 regions for the spectra (smaller planes: 32 x 32).

    Raises:
        InputError: different shapes, NaN, no spacing, an input without noise, too few regions.
    """
    one, other = planes_of(before, "noise-only planes"), planes_of(after, "denoised planes")
    same_shape("noise-only input and output", one, other)
    step = spacing_of(spacing)
    one, other = (p[:, _RIM:-_RIM, _RIM:-_RIM] for p in (one, other))
    if one.size == 0 or not one.std() > 0:
        raise InputError("The noise-only input holds no noise; give uniform tissue with noise.")
    size = 64 if min(one.shape[1:]) >= 128 else 32
    spectra = [nps_of_uniform(p, step, size=size, fewest=fewest) for p in (one, other)]
    # The lowest rings are what the detrend left, and rings without input noise say nothing of amplification.
    usable = np.arange(len(spectra[0].density)) >= 2
    usable &= spectra[0].density > 1e-3 * spectra[0].density.max()
    gain = np.where(usable, spectra[1].density / np.maximum(spectra[0].density, 1e-30), 0)
    top = int(np.argmax(gain))
    fit = [
        d
        for d in diameters
        if 3 * max(step) <= d and 1.6 * d < min(n * s for n, s in zip(one.shape[1:], step, strict=True))
    ]
    discs = tuple(FalseDisc(d, _strongest(one, d, step), _strongest(other, d, step)) for d in fit)
    spread = float(other.std())
    excess = float(kurtosis(other, axis=None)) if spread > 0 else 0.0
    shift = float(other.mean() - one.mean())
    return NoiseOnly(
        float(one.std()), spread, shift, float(gain[top]), float(spectra[0].frequency[top]), excess, discs
    )  # fmt: skip


def _strongest(planes: Array, diameter: float, spacing: tuple[float, float]) -> float:
    """Largest absolute difference of a disc's mean and that of the ring from 1 to 1.5 diameters around it."""
    reach = [int(np.ceil(0.75 * diameter / s)) for s in spacing]
    dy, dx = (np.arange(-r, r + 1) * s for r, s in zip(reach, spacing, strict=True))
    distance = np.hypot(dy[:, None], dx[None, :])
    disc, ring = distance <= diameter / 2, (distance > diameter / 2) & (distance <= 0.75 * diameter)
    kernel = disc / disc.sum() - ring / ring.sum()
    inner = (slice(reach[0], -reach[0]), slice(reach[1], -reach[1]))
    return max(float(np.abs(cv2.filter2D(p, -1, kernel)[inner]).max()) for p in planes)
