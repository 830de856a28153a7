"""The noise of a scan as far as it can be measured: its level everywhere, its spectrum, what neighboring slices share of it."""

from dataclasses import dataclass

import numpy as np

from demottle.errors import InputError, UnsuitableError
from demottle.image import Image, Voxels
from demottle.noise.correlation import Correlation, slice_correlation
from demottle.noise.level import noise_level
from demottle.noise.local import local_squares
from demottle.noise.scan_spectrum import scan_spectrum
from demottle.noise.spectrum import Spectrum


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured.

    Attributes:
        correlation: between slices.
        spectrum: None where it cannot be measured.
        no_spectrum: why it cannot.
        variance, weight: local variance in HU^2 of flat tissue on every fourth row and column, and how well it is known; both
            (slices, rows / 4, columns / 4), weight 0 where nothing is known.
    """

    correlation: Correlation
    spectrum: Spectrum | None
    no_spectrum: str
    variance: Voxels
    weight: Voxels


def measure(image: Image) -> Measured:
    """Measure the noise of a CT.

    Raises:
        UnsuitableError: where it cannot be measured, or there is none.
    """
    correlation = slice_correlation(image)
    spectrum, why = None, ""
    try:
        spectrum = scan_spectrum(image, correlation)
    except InputError as error:
        why = str(error)
    level = noise_level(image, correlation, spectrum)
    if not level > 0:
        raise UnsuitableError(
            "The noise of the scan cannot be measured: it has too little flat soft tissue (-150 to 200 HU), or no noise in it; "
            "a dose can only be simulated relative to measured noise."
        )
    squares, weight = local_squares(image, correlation, level, flat=True)
    weight = np.where(squares > 0, weight, 0).astype(np.float32)
    variance = np.asarray(squares / np.maximum(weight, np.float32(1e-9)), np.float32)
    return Measured(correlation, spectrum, why, variance, weight)
