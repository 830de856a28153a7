"""How noisy a scan is: its dose, and where its noise is stronger or weaker than that says."""

from dataclasses import dataclass, field
from math import isfinite

import cv2
import numpy as np

from demottle.image import Image, Voxels
from demottle.methods.unpaired.trained_network import Box
from demottle.networks.timed_unet import COARSE
from demottle.noise import local
from demottle.noise.correlation import slice_correlation
from demottle.noise.level import noise_level
from demottle.physics.low_dose.dose_time import dose_of_noise

_WEAKEST, _STRONGEST = 0.4, 2.5
"""Times the level of the scan: what is measured beyond is anatomy, or too little tissue."""
_EVEN = np.ones((1, 1), np.float32)

assert local.COARSE == COARSE


@dataclass(frozen=True, eq=False)
class Exposure:
    """How noisy a scan is.

    Attributes:
        dose: fraction of full dose that its noise stands for.
        relative: noise level over that of the scan, on every fourth row and column (slices, ...); None: the same everywhere.
    """

    dose: float
    relative: Voxels | None = field(default=None, repr=False)

    @classmethod
    def even(cls, dose: float) -> "Exposure":
        """The same noise everywhere."""
        return cls(dose)

    def coarse(self, index: int, part: Box) -> Voxels:
        """Return the relative level of a part of a slice that begins at multiples of 4, as `relative` has it, or (1, 1)."""
        if self.relative is None:
            return _EVEN
        rows, columns = (slice(side.start // COARSE, -(-side.stop // COARSE)) for side in part)
        return np.asarray(self.relative[index][rows, columns], np.float32)

    def fine(self, index: int, part: Box) -> Voxels:
        """Return the same at full resolution, or (1, 1)."""
        if self.relative is None:
            return _EVEN
        rows, columns = part
        coarse = self.coarse(index, part)
        size = coarse.shape[1] * COARSE, coarse.shape[0] * COARSE
        whole = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(whole[: rows.stop - rows.start, : columns.stop - columns.start], np.float32)


def exposure_of(image: Image, full: float, given: float, locally: bool) -> Exposure | None:
    """Measure how noisy a scan is; None where it cannot be measured.

    Args:
        image: CT in HU.
        full: noise of full dose in HU.
        given: noise level of the scan in HU; 0: measured.
        locally: measure where it is stronger or weaker, too.
    """
    correlation = slice_correlation(image)
    level = given or noise_level(image, correlation)
    if not isfinite(level):
        return None
    dose = dose_of_noise(level, full)
    if dose >= 1 or not locally:
        return Exposure(dose)
    coarse = local.noise_map(image, correlation, level).coarse
    return Exposure(dose, np.clip(coarse / np.float32(level), _WEAKEST, _STRONGEST))
