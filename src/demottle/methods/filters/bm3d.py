"""BM3D (Dabov et al. 2007; correlated noise: Mäkinen, Azzari and Foi 2020), slice by slice, from its authors' package `bm3d`.

Similar blocks are stacked, transformed and shrunk together, first against a threshold, then by a Wiener filter. The package is
free for non-commercial use only and is not installed with demottle: pip install bm3d.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.events import Listener, silent
from demottle.image import Image, Voxels
from demottle.methods.base import Budget, Tensors
from demottle.methods.filters.block_matching import BlockMatchingSettings, package, stretched
from demottle.methods.filters.plane_filter import PlaneFilter
from demottle.methods.filters.told_noise import told_noise
from demottle.methods.registry import refuse_missing
from demottle.noise.fingerprint import Fingerprint

NAME = "bm3d"


@dataclass(frozen=True)
class Settings(BlockMatchingSettings):
    """Settings of the filter; see `BlockMatchingSettings`."""


class Bm3d(PlaneFilter[Settings]):
    """The filter and the noise it is told of.

    Args:
        settings, fitted: as for every filter.
        spectrum: noise power (n, m), FFT order, in any unit: only its shape counts. (1, 1): white. A true spectrum, where one
            is known, is given here.
    """

    method = NAME

    def __init__(self, settings: Settings, fitted: Mapping[str, Any], spectrum: NDArray[np.float32]) -> None:
        """Keep settings, summary and spectrum."""
        super().__init__(settings, fitted)
        self.even = settings.level == "local"
        self._spectrum = np.asarray(spectrum, np.float32)

    def tensors(self) -> Tensors:
        """Return the spectrum."""
        return {"spectrum": self._spectrum}

    def _plane(self, plane: Voxels, level: float) -> Voxels:
        module, profile = package(NAME, self._settings)
        told: float | NDArray[np.float64] = level
        if self._spectrum.size > 1:
            told = stretched(self._spectrum, (plane.shape[0], plane.shape[1])) * level**2 * plane.size
        return np.asarray(module.bm3d(plane.astype(np.float64), told, profile), np.float32)


def fit(
    image: Image,
    settings: Settings,
    fingerprint: Fingerprint,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    listener: Listener = silent,
) -> Bm3d:
    """Take the noise spectrum from the fingerprint; without one the noise is taken as white, and `fitted` says so.

    Raises:
        InputError: where the package is not installed.
        UnsuitableError: where not even the noise level is known.
    """
    refuse_missing(NAME)
    return Bm3d(settings, *told_noise(image, fingerprint, settings.spectrum == "white"))


def restore(settings: Settings, fitted: Mapping[str, Any], tensors: Tensors) -> Bm3d:
    """Rebuild a saved filter."""
    return Bm3d(settings, fitted, tensors["spectrum"])
