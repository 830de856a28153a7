"""What filters have in common that are told the noise measured on the scan: its level, its spectrum, what slices share of it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image
from demottle.methods.base import Denoiser, Tensors
from demottle.methods.filters.plane_filter import facts_of
from demottle.noise.fingerprint import Fingerprint

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FilterSettings = TypeVar("FilterSettings", bound="DataclassInstance")


class VolumeFilter(Denoiser, Generic[FilterSettings]):
    """A filter of volumes and the noise it is told of: the shape of the spectrum (n, m), and what `told_noise` says."""

    def __init__(self, settings: FilterSettings, fitted: Mapping[str, Any], spectrum: NDArray[np.float32]) -> None:
        """Keep settings, summary and spectrum; (1, 1): white noise."""
        self._settings = settings
        self.settings = asdict(settings)
        self.fitted = dict(fitted)
        self._spectrum = np.asarray(spectrum, np.float32)

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
