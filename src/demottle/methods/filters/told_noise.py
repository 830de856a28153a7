"""What filters have in common that are told the noise measured on the scan: its level, its spectrum, what slices share of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.methods.base import Tensors
from demottle.methods.filter import Filter, FilterSettings
from demottle.methods.filters.plane_filter import facts_of
from demottle.noise.fingerprint import Fingerprint


class VolumeFilter(Filter[FilterSettings]):
    """A filter of volumes and the noise it is told of: the shape of the spectrum (n, m), and what `told_noise` says."""

    def __init__(self, settings: FilterSettings, fitted: Mapping[str, Any], spectrum: NDArray[np.float32]) -> None:
        """Keep settings, summary and spectrum; (1, 1): white noise."""
        super().__init__(settings, fitted)
        self._spectrum = np.asarray(spectrum, np.float32)

    @classmethod
    def measured(cls, image: Image, settings: FilterSettings, fingerprint: Fingerprint) -> tuple[Any, ...]:
        """See `Filter`; without a spectrum the noise is taken as white, and `fitted` says so."""
        return told_noise(image, fingerprint)

    @classmethod
    def kept(cls, fitted: Mapping[str, Any], tensors: Tensors) -> tuple[Any, ...]:
        """See `Filter`."""
        return fitted, tensors["spectrum"]

    def tensors(self) -> Tensors:
        """Return the spectrum."""
        return {"spectrum": self._spectrum}


def told_noise(
    image: Image, fingerprint: Fingerprint, white: bool = False
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Return what such a filter is made for, and the noise's spectrum (n, n), FFT order; (1, 1) stands for white noise.

    Args:
        image, fingerprint: the scan and what was measured on it.
        white: take the noise as white, whatever was measured.

    Raises:
        UnsuitableError: where the noise level is not known.
    """
    white = white or fingerprint.spectrum is None
    density = np.ones((1, 1)) if white or fingerprint.spectrum is None else fingerprint.spectrum.density_2d
    facts = {
        **facts_of(image, fingerprint),
        "white_noise_assumed": white,
        "slice_correlation": [float(max(np.nan_to_num(rho), 0)) for rho in fingerprint.correlation.rho],
    }
    return facts, density.astype(np.float32)
