"""BM3D (Dabov et al. 2007; correlated noise: Mäkinen, Azzari and Foi 2020), slice by slice, from its authors' package `bm3d`.

Similar blocks are stacked, transformed and shrunk together, first against a threshold, then by a Wiener filter. The package is
free for non-commercial use only and is not installed with demottle: pip install bm3d.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demottle.image import Image, Voxels
from demottle.methods.base import Tensors
from demottle.methods.filters.block_matching import BlockMatchingSettings, package, stretched
from demottle.methods.filters.plane_filter import PlaneFilter
from demottle.methods.filters.told_noise import told_noise
from demottle.methods.registry import name_of, refuse_missing
from demottle.noise.fingerprint import Fingerprint

NAME = name_of(__name__)


@dataclass(frozen=True)
class Bm3dSettings(BlockMatchingSettings):
    """Settings of the filter; see `BlockMatchingSettings`."""


class Bm3d(PlaneFilter[Bm3dSettings]):
    """The filter and the noise it is told of.

    Args:
        settings, fitted: as for every filter.
        spectrum: noise power (n, m), FFT order, in any unit: only its shape counts. (1, 1): white. A true spectrum, where one
            is known, is given here.
    """

    method = NAME

    def __init__(self, settings: Bm3dSettings, fitted: Mapping[str, Any], spectrum: NDArray[np.float32]) -> None:
        """Keep settings, summary and spectrum."""
        super().__init__(settings, fitted)
        self.even = settings.level == "local"
        self._spectrum = np.asarray(spectrum, np.float32)

    @classmethod
    def measured(cls, image: Image, settings: Bm3dSettings, fingerprint: Fingerprint) -> tuple[Any, ...]:
        """See `Filter`; the package has to be installed."""
        refuse_missing(NAME)
        return told_noise(image, fingerprint, settings.spectrum == "white")

    @classmethod
    def kept(cls, fitted: Mapping[str, Any], tensors: Tensors) -> tuple[Any, ...]:
        """See `Filter`."""
        return fitted, tensors["spectrum"]

    def tensors(self) -> Tensors:
        """Return the spectrum."""
        return {"spectrum": self._spectrum}

    def _plane(self, plane: Voxels, level: float) -> Voxels:
        module, profile = package(NAME, self._settings)
        told: float | NDArray[np.float64] = level
        if self._spectrum.size > 1:
            told = stretched(self._spectrum, (plane.shape[0], plane.shape[1])) * level**2 * plane.size
        return np.asarray(module.bm3d(plane.astype(np.float64), told, profile), np.float32)


Settings, fit, restore = Bm3dSettings, Bm3d.fit, Bm3d.restore
