"""What could be found at all: an ideal observer who knows shape, size and place of a lesion, and the spectrum of the noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.linalg import toeplitz
from scipy.stats import norm

from demottle.image import Voxels
from demottle.quality.check.spots.chance import largest_by_chance, places
from demottle.quality.check.spots.residue import Residue, spectrum_of
from demottle.quality.check.spots.templates import filtered, transfer

_SHARED = 3  # slices: farther apart, noise has nothing in common
_LEAST = 0.05  # of the covariance between slices: a direction without noise would show anything

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Observer:
    """What an ideal observer knows of noise over its local level.

    Attributes:
        noise: a residue whose difference is nothing but that noise.
        power: its spectrum (rows, columns / 2 + 1), the variance of each voxel shared out over frequencies.
        inverse: of its covariance between slices (slices, slices), which is taken as alike at all frequencies.
    """

    noise: Residue
    power: Array
    inverse: Array

    def separation(self, lesion: Voxels) -> float:
        """Return d' of a lesion that is known exactly: `d'^2 = sum over f of L*(f) C^-1 L(f) / S(f)`, over the whole volume.

        L: the transform of each slice of the lesion over the local level, C: `inverse`'s covariance, S: `power` (H. H. Barrett
        and K. J. Myers, Foundations of Image Science, 2004, chapter 13).

        Args:
            lesion: HU (slices, rows, columns) in the pixels of the noise.
        """
        scaled = np.where(self.noise.counts, lesion / self.noise.level, 0)
        spectra = np.stack([fft.rfft2(plane) for plane in scaled])
        both_sides = np.full(self.power.shape[1], 2.0)  # frequencies that `rfft2` leaves out, as their mirror images
        both_sides[0] = 1
        if scaled.shape[2] % 2 == 0:
            both_sides[-1] = 1
        across = np.tensordot(self.inverse, spectra, axes=1)
        total = ((spectra.conj() * across).real.sum(axis=0) / self.power * both_sides).sum()
        return float(np.sqrt(total / scaled[0].size))

    def threshold(self, diameter: float) -> float:
        """Return how many standard deviations the noise reaches somewhere in 5 % of scans, searched for this size alone."""
        scaled, size = self.noise.scaled, self.noise.before.shape[1:]
        response = np.asarray(transfer(diameter, size, self.noise.spacing[1:]) / self.power, np.float32)
        field = filtered([fft.rfft2(plane) for plane in scaled], response, size)
        return largest_by_chance(places(field, self.noise.counts))


def observer_of(noise: Residue) -> Observer:
    """Measure what an observer knows of noise: `noise` is of a scan and its truth, or of a scan and an honest result."""
    scaled = noise.scaled
    power = spectrum_of(scaled, noise.counts).astype(np.float64)
    size = scaled.shape[1], scaled.shape[2]
    white = np.stack([fft.irfft2(fft.rfft2(plane) / np.sqrt(power), s=size) for plane in scaled])
    shared = np.zeros(len(white))
    for lag in range(min(_SHARED, len(white))):
        both = noise.counts[lag:] & noise.counts[: len(white) - lag]
        shared[lag] = (white[lag:] * white[: len(white) - lag])[both].mean()
    sizes, directions = np.linalg.eigh(toeplitz(shared / shared[0]))
    return Observer(noise, power, (directions / np.maximum(sizes, _LEAST)) @ directions.T)


def possible(separation: float, threshold: float) -> float:
    """Return the chance that a lesion exceeds a threshold: of what deviates by `separation` on average, by 1 around it."""
    return float(norm.sf(threshold - separation))
