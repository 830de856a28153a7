"""Noise taken from the scan itself: its streaks, its directions, its level at every place.

One mean spectrum describes noise that is alike everywhere. In a chest it is not: shoulders and spine draw streaks, each place
has its own direction and grain. The difference of two neighboring slices, over `sqrt(2 (1 - rho))`, is noise with the right
covariance at every place, as long as both show the same tissue; where they do not, noise drawn from the mean spectrum
stands in.
"""

import cv2
import numpy as np

from demottle.image import Image, Voxels
from demottle.learning.data.patches import Positions
from demottle.methods.one_scan.protection import fill_invalid
from demottle.methods.one_scan.scan_samples import ScanSamples
from demottle.noise import guide
from demottle.noise.correlation import Correlation
from demottle.noise.synthesis import NoiseSource, mixing_matrix

NEAREST, FARTHEST = 3, 10
"""Differences come from slices this far away: nearer ones hold the slice's own noise, farther ones another anatomy."""
_TOLERANCE = 0.7  # of two guides to show the same tissue, in noise levels
_BOUND = 4.0  # noise levels


class ScanNoise:
    """Draws patches of noise of unit variance that belong to given places of the scan."""

    def __init__(
        self, image: Image, samples: ScanSamples, correlation: Correlation, source: NoiseSource, slices: int = 1
    ) -> None:
        """Take the difference of every sample and the next slice, where they match; `slices` are drawn at once in a stack."""
        self._source, self._indices = source, np.asarray(samples.indices)
        known = (float(np.clip(np.nan_to_num(correlation.at(lag)), 0, 0.99)) for lag in range(1, slices))
        self._mixing = mixing_matrix([1.0, *known])
        rho = correlation.at(1)
        self._fields = np.zeros_like(samples.slices)
        self._trust = np.zeros_like(samples.slices)
        if not np.isfinite(rho) or rho > 0.9:
            return
        for n, index in enumerate(samples.indices):
            if index + 1 >= image.shape[0]:
                continue
            own, other = samples.slices[n], fill_invalid(image, index + 1)[samples.box]
            sigma = samples.deviation[n]
            apart = np.abs(guide.smooth(own) - guide.smooth(other)) / sigma
            match = guide.erode(apart <= _TOLERANCE, 2) & samples.body[n]
            self._trust[n] = cv2.GaussianBlur(match.astype(np.float32), (0, 0), 1.5) * match
            self._fields[n] = np.clip(
                (own - other) / (sigma * np.float32(np.sqrt(2 * (1 - max(rho, 0))))), -_BOUND, _BOUND
            )

    def draw_stack(self, places: Positions, size: int, random: np.random.Generator) -> Voxels:
        """Draw noise for all slices of a stack, correlated from slice to slice as the scan's: float32 (n, slices, size, size)."""
        several = np.stack([self.draw(places, size, random) for _ in self._mixing])
        return np.asarray(np.einsum("kl,lnij->nkij", self._mixing, several), np.float32)

    def draw(self, places: Positions, size: int, random: np.random.Generator) -> Voxels:
        """Draw noise for the patches at `places` (slice, first row, first column); float32 (n, size, size)."""
        out = self._source.draw(len(places), random)
        for patch, (n, row, column) in zip(out, places, strict=True):
            far = np.abs(self._indices - self._indices[n])
            choice = np.flatnonzero((far >= NEAREST) & (far <= FARTHEST))
            if not len(choice):
                continue
            at = (random.choice(choice), slice(row, row + size), slice(column, column + size))
            trust = self._trust[at]
            patch *= np.sqrt(1 - trust**2)
            patch += random.choice([-1, 1]) * trust * self._fields[at]
        return out
